import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

/**
 * One timer of a run, named for the Web UI. A run that is woken often asks for the same wake-up again and again, a little later each
 * time: the timer under way is kept then and fires early, which costs one more look instead of two events a signal.
 */
export class WakeTimer {
  private current: { at: number; summary: string; scope: CancellationScope } | undefined;
  private hasFired = false;

  /** Whether it went off since it was asked last. */
  takeFired(): boolean {
    const fired = this.hasFired;
    this.hasFired = false;
    return fired;
  }

  get fired(): boolean {
    return this.hasFired;
  }

  /** @param at unix milliseconds */
  set(at: number, summary: string): void {
    if (this.current && this.current.summary === summary && this.current.at <= at) return;
    this.clear();
    const scope = new CancellationScope();
    const timer = { at, summary, scope };
    this.current = timer;
    void this.run(timer);
  }

  clear(): void {
    this.current?.scope.cancel();
    this.current = undefined;
  }

  private async run(timer: { at: number; summary: string; scope: CancellationScope }): Promise<void> {
    try {
      await timer.scope.run(() => sleep(Math.max(1, timer.at - Date.now()), { summary: timer.summary }));
      if (this.current === timer) this.current = undefined;
      this.hasFired = true;
    } catch (error) {
      if (!isCancellation(error)) throw error;
    }
  }
}
