import type { DeliveryActivities } from '@hookstream/contracts';
import type { DispatchWindow } from './dispatch-window.js';
import type { EndpointPace } from './endpoint-pace.js';

/** What the dispatcher goes by. */
export interface AttemptWatch {
  window: DispatchWindow;
  pace: EndpointPace;
}

/** Lets the dispatcher see which attempts this process is making, and how long they take. */
export function watchedActivities(
  activities: DeliveryActivities,
  { window, pace }: AttemptWatch,
): DeliveryActivities {
  return {
    ...activities,
    async attemptDelivery(input) {
      const { deliveryId, tenantId = '', endpointId = '' } = input;
      const ended = window.attemptBegan(deliveryId, { tenantId, endpointId });
      const timed = pace.attemptBegan(endpointId);
      let answerMs: number | undefined;
      try {
        const result = await activities.attemptDelivery(input);
        if (result.kind === 'attempted') answerMs = result.outcome.durationMs;
        return result;
      } finally {
        // first: the dispatcher that is woken asks for the pace
        timed(answerMs);
        ended();
      }
    },
  };
}
