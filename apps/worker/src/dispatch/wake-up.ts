/** What has changed since the last wait. */
export interface News<Named> {
  named: readonly Named[];
  /** Something may have that nobody named. */
  unnamed: boolean;
}

/** A wait that can be cut short. Wake-ups that come while nobody waits are kept for the next wait. */
export class WakeUp<Named = never> {
  private named: Named[] = [];
  private unnamed = false;
  private resolve: (() => void) | undefined;

  /** @param named all that has changed, where it is known; nothing: anything may have */
  wake(named: readonly Named[] = []): void {
    if (named.length === 0) this.unnamed = true;
    else this.named.push(...named);
    this.resolve?.();
  }

  /** Resolves after `ms` milliseconds or at the next wake-up, whichever comes first. */
  async wait(ms: number): Promise<News<Named>> {
    if (!this.unnamed && this.named.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.resolve = undefined;
    }
    const news = { named: this.named, unnamed: this.unnamed };
    this.named = [];
    this.unnamed = false;
    return news;
  }
}
