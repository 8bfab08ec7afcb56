import { type AttemptOutcome, parseRetryAfter, redactHeaders } from '@hookstream/domain';
import type { Answer } from './answer.js';
import type { Connection } from './connection.js';
import { AttemptFault, EgressFaultError } from './egress-faults.js';
import type { EgressRequest } from './egress-options.js';
import { exchangeFault, isDropped } from './error-classification.js';
import { onAbort } from './on-abort.js';

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
    return run.resultOf(await run.answer());
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
  private readonly timer: NodeJS.Timeout;
  private headersTimer: NodeJS.Timeout | undefined;
  private statusCode: number | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly url: URL,
    private readonly request: EgressRequest,
    private readonly limits: ExchangeLimits,
  ) {
    this.timer = this.after(request.timeoutMs);
  }

  async answer(): Promise<Answer> {
    const { connection } = this;
    const reused = connection.isOpen;
    const before = connection.bytesRead;
    try {
      return await this.post();
    } catch (error) {
      // A receiver closes an idle connection just as the request goes out. No byte of an answer came, so one more try on
      // a new connection is right; should the receiver have read the request all the same, it sees the same webhook-id
      // twice, which at-least-once delivery allows.
      const silent = connection.bytesRead === before;
      if (!reused || !silent || !isDropped(error) || this.isOver()) throw error;
      connection.renew();
      return await this.post();
    }
  }

  resultOf({ statusCode, headers, text, truncated }: Answer): ExchangeResult {
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
    clearTimeout(this.timer);
    clearTimeout(this.headersTimer);
  }

  private post(): Promise<Answer> {
    const { headersTimeoutMs, responseLimitBytes } = this.limits;
    clearTimeout(this.headersTimer);
    if (Number.isFinite(headersTimeoutMs)) this.headersTimer = this.after(headersTimeoutMs);
    const { pathname, search } = this.url;
    const { body } = this.request;
    return this.connection.request(
      { path: pathname + search, headers: sendableHeaders(this.request.headers), body },
      responseLimitBytes,
      (statusCode) => {
        this.statusCode = statusCode;
        clearTimeout(this.headersTimer);
      },
    );
  }

  private isOver(): boolean {
    return this.deadline !== undefined || this.request.signal?.aborted === true;
  }

  private after(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.deadline = new AttemptFault('timeout', this.lateText(ms));
      this.connection.destroy(this.deadline);
    }, ms);
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

/** Names and values in turn. */
function sendableHeaders(headers: Record<string, string>): string[] {
  const sendable: string[] = [];
  for (const name in headers) {
    if (!CONNECTION_HEADERS.has(name.toLowerCase())) sendable.push(name, headers[name] as string);
  }
  return sendable;
}

function flatHeaders(headers: Answer['headers']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    flat[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  }
  return flat;
}
