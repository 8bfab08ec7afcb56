import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { ReplayStatus, ReplayWish } from '@hookstream/domain';

/** Started with the replay's public id (`rpl_…`) as workflow id. What it is about stands in Postgres. */
export interface ReplayWorkflowInput {
  replayId: string;
  /** Carried over when a long history is continued as a new run; starters leave it out. */
  progress?: ReplayProgress;
  /** Steps after which a run continues as a new one; starters leave it out. */
  stepsPerRun?: number;
}

export interface ReplayProgress {
  status: ReplayStatus;
  /** Deliveries that it is about, as far as they are counted. */
  total: number;
  /** Deliveries that were queued again. */
  done: number;
  /** Deliveries that it met and that cannot go out again. */
  failed: number;
}

/** What one step has come to. Small: it is stored in the history. */
export interface ReplayStep {
  progress: ReplayProgress;
  /** Too many of the tenant's replayed deliveries wait to go out: nothing was queued, and room has to be waited for. */
  full: boolean;
}

/** Of `replayWorkflow`. Each reads where the replay stands from its row and moves it in the same transaction, so a step that is repeated goes on and repeats nothing. */
export interface ReplayActivities {
  /** Counts a bounded part of what it is about. Does nothing unless the replay is counting. */
  countReplay(input: { replayId: string }): Promise<ReplayStep>;
  /** Queues one page. Does nothing unless the replay is running. */
  replayPage(input: { replayId: string }): Promise<ReplayStep>;
  /** Brings a wish into the row, where whoever had it may have done so before. A replay that has ended stays as it is. */
  changeReplay(input: { replayId: string; wish: ReplayWish }): Promise<ReplayStep>;
}

export const replayProgress = defineQuery<ReplayProgress>('replayProgress');
export const pauseReplay = defineSignal('pauseReplay');
export const resumeReplay = defineSignal('resumeReplay');
/** What is queued goes out all the same. */
export const cancelReplay = defineSignal('cancelReplay');
