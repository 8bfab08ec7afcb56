import type { DeliveryWorkflowInput } from '@hookstream/contracts';
import { DAY_MS, newId } from '@hookstream/domain';

/** Input of a first run of a delivery in the durable lane, with ids of its own. */
export function makeDeliveryInput(overrides: Partial<DeliveryWorkflowInput> = {}): DeliveryWorkflowInput {
  return {
    deliveryId: newId('delivery'),
    tenantId: newId('tenant'),
    endpointId: newId('endpoint'),
    eventId: newId('event'),
    eventType: 'order.paid',
    endpointHost: 'api.example.com',
    lane: 'durable',
    attemptsMade: 0,
    scheduleStep: 0,
    trigger: 'schedule',
    expiresAt: Date.now() + 30 * DAY_MS,
    ...overrides,
  };
}

/** Body of `POST /endpoints`. */
export function makeEndpointBody(
  url: string,
  overrides: Record<string, unknown> = {},
): Record<string, unknown> {
  return { url, ...overrides };
}

/** Body of `POST /events`. */
export function makeEventBody(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return { type: 'order.paid', data: { order_id: 'o-1', amount: 4_200 }, ...overrides };
}
