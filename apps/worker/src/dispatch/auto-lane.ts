import type { WaitingFor } from '@hookstream/persistence';

export interface AutoLaneOptions {
  /** A delivery that could go and has waited longer than this, in milliseconds, means that Temporal does not keep up. */
  maxLagMs: number;
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
  /** The other lane is to take what waits. */
  onChange: () => void;
}

interface Queue {
  /** Since when its first could go, as far as was seen; undefined: it could not. */
  readySince: number | undefined;
  seenAt: number;
}

/** The lag is gone when nothing waits longer than this part of the bound. */
const GONE = 1 / 5;
/** How long the lag has to be gone at first; it doubles where the lag comes back at once. */
const FIRST_HOLD_MS = 1_000;
const MAX_HOLD_MS = 60_000;
/** How much more than it managed the durable lane is thought to manage each time that it is not tried for it. */
const TRUST = 1.5;
/** How long it leaves a Temporal alone that took nothing: each start in vain keeps a delivery for seconds. */
const AWAY_HOLD_MS = 15_000;

/**
 * Which lane the deliveries of `auto` take in this worker: the durable one, until one that could go has waited too long, then the express
 * one until the lag is gone and stays gone, and no more comes than the durable one managed when it fell behind. Where that falls behind again as
 * soon as it is tried, it is tried less often.
 */
export class AutoLane {
  private readonly queues = new Map<string, Queue>();
  private observedAt: number;
  private lane: 'durable' | 'express' = 'durable';
  /** When something waited too long, too much came, or Temporal was away, last. */
  private laggedAt = -Infinity;
  private leftExpressAt = -Infinity;
  private holdMs = FIRST_HOLD_MS;
  /** What the lane has taken since then: the durable one while something waited for it. */
  private taken = 0;
  private takenSince: number;
  /** Deliveries in a millisecond that the durable lane took while it fell behind; undefined: not known. */
  private managed: number | undefined;

  constructor(private readonly options: AutoLaneOptions) {
    this.observedAt = this.takenSince = options.now();
  }

  /** Which lane to take what waits by now. */
  current(): 'durable' | 'express' {
    const now = this.options.now();
    if (this.lane === 'express' && now - this.laggedAt >= this.holdMs) {
      if (this.managed !== undefined && this.takenPerMs(now) > this.managed) {
        this.managed *= TRUST;
        this.laggedAt = now;
      } else this.toDurable(now);
      this.countFrom(now);
    }
    return this.lane;
  }

  /** So many were taken that either lane may have. */
  took(lane: 'durable' | 'express', count: number): void {
    if (lane === this.lane) this.taken += count;
  }

  /** What a look at the queues has found. One that could not go before waits since it can. */
  observe(waiting: readonly WaitingFor[]): void {
    const now = this.options.now();
    const { maxLagMs } = this.options;
    let lagMs = 0;
    for (const { endpointId, waitingMs } of waiting) {
      const readySince = waitingMs > 0 ? this.readySince(endpointId, now, waitingMs) : undefined;
      this.queues.set(endpointId, { readySince, seenAt: now });
      if (readySince !== undefined) lagMs = Math.max(lagMs, Math.min(waitingMs, now - readySince));
    }
    for (const [endpointId, { seenAt }] of this.queues)
      if (now - seenAt > 2 * maxLagMs) this.queues.delete(endpointId);
    this.observedAt = now;
    if (lagMs > maxLagMs) this.toExpress();
    else if (lagMs > maxLagMs * GONE) {
      if (this.lane === 'express') this.laggedAt = now;
    } else if (this.lane === 'durable') this.countFrom(now);
  }

  /** Temporal takes no deliveries. */
  temporalAway(): void {
    this.toExpress();
    this.holdMs = Math.max(this.holdMs, AWAY_HOLD_MS);
    this.managed = undefined;
  }

  private readySince(endpointId: string, now: number, waitingMs: number): number {
    const known = this.queues.get(endpointId);
    // not seen waiting before: it cannot have waited longer than since the last look
    if (known === undefined) return now - Math.min(waitingMs, now - this.observedAt);
    return known.readySince ?? now;
  }

  private toExpress(): void {
    const now = this.options.now();
    this.laggedAt = now;
    if (this.lane === 'express') return;
    const backAtOnce = now - this.leftExpressAt < this.holdMs;
    this.holdMs = backAtOnce ? Math.min(this.holdMs * 2, MAX_HOLD_MS) : FIRST_HOLD_MS;
    this.lane = 'express';
    // one at least: what is nothing stays nothing, however often it is trusted with more
    this.taken = Math.max(1, this.taken);
    this.managed = this.takenPerMs(now);
    this.countFrom(now);
    this.options.onChange();
  }

  private toDurable(now: number): void {
    this.lane = 'durable';
    this.leftExpressAt = now;
    this.queues.clear();
    this.observedAt = now;
    this.options.onChange();
  }

  private takenPerMs(now: number): number {
    return this.taken / Math.max(1, now - this.takenSince);
  }

  private countFrom(now: number): void {
    this.taken = 0;
    this.takenSince = now;
  }
}
