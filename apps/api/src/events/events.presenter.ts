import { DomainError } from '@hookstream/domain';
import type { AcceptResult, DeliveryRecord, EventRecord, EventWithPayload } from '@hookstream/persistence';
import { presentDelivery } from '../deliveries/deliveries.presenter.js';
import type { AcceptedEventAnswer, EventAnswer } from './dto/event.dto.js';

export function presentEvent(event: EventRecord): EventAnswer {
  return {
    id: event.id,
    type: event.type,
    created_at: event.createdAt.toISOString(),
    deliver_at: event.deliverAt?.toISOString() ?? null,
    schema_errors: event.schemaErrors,
  };
}

/** JSON text: the payload goes in as it is stored, because parsing it would round its large numbers. */
export function presentEventDetail(event: EventWithPayload, deliveries: DeliveryRecord[]): string {
  const rest = JSON.stringify({ ...presentEvent(event), deliveries: deliveries.map(presentDelivery) });
  return `${rest.slice(0, -1)},"payload":${event.payload}}`;
}

/**
 * @param endpointIds as the caller named them
 * @throws DomainError where the event was not accepted
 */
export function presentAccepted(
  result: AcceptResult,
  endpointIds: readonly string[] = [],
): AcceptedEventAnswer {
  switch (result.kind) {
    case 'accepted':
    case 'replayed': {
      const { id, type, createdAt, deliveries, schemaErrors } = result.event;
      return {
        ...{ id, type, created_at: createdAt, deliveries, idempotent_replay: result.kind === 'replayed' },
        ...(schemaErrors === undefined ? {} : { schema_errors: [...schemaErrors] }),
      };
    }
    case 'idempotency_conflict':
      throw new DomainError('idempotency_conflict', 'This Idempotency-Key was used for a different request.');
    case 'schema_violated':
      throw new DomainError(
        'schema_violated',
        'The schema of its type does not allow this event.',
        result.errors,
      );
    case 'unknown_endpoints':
      throw new DomainError(
        'validation_failed',
        'Some endpoints do not exist.',
        result.endpointIds.map((id) => ({
          field: `endpoint_ids.${endpointIds.indexOf(id)}`,
          message: `there is no endpoint ${id}`,
        })),
      );
  }
}
