/** What has changed since the last wait. */
export interface News<Named> {
  /** Something new waits, there. */
  named: readonly Named[];
  /** Something may wait that nobody named. */
  unnamed: boolean;
  /** There is room for what waited before. */
  room: boolean;
}

/** A wait that can be cut short. Wake-ups that come while nobody waits are kept for the next wait. */
export class WakeUp<Named = never> {
  private news = this.none();
  private resolve: (() => void) | undefined;

  /** @param named where something new waits, if that is known; nothing: anywhere */
  wake(named: readonly Named[] = []): void {
    if (named.length === 0) this.news.unnamed = true;
    else this.news.named.push(...named);
    this.resolve?.();
  }

  wakeForRoom(): void {
    this.news.room = true;
    this.resolve?.();
  }

  /** Resolves after `ms` milliseconds or at the next wake-up, whichever comes first. */
  async wait(ms: number): Promise<News<Named>> {
    const { named, unnamed, room } = this.news;
    if (named.length === 0 && !unnamed && !room) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.resolve = undefined;
    }
    const { news } = this;
    this.news = this.none();
    return news;
  }

  private none(): News<Named> & { named: Named[] } {
    return { named: [], unnamed: false, room: false };
  }
}
