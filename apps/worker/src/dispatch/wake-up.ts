/** What a wake-up is about, if it names that; nothing: anything may have changed. */
type About<Named> = readonly Named[];

/** A wait that can be cut short. Wake-ups that come while nobody waits are kept for the next wait. */
export class WakeUp<Named = never> {
  private pending: About<Named> | undefined;
  private resolve: (() => void) | undefined;

  /** @param about all that has changed, where it is known */
  wake(about: About<Named> = []): void {
    const both = this.pending === undefined || about.length === 0 ? about : [...this.pending, ...about];
    this.pending = this.pending?.length === 0 ? this.pending : both;
    this.resolve?.();
  }

  /**
   * Resolves after `ms` milliseconds or at the next wake-up, whichever comes first.
   * @returns all that has changed, where it is known
   */
  async wait(ms: number): Promise<About<Named>> {
    if (this.pending === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.resolve = undefined;
    }
    const about = this.pending ?? [];
    this.pending = undefined;
    return about;
  }
}
