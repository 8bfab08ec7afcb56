/** Looks at once, for what a crash or a restore has left, and again and again, one look after the other. */
export class RegularLook {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  /** @param look never rejects */
  constructor(
    private readonly look: () => Promise<void>,
    private readonly everyMs: number,
  ) {}

  start(): void {
    const look = (): void => {
      this.running = this.running.then(() => this.look());
    };
    look();
    this.timer = setInterval(look, this.everyMs);
    this.timer.unref();
  }

  /** Resolves when no look is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }
}
