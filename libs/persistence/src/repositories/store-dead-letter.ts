import type pg from 'pg';
import { idToUuid, isOperationalEventType } from '@hookstream/domain';
import { inTransaction } from '../database.js';
import { endingItsTurn } from '../dispatch/order-turns.js';
import { acceptOperationalEvents, type OperationalEvent } from './operational-events.js';
import {
  disableGone,
  GONE_REASON,
  storeAttempts,
  type AttemptRecord,
  type MadeAttempt,
  type RecordedDelivery,
  type StoredDelivery,
} from './store-attempts.sql.js';

/**
 * Stores an attempt that is the last of its delivery: after a 410 with its endpoint, which is disabled, and with the operational events
 * about it, all in one transaction. What becomes of an operational event is told to nobody: such news would go round in circles.
 */
export function storeDeadLetter(pool: pg.Pool, made: MadeAttempt): Promise<void> {
  const { delivery, attempt } = made;
  const { decision } = attempt;
  if (decision.next !== 'dead_letter') throw new Error(`${delivery.deliveryId} is not at its end`);
  return inTransaction(pool, async (client) => {
    const disabled = decision.reason === 'gone' && (await disableGone(client, delivery));
    const store = async () => (await storeAttempts(client, [made])).get(delivery.deliveryId);
    const stored = await (delivery.inOrder === true
      ? endingItsTurn(client, idToUuid('delivery', delivery.deliveryId), store)
      : store());
    if (stored === undefined || isOperationalEventType(stored.eventType)) return;
    const events: OperationalEvent[] = [];
    if (stored.status === 'dead_letter')
      events.push(deadLettered(delivery, attempt, decision.reason, stored));
    if (disabled) {
      const data = { endpoint_id: delivery.endpointId, reason: GONE_REASON, failing_since: null };
      events.push({ type: 'endpoint.disabled', data });
    }
    await acceptOperationalEvents(client, delivery, events);
  });
}

function deadLettered(
  delivery: RecordedDelivery,
  attempt: AttemptRecord,
  reason: string,
  { eventId, eventType }: StoredDelivery,
): OperationalEvent {
  return {
    type: 'delivery.dead_lettered',
    data: {
      delivery_id: delivery.deliveryId,
      endpoint_id: delivery.endpointId,
      event_id: eventId,
      event_type: eventType,
      attempts: attempt.number,
      reason,
      last_outcome: attempt.outcome.kind,
      last_status_code: attempt.outcome.statusCode ?? null,
    },
  };
}
