import { type AttemptOutcome, parseRetryAfter, redactHeaders } from '@hookstream/domain';
import type { Connection } from './connection.js';
import { AttemptFault, EgressFaultError } from './egress-faults.js';
import type { EgressRequest } from './egress-options.js';
import { exchangeFault, isDropped } from './error-classification.js';
import { readBody } from './response-body.js';

export interface ExchangeLimits {
  responseLimitBytes: number;
  headersTimeoutMs: number;
}

export interface ExchangeResult {
  outcome: AttemptOutcome;
  /** Whether the answer was read to its end, so that the connection can carry another request. */
  reusable: boolean;
}

/** The client's own business: set by the connection, or able to split a request into two. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);

/**
 * One request and its answer on a connection. A 2xx counts only once its body has ended or its cap is reached: an answer
 * that is still dripping at the deadline is a timeout, with the status it had.
 */
export async function exchange(
  connection: Connection,
  url: URL,
  request: EgressRequest,
  limits: ExchangeLimits,
): Promise<ExchangeResult> {
  const run = new ExchangeRun(connection, url, request, limits);
  const stopAbort = onAbort(request.signal, (reason) => connection.destroy(reason));
  try {
    return await run.result();
  } catch (error) {
    request.signal?.throwIfAborted();
    if (connection.waitsForProxy && run.deadline)
      throw new EgressFaultError('the proxy cannot be reached: it did not answer in time');
    const { kind, message } = run.deadline ?? exchangeFault(error);
    return { outcome: { kind, error: message, ...run.seen() }, reusable: false };
  } finally {
    stopAbort();
    run.end();
  }
}

class ExchangeRun {
  /** The reason, once a deadline has passed. */
  deadline: AttemptFault | undefined;
  private readonly startedAt = performance.now();
  private readonly timers: NodeJS.Timeout[] = [];
  private statusCode: number | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly url: URL,
    private readonly request: EgressRequest,
    private readonly limits: ExchangeLimits,
  ) {
    this.after(request.timeoutMs, () => this.lateText(request.timeoutMs));
  }

  async result(): Promise<ExchangeResult> {
    const { statusCode, headers, body } = await this.answer();
    this.statusCode = statusCode;
    // leaving the body early makes it fail; that is no news
    body.on('error', () => undefined);
    const { text, truncated } = await readBody(body, this.limits.responseLimitBytes);
    const flat = flatHeaders(headers);
    const response = { headers: redactHeaders(flat), body: text, truncated };
    const outcome: AttemptOutcome = { ...verdict(statusCode, flat), ...this.seen(), response };
    return { outcome, reusable: !truncated };
  }

  /** What is known whether or not the exchange ended well. */
  seen(): { durationMs: number; statusCode?: number } {
    const durationMs = Math.round(performance.now() - this.startedAt);
    return this.statusCode === undefined ? { durationMs } : { durationMs, statusCode: this.statusCode };
  }

  end(): void {
    this.timers.forEach(clearTimeout);
  }

  private async answer(): ReturnType<Connection['request']> {
    const { connection } = this;
    const reused = connection.isOpen;
    const before = connection.bytesRead;
    try {
      return await this.headersInTime();
    } catch (error) {
      // A receiver closes an idle connection just as the request goes out. No byte of an answer came, so one more try on
      // a new connection is right; should the receiver have read the request all the same, it sees the same webhook-id
      // twice, which at-least-once delivery allows.
      const silent = connection.bytesRead === before;
      if (!reused || !silent || !isDropped(error) || this.isOver()) throw error;
      connection.renew();
      return await this.headersInTime();
    }
  }

  private async headersInTime(): ReturnType<Connection['request']> {
    const { headersTimeoutMs } = this.limits;
    const timer = Number.isFinite(headersTimeoutMs)
      ? this.after(headersTimeoutMs, () => this.lateText(headersTimeoutMs))
      : undefined;
    try {
      return await this.connection.request({
        path: this.url.pathname + this.url.search,
        headers: sendableHeaders(this.request.headers),
        body: this.request.body,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  private isOver(): boolean {
    return this.deadline !== undefined || this.request.signal?.aborted === true;
  }

  private after(ms: number, text: () => string): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.deadline = new AttemptFault('timeout', text());
      this.connection.destroy(this.deadline);
    }, ms);
    this.timers.push(timer);
    return timer;
  }

  private lateText(ms: number): string {
    if (this.statusCode !== undefined)
      return `the answer (status ${this.statusCode}) did not end within ${ms} ms`;
    return this.connection.isOpen
      ? `no answer within ${ms} ms`
      : `no connection to ${this.url.host} within ${ms} ms`;
  }
}

function verdict(
  status: number,
  headers: Record<string, string>,
): Pick<AttemptOutcome, 'kind' | 'error' | 'retryAfterMs'> {
  if (status >= 200 && status < 300) return { kind: 'succeeded' };
  const retryAfterMs = parseRetryAfter(headers['retry-after'], Date.now());
  const redirect = status >= 300 && status < 400 ? '; redirects are not followed' : '';
  return {
    kind: 'http_error',
    error: `the receiver answered ${status}${redirect}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function sendableHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !CONNECTION_HEADERS.has(name.toLowerCase())),
  );
}

function flatHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

function onAbort(signal: AbortSignal | undefined, act: (reason: Error) => void): () => void {
  if (!signal) return () => undefined;
  const listener = () => act(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal.addEventListener('abort', listener);
  if (signal.aborted) listener();
  return () => signal.removeEventListener('abort', listener);
}
