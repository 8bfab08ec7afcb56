import { randomBytes } from 'node:crypto';
import { eventually, TestReceiver, type Script } from '@hookstream/testing';
import { OtlpCollector, type CollectedSpan } from './otlp-collector.js';
import { startServices, type Services } from './service-processes.js';

/** For what takes as long as it takes on a busy machine. */
const PATIENCE = { timeoutMs: 40_000 };

const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** As an application sends it, in a trace of its own. */
export function newTraceparent(flags: '00' | '01' = '01') {
  const [traceId, spanId] = [randomHex(16), randomHex(8)];
  return { traceId, spanId, header: `00-${traceId}-${spanId}-${flags}` };
}

/** A collector, a receiver, and an API and a worker as processes with one tenant. */
export class TracedServices {
  readonly secrets: Record<string, string> = {};
  private tenantKey = '';

  private constructor(
    readonly services: Services,
    readonly collector: OtlpCollector,
    readonly receiver: TestReceiver,
  ) {}

  /** @param settings by the address of the collector */
  static async start(settings: (collectorUrl: string) => Record<string, string>): Promise<TracedServices> {
    const [collector, receiver] = await Promise.all([OtlpCollector.start(), TestReceiver.start()]);
    const traced = new TracedServices(await startServices(settings(collector.url)), collector, receiver);
    const { adminToken, encryptionKey } = traced.services;
    const { body } = await traced.services.call('POST', '/tenants', adminToken, { name: 'Acme' });
    traced.tenantKey = body.api_key;
    Object.assign(traced.secrets, { adminToken, encryptionKey, tenantKey: traced.tenantKey });
    return traced;
  }

  async stop(): Promise<void> {
    await this.services.stop();
    await Promise.all([this.collector.close(), this.receiver.close()]);
  }

  call(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    return this.services.call(method, path, this.tenantKey, body, headers);
  }

  /** An endpoint of its own path and event type. */
  async endpoint(settings: { lane: 'durable' | 'express'; answers?: Script; suffix?: string }) {
    const { lane, answers = { status: 200 }, suffix = '' } = settings;
    const path = `/${randomHex(6)}`;
    const type = `order.${randomHex(6)}`;
    this.receiver.on(path, answers);
    const { status, body } = await this.call('POST', '/endpoints', {
      ...{ url: this.receiver.url(`${path}${suffix}`), event_types: [type], lane },
      retry: { delays_ms: [50], jitter: 0 },
      headers: { authorization: `Bearer ${(this.secrets['header'] ??= `canary-${randomHex(9)}`)}` },
    });
    if (status !== 201) throw new Error(`no endpoint: ${JSON.stringify(body)}`);
    this.secrets[`secret of ${body.id}`] = body.secret;
    return { id: body.id as string, path, type };
  }

  async post(type: string, traceparent?: string, headers: Record<string, string> = {}): Promise<string> {
    const { status, body } = await this.call(
      'POST',
      '/events',
      { type, data: { card: (this.secrets['payload'] ??= `canary-${randomHex(9)}`) } },
      { ...headers, ...(traceparent === undefined ? {} : { traceparent }) },
    );
    if (status !== 202) throw new Error(`not accepted: ${JSON.stringify(body)}`);
    return body.id as string;
  }

  /** Waits until the only delivery of an event has succeeded with that many attempts. @returns its id */
  async delivered(eventId: string, attempts = 1): Promise<string> {
    return eventually(async () => {
      const { body } = await this.call('GET', `/events/${eventId}`);
      const [delivery] = body.deliveries as { id: string; status: string; attempt_count: number }[];
      return delivery?.status === 'succeeded' && delivery.attempt_count === attempts && delivery.id;
    }, PATIENCE);
  }

  /** Waits for that many spans of a trace, in the order of their beginning. */
  async spans(traceId: string, count: number): Promise<CollectedSpan[]> {
    const found = await eventually(() => {
      const spans = this.collector.ofTrace(traceId);
      return spans.length >= count && spans;
    }, PATIENCE);
    return found.sort((a, b) => Number(a.start - b.start));
  }

  /** What receivers were told of their trace, in order. */
  receivedTraces(path: string): string[] {
    return this.receiver.requestsTo(path).map(({ headers }) => headers['traceparent'] ?? '');
  }
}
