import type {
  ReplayActivities,
  ReplayProgress,
  ReplayStep,
  ReplayWorkflowInput,
} from '@hookstream/contracts';
import { ENDED_REPLAY_STATUSES, type ReplayWish } from '@hookstream/domain';
import {
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';

/**
 * - startToClose: a step reads a bounded number of rows and is done in a second. A killed worker's is missed only at the end of this
 *   time; one that is merely slow has the row locked, and whoever repeats it waits for that.
 * - retry: without end, because a replay waits for a database that is away, as deliveries do.
 */
const { countReplay, replayPage, changeReplay } = proxyActivities<ReplayActivities>({
  startToCloseTimeout: '10 s',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '30 s' },
});

/** A step and its wait are 17 events at most, so that a run stays far below the 10,240 at which Temporal warns. */
const STEPS_PER_RUN = 200;
/** Waits for room: short while deliveries flow, so that they go on flowing; long where they do not. Milliseconds. */
const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 15_000;
/** A signal ends a pause at once; this is for one that was lost. */
const PAUSED_LOOK = '10 minutes';

/** The state of one run of a replay and the steps it takes. */
export class ReplayRun {
  progress: ReplayProgress;
  private readonly wishes: ReplayWish[] = [];
  private waitMs = FIRST_WAIT_MS;
  private steps = 0;

  constructor(
    private readonly input: ReplayWorkflowInput,
    private readonly cancelledInTemporal: () => boolean,
  ) {
    this.progress = input.progress ?? { status: 'counting', total: 0, done: 0, failed: 0 };
  }

  wish(wish: ReplayWish): void {
    this.wishes.push(wish);
  }

  async untilEnd(): Promise<ReplayProgress> {
    for (;;) {
      const { full } = await this.step();
      if (ENDED_REPLAY_STATUSES.includes(this.progress.status)) return this.progress;
      if (this.progress.status === 'paused') await condition(() => this.isWanted, PAUSED_LOOK);
      else if (full) await this.waitForRoom();
      else this.waitMs = FIRST_WAIT_MS;
      await this.continueAsNewIfLong();
    }
  }

  private async step(): Promise<ReplayStep> {
    const step = await this.nextStep({ replayId: this.input.replayId });
    this.steps += 1;
    this.progress = step.progress;
    setCurrentDetails(tell(step));
    return step;
  }

  private nextStep(replay: { replayId: string }): Promise<ReplayStep> {
    const wish = this.cancelledInTemporal() ? 'cancel' : this.wishes.shift();
    if (wish !== undefined) return changeReplay({ ...replay, wish });
    return this.progress.status === 'counting' ? countReplay(replay) : replayPage(replay);
  }

  private async waitForRoom(): Promise<void> {
    await condition(() => this.isWanted, this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, MAX_WAIT_MS);
  }

  private get isWanted(): boolean {
    return this.wishes.length > 0 || this.cancelledInTemporal();
  }

  /** Between steps nothing but the progress is alive. A wish is met first: it would be lost. */
  private async continueAsNewIfLong(): Promise<void> {
    const { stepsPerRun = STEPS_PER_RUN } = this.input;
    if (this.isWanted || (this.steps < stepsPerRun && !workflowInfo().continueAsNewSuggested)) return;
    await continueAsNew<(input: ReplayWorkflowInput) => Promise<ReplayProgress>>({
      ...this.input,
      progress: this.progress,
    });
  }
}

/** One line for the Web UI. */
function tell({ progress: { status, total, done, failed }, full }: ReplayStep): string {
  if (status === 'counting') return `counting: ${total} so far`;
  const failures = failed === 0 ? '' : `, ${failed} cannot go out again`;
  return `${status}: ${done} of ${total} queued${failures}${full ? '; waiting until some of them have gone out' : ''}`;
}
