import { WORKER_STOPPING, type DeliveryActivities } from '@hookstream/contracts';
import type { Duration } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  proxyLocalActivities,
  rootCause,
  TemporalFailure,
  type LocalActivityOptions,
} from '@temporalio/workflow';

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

export const { cancelDelivery } = activities;

/** Lets what fails at once rest between two rounds of the activity's own retries. */
const PAUSE_BETWEEN_ROUNDS = '10 s';
/** Ends the task of a worker that stops, so that the next step is another worker's. */
const PAUSE_FOR_ANOTHER_WORKER = '500 ms';

/** A step has not come to a result, through no fault of the receiver's. */
export interface OwnFailure {
  message: string;
  /** How long to wait before the step is taken again. */
  pause: Duration;
}

/**
 * What the failure of an activity of ours is. It may reach the workflow bare, without an `ActivityFailure` around it.
 * @throws everything else: that is a fault in this code
 */
export function ownFailure(error: unknown): OwnFailure {
  if (!(error instanceof TemporalFailure)) throw error;
  return {
    message: rootCause(error) ?? 'unknown',
    pause: isWorkerStopping(error) ? PAUSE_FOR_ANOTHER_WORKER : PAUSE_BETWEEN_ROUNDS,
  };
}

function isWorkerStopping(error: unknown): boolean {
  const failure = error instanceof ActivityFailure ? error.cause : error;
  return failure instanceof ApplicationFailure && failure.type === WORKER_STOPPING;
}

/** @param summary one line for the Web UI */
export function attemptDelivery(
  input: Parameters<DeliveryActivities['attemptDelivery']>[0],
  summary: string,
): ReturnType<DeliveryActivities['attemptDelivery']> {
  return activities.attemptDelivery.executeWithOptions({ ...OPTIONS, summary }, [input]);
}
