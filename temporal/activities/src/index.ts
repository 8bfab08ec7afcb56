import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { WORKER_STOPPING, type DeliveryActivities } from '@hookstream/contracts';
import { attemptDelivery } from './attempt-delivery.activity.js';
import type { DeliveryActivityDeps } from './delivery-activity-deps.js';
import { eitherSignal } from './either-signal.js';

export { asyncLocalStorage as activityContext } from '@temporalio/activity';
export { attemptDelivery } from './attempt-delivery.activity.js';
export { AttemptRecorder } from './attempt-recorder.js';
export { makeAttempt, tellOfAttempt, type ReadyDelivery } from './make-attempt.js';
export { createEndpointActivities, type EndpointActivityDeps } from './circuit.activity.js';
export type { AttemptReport, AttemptReporter } from './attempt-report.js';
export { createMaintenanceActivities, type MaintenanceActivityDeps } from './maintenance.activity.js';
export { createReplayActivities, type ReplayActivityDeps } from './replay.activity.js';
export type {
  AttemptDeps,
  DeliveryActivityDeps,
  MessageSender,
  OutgoingMessage,
} from './delivery-activity-deps.js';

/**
 * The activities of `deliveryWorkflow`. An attempt ends without a record when `stopping` aborts before it is done: when this process
 * must end before its attempts have. They are made again elsewhere.
 */
export function createDeliveryActivities(
  deps: DeliveryActivityDeps & { stopping: AbortSignal },
): DeliveryActivities {
  return {
    attemptDelivery: async (input) => {
      const { signal, release } = eitherSignal(Context.current().cancellationSignal, deps.stopping);
      try {
        return await attemptDelivery(deps, input, signal);
      } catch (error) {
        if (!deps.stopping.aborted) throw error;
        // Not retryable: retries of a local activity are this worker's, which would wait for them before it ends.
        throw ApplicationFailure.nonRetryable(
          'the worker stopped before the attempt was done',
          WORKER_STOPPING,
        );
      } finally {
        release();
      }
    },
    cancelDelivery: ({ deliveryId }) => deps.attempts.cancel(deliveryId),
  };
}
