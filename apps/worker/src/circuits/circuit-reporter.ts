import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptReport, AttemptReporter } from '@hookstream/activities';
import type { Logger } from '@hookstream/observability';
import type { EndpointTarget, EndpointWorkflows } from '@hookstream/temporal-client';
import { CircuitNews, isWatched, type CircuitMessage } from './circuit-news.js';

export interface CircuitReporterOptions {
  /** Least time between two messages to one breaker, in milliseconds. */
  intervalMs?: number;
  /** How many endpoints are kept in mind; of more than that, new ones are left out. */
  maxEndpoints?: number;
  /** Messages under way at once. */
  concurrency?: number;
  /** How long the last messages may take at {@link CircuitReporter.stop}, in milliseconds. */
  stopWithinMs?: number;
}

export interface CircuitReporterDeps {
  workflows: Pick<EndpointWorkflows, 'failed' | 'succeeded'>;
  logger: Logger;
  now: () => number;
}

interface Entry {
  target: EndpointTarget;
  news: CircuitNews;
  /** Unix milliseconds. Infinity: nothing to tell. */
  dueAt: number;
  toldAt: number;
  failedTries: number;
  busy: boolean;
}

const INTERVAL_MS = 250;
const MAX_ENDPOINTS = 10_000;
const CONCURRENCY = 16;
const STOP_WITHIN_MS = 3_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;

/**
 * Tells the breakers of endpoints what their attempts came to. Never blocks or fails an attempt: what cannot be told yet, because
 * Temporal is away, waits as a few numbers an endpoint. What dies with the process is a count, never a delivery.
 */
export class CircuitReporter implements AttemptReporter {
  private readonly entries = new Map<string, Entry>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly limits: Required<CircuitReporterOptions>;
  private timer: { at: number; handle: NodeJS.Timeout } | undefined;
  private stopping = false;
  private leftOut = 0;

  constructor(
    private readonly deps: CircuitReporterDeps,
    options: CircuitReporterOptions = {},
  ) {
    this.limits = {
      intervalMs: options.intervalMs ?? INTERVAL_MS,
      maxEndpoints: options.maxEndpoints ?? MAX_ENDPOINTS,
      concurrency: options.concurrency ?? CONCURRENCY,
      stopWithinMs: options.stopWithinMs ?? STOP_WITHIN_MS,
    };
  }

  /** How many endpoints are kept in mind. */
  get size(): number {
    return this.entries.size;
  }

  onAttempt(report: AttemptReport): void {
    const known = this.entries.get(report.endpointId);
    // nearly all attempts: nothing to remember, nothing to tell
    if (known === undefined && report.succeeded && !isWatched(report.circuit)) return;
    const entry = known ?? this.makeEntry(report);
    if (entry === undefined) return;
    const urgent = report.succeeded ? entry.news.success(report) : entry.news.failure(report);
    this.plan(entry, urgent);
  }

  /** Tells what is left, as far as that is possible in time. Nothing may be reported afterwards. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer?.handle);
    const deadline = new AbortController();
    const late = delay(this.limits.stopWithinMs, undefined, { signal: deadline.signal }).catch(
      () => undefined,
    );
    await Promise.race([this.tellAll(), late]);
    deadline.abort();
    const untold = this.waiting().length;
    if (untold > 0) this.deps.logger.warn({ endpoints: untold }, 'not all circuits were told');
    this.entries.clear();
  }

  private waiting(): Entry[] {
    return [...this.entries.values()].filter((entry) => entry.busy || entry.news.waiting);
  }

  private async tellAll(): Promise<void> {
    await Promise.all(this.underWay);
    const waiting = this.waiting();
    while (waiting.length > 0) {
      const batch = waiting.splice(0, this.limits.concurrency);
      await Promise.all(batch.map((entry) => this.tell(entry)));
    }
  }

  private makeEntry(report: AttemptReport): Entry | undefined {
    if (this.entries.size >= this.limits.maxEndpoints) this.dropOneAtRest();
    if (this.entries.size >= this.limits.maxEndpoints) {
      this.leftOut += 1;
      if (this.leftOut % 1_000 === 1)
        this.deps.logger.warn(
          { attempts: this.leftOut },
          'too many endpoints fail: some circuits are not told',
        );
      return undefined;
    }
    const { tenantId, endpointId, endpointUrl } = report;
    const entry: Entry = {
      target: { tenantId, endpointId, endpointHost: new URL(endpointUrl).host },
      news: new CircuitNews(),
      dueAt: Infinity,
      toldAt: 0,
      failedTries: 0,
      busy: false,
    };
    this.entries.set(endpointId, entry);
    return entry;
  }

  /** The longest known that only waits for a success: the database remembers its failures too. */
  private dropOneAtRest(): void {
    for (const [id, entry] of this.entries) {
      if (entry.busy || entry.news.waiting) continue;
      this.entries.delete(id);
      return;
    }
  }

  private plan(entry: Entry, urgent: boolean): void {
    if (!entry.news.waiting) {
      entry.dueAt = Infinity;
      if (!entry.news.worthKeeping && !entry.busy) this.entries.delete(entry.target.endpointId);
      return;
    }
    const pace =
      entry.failedTries === 0 ? (urgent ? 0 : this.limits.intervalMs) : retryDelay(entry.failedTries);
    entry.dueAt = Math.max(this.deps.now(), entry.toldAt + pace);
    this.schedule(entry.dueAt);
  }

  private schedule(at: number): void {
    if (this.stopping || (this.timer !== undefined && this.timer.at <= at)) return;
    clearTimeout(this.timer?.handle);
    const handle = setTimeout(() => {
      this.timer = undefined;
      this.tellDue();
    }, at - this.deps.now());
    handle.unref();
    this.timer = { at, handle };
  }

  private tellDue(): void {
    const now = this.deps.now();
    let next = Infinity;
    for (const entry of this.entries.values()) {
      if (entry.busy || entry.dueAt === Infinity) continue;
      if (entry.dueAt > now) next = Math.min(next, entry.dueAt);
      else if (this.underWay.size < this.limits.concurrency) this.launch(entry);
      // the rest follows when one that is under way ends
      else break;
    }
    if (next < Infinity) this.schedule(next);
  }

  private launch(entry: Entry): void {
    const work: Promise<void> = this.tell(entry).finally(() => {
      this.underWay.delete(work);
      if (!this.stopping) this.tellDue();
    });
    this.underWay.add(work);
  }

  private async tell(entry: Entry): Promise<void> {
    const message = entry.news.take();
    entry.busy = true;
    entry.toldAt = this.deps.now();
    try {
      await this.send(entry.target, message);
      entry.failedTries = 0;
    } catch (error) {
      entry.failedTries += 1;
      entry.news.putBack(message);
      if (entry.failedTries === 1)
        this.deps.logger.warn(
          { err: error, endpoint_id: entry.target.endpointId },
          'a circuit cannot be told yet',
        );
    } finally {
      entry.busy = false;
      this.plan(entry, false);
    }
  }

  private async send(target: EndpointTarget, message: CircuitMessage): Promise<void> {
    if (message.succeeded !== null) {
      await this.deps.workflows.succeeded(target, message.succeeded);
      message.succeeded = null;
    }
    if (message.failed !== null) await this.deps.workflows.failed(target, message.failed);
  }
}

function retryDelay(failedTries: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failedTries - 1));
}
