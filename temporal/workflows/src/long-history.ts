import { workflowInfo } from '@temporalio/workflow';

/**
 * Events after which a run continues as new. Sooner than the server suggests it: a few values are all there is to carry over, and a
 * worker that is short of CPU must be able to replay the run within the five seconds after which the SDK cuts it off.
 */
const LONG_HISTORY = 1_000;

export function isHistoryLong(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > LONG_HISTORY;
}
