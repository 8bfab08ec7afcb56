import {
  cancelReplay,
  pauseReplay,
  replayProgress,
  resumeReplay,
  type ReplayProgress,
  type ReplayWorkflowInput,
} from '@hookstream/contracts';
import { CancellationScope, setHandler } from '@temporalio/workflow';
import { ReplayRun } from './replay-run.js';
import { at, takeSignalsInOrder } from './signal-order.js';

/**
 * One replay of many deliveries: counts what it is about, then queues it page by page as fast as what is queued goes out.
 * Decides only when; what is next stands in Postgres, and what is queued goes out by the dispatchers' rules.
 */
export async function replayWorkflow(input: ReplayWorkflowInput): Promise<ReplayProgress> {
  const root = CancellationScope.current();
  const run = new ReplayRun(input, () => root.consideredCancelled);
  setHandler(replayProgress, () => run.progress);
  takeSignalsInOrder([
    at(pauseReplay, () => run.wish('pause')),
    at(resumeReplay, () => run.wish('resume')),
    at(cancelReplay, () => run.wish('cancel')),
  ]);
  // A cancellation from Temporal is a wish like the signal: its row has to say so before the workflow ends.
  return CancellationScope.nonCancellable(() => run.untilEnd());
}
