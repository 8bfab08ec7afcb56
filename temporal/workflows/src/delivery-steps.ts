import type { DeliveryActivities } from '@hookstream/contracts';
import { proxyLocalActivities, rootCause, type LocalActivityOptions } from '@temporalio/workflow';

/**
 * Only our own failures (database away, egress proxy away) reach this policy; a receiver's are results.
 * - startToClose: an attempt takes a minute at most, but recording it waits inside the activity for a database
 *   that is away, because trying again from here would send the request a second time.
 * - retry: quick at first for a blip, then gentle on what is coming back. The bound is not an end: the run
 *   tries again, and between two such rounds it can continue as new, so that an outage of days does not fill
 *   the history.
 */
const OPTIONS: LocalActivityOptions = {
  startToCloseTimeout: '10 minutes',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '10 s', maximumAttempts: 60 },
};

const activities = proxyLocalActivities<DeliveryActivities>(OPTIONS);

/** A step has not come to a result, through no fault of the receiver's. */
export class OwnFailure extends Error {}

/** @param summary one line for the Web UI */
export function attemptDelivery(
  input: Parameters<DeliveryActivities['attemptDelivery']>[0],
  summary: string,
): ReturnType<DeliveryActivities['attemptDelivery']> {
  return ours(activities.attemptDelivery.executeWithOptions({ ...OPTIONS, summary }, [input]));
}

export function cancelDelivery(
  input: Parameters<DeliveryActivities['cancelDelivery']>[0],
): ReturnType<DeliveryActivities['cancelDelivery']> {
  return ours(activities.cancelDelivery(input));
}

/** Named here, because a local activity's failure may reach the workflow bare, without an `ActivityFailure` around it. */
async function ours<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw new OwnFailure(rootCause(error) ?? 'unknown', { cause: error });
  }
}
