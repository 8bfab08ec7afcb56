import {
  makeAttempt,
  tellOfAttempt,
  type AttemptDeps,
  type AttemptRecorder,
  type ReadyDelivery,
} from '@hookstream/activities';
import type {
  AttemptsRepository,
  ClaimedAttempt,
  MadeAttempt,
  OutboxRepository,
} from '@hookstream/persistence';
import type { AttemptWatch } from './attempt-watch.js';
import { SHOW_AFTER_MS } from './first-attempts.js';

export interface ExpressAttemptsDeps extends AttemptWatch {
  attempt: AttemptDeps;
  attempts: Pick<AttemptsRepository, 'cancel' | 'handBack' | 'showUnderWay'>;
  outbox: Pick<OutboxRepository, 'acknowledge' | 'keep' | 'release'>;
  recorder: Pick<AttemptRecorder, 'record'>;
  /** A first attempt has failed and is recorded: its delivery waits for a workflow. */
  onFailed: () => void;
}

export interface ExpressAttemptsOptions {
  workerId: string;
  leaseMs: number;
  /** An attempt that takes longer than this, in milliseconds, is shown as being under way. Default {@link SHOW_AFTER_MS}. */
  showAfterMs?: number;
}

interface UnderWay {
  beganAt: number;
  leasedUntil: number;
  shown: boolean;
}

/** Attempts begun before answers and the next claim are looked at again: beginning a whole claim's takes tens of milliseconds. */
const BEGUN_AT_ONCE = 16;
const RETRY_OWN_FAULT_MS = 1_000;

/**
 * The attempts that this worker makes itself. Each runs on its own and takes nothing but its place in the window until it is
 * recorded; a lease covers it and is kept for as long as it takes, so that what dies with the worker is attempted again.
 */
export class ExpressAttempts {
  lastDispatchAt: Date | null = null;
  private readonly underWay = new Map<string, UnderWay>();
  private readonly toBegin: (() => void)[] = [];
  private readonly stopping = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private keeping: Promise<void> | undefined;
  private onIdle = () => {};

  constructor(
    private readonly deps: ExpressAttemptsDeps,
    private readonly options: ExpressAttemptsOptions,
  ) {
    const everyMs = Math.min(options.showAfterMs ?? SHOW_AFTER_MS, options.leaseMs / 4);
    this.timer = setInterval(() => this.lookAfter(), everyMs);
    this.timer.unref();
  }

  begin(claimed: ClaimedAttempt): void {
    // its lease ended while the database would not take what came of it
    if (this.underWay.has(claimed.deliveryId)) return;
    const now = performance.now();
    this.underWay.set(claimed.deliveryId, {
      beganAt: now,
      leasedUntil: now + this.options.leaseMs,
      shown: false,
    });
    const ended = this.deps.window.attemptBegan(claimed.deliveryId, claimed);
    this.deps.pace.starting(claimed.endpointId);
    this.toBegin.push(() => void this.run(claimed, ended));
    if (this.toBegin.length === 1) setImmediate(() => this.beginNext());
  }

  private beginNext(): void {
    for (const begin of this.toBegin.splice(0, BEGUN_AT_ONCE)) begin();
    if (this.toBegin.length > 0) setImmediate(() => this.beginNext());
  }

  /** Waits for what is under way and hands back what takes longer than `graceMs` milliseconds. */
  async stop(graceMs: number): Promise<void> {
    const grace = setTimeout(() => this.stopping.abort(new Error('the worker stops')), graceMs);
    if (this.underWay.size > 0) await new Promise<void>((resolve) => (this.onIdle = resolve));
    clearTimeout(grace);
    clearInterval(this.timer);
    await this.keeping;
  }

  /** Never rejects. */
  private async run(claimed: ClaimedAttempt, ended: () => void): Promise<void> {
    try {
      await (isReady(claimed) ? this.attempt(claimed) : this.withoutAttempt(claimed));
    } catch (error) {
      if (!this.stopping.signal.aborted)
        this.deps.attempt.logger.warn(
          { err: error, delivery_id: claimed.deliveryId },
          'an attempt was not made, through no fault of its endpoint; trying again',
        );
      await this.handBack(claimed);
    } finally {
      ended();
      this.underWay.delete(claimed.deliveryId);
      if (this.underWay.size === 0) this.onIdle();
    }
  }

  private async attempt(claimed: ClaimedAttempt & ReadyDelivery): Promise<void> {
    const { deps } = this;
    const place = {
      attemptNumber: claimed.attemptCount + 1,
      scheduleStep: claimed.scheduleStep,
      trigger: claimed.trigger,
    };
    const timed = deps.pace.attemptBegan(claimed.endpointId);
    let made: MadeAttempt | undefined;
    try {
      made = await makeAttempt(deps.attempt, claimed, place, this.stopping.signal);
    } finally {
      timed(made?.attempt.outcome.durationMs);
    }
    this.lastDispatchAt = new Date();
    await deps.recorder.record({ ...made, delivery: { ...claimed, inOutbox: true, lane: 'express' } });
    tellOfAttempt(deps.attempt, claimed, made.attempt, 'express');
    if (made.attempt.decision.next === 'retry') deps.onFailed();
  }

  /** Something has changed between the claim's look at the outbox and that at the rest. */
  private async withoutAttempt(claimed: ClaimedAttempt): Promise<void> {
    const { attempts, outbox } = this.deps;
    const { deliveryId, scheduleStep, trigger, endpoint, payload } = claimed;
    if (endpoint === null || payload === null) {
      await attempts.cancel(deliveryId);
      await outbox.acknowledge(this.options.workerId, [deliveryId]);
    } else if (trigger !== 'test') await attempts.handBack(claimed, scheduleStep, { trigger });
  }

  private async handBack({ deliveryId }: ClaimedAttempt): Promise<void> {
    const delayMs = this.stopping.signal.aborted ? 0 : RETRY_OWN_FAULT_MS;
    await this.deps.outbox
      .release(this.options.workerId, [deliveryId], delayMs)
      .catch((error: unknown) =>
        this.deps.attempt.logger.warn({ err: error }, 'cannot hand back a delivery; its lease will end'),
      );
  }

  private lookAfter(): void {
    this.keeping ??= this.keepAndShow()
      .catch((error: unknown) =>
        this.deps.attempt.logger.warn({ err: error }, 'cannot keep the leases of attempts; trying again'),
      )
      .finally(() => (this.keeping = undefined));
  }

  private async keepAndShow(): Promise<void> {
    const { workerId, leaseMs, showAfterMs = SHOW_AFTER_MS } = this.options;
    const now = performance.now();
    const toShow: string[] = [];
    const toKeep: string[] = [];
    for (const [deliveryId, attempt] of this.underWay) {
      if (!attempt.shown && now - attempt.beganAt >= showAfterMs) toShow.push(deliveryId);
      if (attempt.leasedUntil - now < leaseMs / 2) toKeep.push(deliveryId);
    }
    if (toKeep.length > 0) {
      await this.deps.outbox.keep(workerId, toKeep, leaseMs);
      this.note(toKeep, { leasedUntil: now + leaseMs });
    }
    if (toShow.length > 0) {
      await this.deps.attempts.showUnderWay(toShow, 'express');
      this.note(toShow, { shown: true });
    }
  }

  private note(deliveryIds: readonly string[], news: Partial<UnderWay>): void {
    for (const id of deliveryIds) {
      const attempt = this.underWay.get(id);
      if (attempt !== undefined) Object.assign(attempt, news);
    }
  }
}

function isReady(claimed: ClaimedAttempt): claimed is ClaimedAttempt & ReadyDelivery {
  return claimed.endpoint?.status === 'enabled' && claimed.payload !== null;
}
