import { Context } from '@temporalio/activity';
import type { DeliveryActivities } from '@hookstream/contracts';
import { attemptDelivery } from './attempt-delivery.activity.js';
import type { DeliveryActivityDeps } from './delivery-activity-deps.js';

export { attemptDelivery } from './attempt-delivery.activity.js';
export { createMaintenanceActivities, type MaintenanceActivityDeps } from './maintenance.activity.js';
export type {
  DeliveryActivityDeps,
  MessageSender,
  MessageSigner,
  OutgoingMessage,
} from './delivery-activity-deps.js';

/** The activities of `deliveryWorkflow`. An attempt ends without a record when its worker stops before it does. */
export function createDeliveryActivities(deps: DeliveryActivityDeps): DeliveryActivities {
  return {
    attemptDelivery: (input) => attemptDelivery(deps, input, Context.current().cancellationSignal),
    cancelDelivery: ({ deliveryId }) => deps.attempts.cancel(deliveryId),
  };
}
