import {
  cancel,
  deliveryState,
  replay,
  retryNow,
  type DeliveryWorkflowInput,
  type DeliveryWorkflowResult,
} from '@hookstream/contracts';
import { CancellationScope, CancelledFailure, setHandler } from '@temporalio/workflow';
import { DeliveryRun } from './delivery-run.js';
import { DeliveryWishes } from './delivery-wishes.js';
import { at, takeSignalsInOrder } from './signal-order.js';

/**
 * One delivery: attempts until one succeeds or the schedule is used up, then a dead letter that waits for a
 * person. Decides only; attempting and recording is the activity's. A receiver's failure never fails it.
 */
export async function deliveryWorkflow(input: DeliveryWorkflowInput): Promise<DeliveryWorkflowResult> {
  const root = CancellationScope.current();
  const wishes = new DeliveryWishes(() => root.consideredCancelled);
  const run = new DeliveryRun(input, wishes);
  setHandler(deliveryState, () => run.state());
  takeSignalsInOrder([
    at(retryNow, () => wishes.retryNow()),
    at(replay, () => wishes.replay()),
    at(cancel, ({ reason }) => wishes.cancel(reason)),
  ]);

  // A cancellation from Temporal is a wish like the `cancel` signal: it must not tear down an attempt whose
  // request may have arrived already.
  const result = await CancellationScope.nonCancellable(() => run.untilEnd());
  if (result.status === 'cancelled' && root.consideredCancelled) {
    throw new CancelledFailure('The delivery was cancelled in Temporal');
  }
  return result;
}
