import type { DeliveryWorkflowInput } from '@hookstream/contracts';
import type { AttemptTrigger } from '@hookstream/domain';
import type { DeliveryStart } from '@hookstream/persistence';

/** What a run of the delivery's workflow starts with, at the beginning of its schedule. */
export function deliveryInput(
  start: DeliveryStart,
  trigger: AttemptTrigger,
  retentionMs: number,
): DeliveryWorkflowInput {
  return {
    deliveryId: start.deliveryId,
    tenantId: start.tenantId,
    endpointId: start.endpointId,
    eventId: start.eventId,
    eventType: start.eventType,
    endpointHost: new URL(start.endpointUrl).host,
    lane: start.lane,
    attemptsMade: start.attemptsMade,
    scheduleStep: 0,
    trigger,
    expiresAt: start.createdAt.getTime() + retentionMs,
  };
}
