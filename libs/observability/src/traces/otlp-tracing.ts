import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { SpanKind } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Lane } from '@hookstream/domain';
import type { Logger } from '../logger.js';
import { attemptSpan, dispatchSpan } from './delivery-spans.js';
import { finishedSpan, type SpanFacts } from './finished-span.js';
import { SpanSender } from './span-sender.js';
import { callerSpanId, newSpanId, spanIdOf, traceIdOf, type TracedEvent } from './trace-context.js';
import { traceSampler } from './trace-sampler.js';
import type {
  ReceivedTrace,
  TracedAcceptance,
  TracedAttempt,
  TracedDelivery,
  Tracing,
  TracingOptions,
} from './tracing.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Sends spans by OTLP over HTTP. */
export class OtlpTracing implements Tracing {
  readonly samples: (event: TracedEvent) => boolean;
  private readonly sender: SpanSender;
  private readonly origin: { resource: Resource; scope: { name: string; version: string } };

  constructor(
    options: TracingOptions & { serviceName: string },
    logger: Logger,
    exporter: SpanExporter = new OTLPTraceExporter({ url: options.url, headers: options.headers }),
  ) {
    this.samples = traceSampler(options.sampler, options.ratio);
    this.sender = new SpanSender(exporter, logger);
    this.origin = { resource: resourceOf(options), scope: { name: 'hookstream', version } };
  }

  onAccepted(received: ReceivedTrace, acceptance: TracedAcceptance): void {
    const { traceparent } = received;
    const { eventId, repeated } = acceptance;
    // the event's own trace has the span of its acceptance already
    if (repeated && traceparent === null) return;
    const event = { eventId, traceparent };
    if (!this.samples(event)) return;
    this.send({
      traceId: traceIdOf(event),
      spanId: repeated ? newSpanId() : spanIdOf('event', eventId),
      parentSpanId: callerSpanId(traceparent),
      name: 'accept',
      kind: SpanKind.SERVER,
      startedAt: received.startedAt,
      durationMs: performance.now() - received.beganAt,
      attributes: {
        'hookstream.tenant.id': acceptance.tenantId,
        'hookstream.event.id': eventId,
        'hookstream.event.type': acceptance.eventType,
        'hookstream.event.deliveries': acceptance.deliveries,
        'hookstream.event.idempotent_replay': repeated,
        'hookstream.request.id': acceptance.requestId,
      },
    });
  }

  onAttempt(delivery: TracedDelivery, attempt: TracedAttempt, lane: Lane): void {
    if (!this.samples(delivery)) return;
    if (attempt.number === 1) this.send(dispatchSpan(delivery, attempt, lane));
    this.send(attemptSpan(delivery, attempt, lane));
  }

  stop(): Promise<void> {
    return this.sender.stop();
  }

  private send(facts: SpanFacts): void {
    this.sender.send(() => finishedSpan(facts, this.origin));
  }
}

function resourceOf({ serviceName, resourceAttributes }: TracingOptions & { serviceName: string }): Resource {
  return defaultResource().merge(
    resourceFromAttributes({
      'service.version': version,
      'host.name': hostname(),
      'process.pid': process.pid,
      ...resourceAttributes,
      'service.name': serviceName,
    }),
  );
}
