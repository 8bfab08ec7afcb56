const CANCELLED_IN_TEMPORAL = 'cancelled in Temporal';

/** What people have asked of a delivery and its steps have not taken up yet. */
export class DeliveryWishes {
  private retry = false;
  private replayed = false;
  private cancelled: string | undefined;
  private inSchedule = false;
  /** How many replays have been asked for, those taken up included. */
  replaysAsked = 0;

  /** @param cancelledInTemporal a cancellation of the workflow itself: counts like `cancel` and is never taken back */
  constructor(private readonly cancelledInTemporal: () => boolean) {}

  /** Means the wait it finds; without one there is nothing to hasten. */
  retryNow(): void {
    if (this.inSchedule) this.retry = true;
  }

  /** Of a replay and a cancel that meet, the later counts. */
  replay(): void {
    this.replaysAsked += 1;
    this.replayed = true;
    this.cancelled = undefined;
  }

  /** The attempt meant to meet the wish to replay has not: it stands, unless a cancel came since. */
  replayStill(): void {
    this.replayed = this.cancelled === undefined;
  }

  cancel(reason: string): void {
    this.cancelled = reason;
    this.replayed = false;
  }

  /** Runs a wait of the schedule, the only time at which `retryNow` has a meaning. */
  async inWait<T>(wait: () => Promise<T>): Promise<T> {
    this.inSchedule = true;
    try {
      return await wait();
    } finally {
      this.inSchedule = false;
    }
  }

  get cancelReason(): string | undefined {
    return this.cancelled ?? (this.cancelledInTemporal() ? CANCELLED_IN_TEMPORAL : undefined);
  }

  get replayWanted(): boolean {
    return this.replayed && !this.cancelledInTemporal();
  }

  get any(): boolean {
    return this.retry || this.replayWanted || this.cancelReason !== undefined;
  }

  /** What the next attempt is due to, if not to the schedule. Each wish is met once. */
  takeUp(): 'replay' | 'retry_now' | undefined {
    const wish = this.replayWanted ? 'replay' : this.retry ? 'retry_now' : undefined;
    this.replayed = this.retry = false;
    return wish;
  }
}
