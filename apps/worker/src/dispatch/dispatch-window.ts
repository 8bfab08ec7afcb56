/**
 * How much this process may take on. Deliveries count as started from the start call until their first attempt
 * begins here, and then as attempts until it ends: so a backlog waits in the outbox, where any worker can take it,
 * and slow receivers hold back nothing but the attempts that they make slow.
 */
export class DispatchWindow {
  /** Delivery id → when it stops counting although its attempt never began here: another worker has it. Unix ms. */
  private readonly started = new Map<string, number>();
  private attempts = 0;

  constructor(
    private readonly options: {
      maxStarted: number;
      maxAttempts: number;
      /** Milliseconds after which a started delivery is taken to run elsewhere. */
      forgetAfterMs: number;
      now: () => number;
      /** Room was made. */
      onRoom: () => void;
    },
  ) {}

  room(): number {
    this.forget();
    return Math.max(
      0,
      Math.min(
        this.options.maxStarted - this.started.size,
        this.options.maxAttempts - this.attempts - this.started.size,
      ),
    );
  }

  starting(deliveryId: string): void {
    this.started.set(deliveryId, this.options.now() + this.options.forgetAfterMs);
  }

  /** The start failed, or another run of the delivery is open elsewhere. */
  notStarted(deliveryId: string): void {
    if (this.started.delete(deliveryId)) this.options.onRoom();
  }

  attemptBegan(deliveryId: string): void {
    this.attempts += 1;
    if (this.started.delete(deliveryId)) this.options.onRoom();
  }

  attemptEnded(): void {
    this.attempts -= 1;
    if (this.attempts + this.started.size < this.options.maxAttempts) this.options.onRoom();
  }

  get attemptsUnderWay(): number {
    return this.attempts;
  }

  private forget(): void {
    const now = this.options.now();
    for (const [deliveryId, until] of this.started) {
      if (until > now) return; // in insertion order: the rest is younger
      this.started.delete(deliveryId);
    }
  }
}
