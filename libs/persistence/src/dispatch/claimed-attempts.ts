import {
  uuidToId,
  type CircuitPolicy,
  type CircuitState,
  type EndpointStatus,
  type RetryPolicy,
  type SignaturePolicy,
} from '@hookstream/domain';
import type { LoadedDelivery, LoadedEndpoint } from '../repositories/attempts.repository.js';
import type { TakenRow } from './claim-rows.js';

/** A delivery that this worker may attempt until its lease ends, with all that the attempt needs. */
export interface ClaimedAttempt extends LoadedDelivery {
  scheduleStep: number;
  trigger: TakenRow['trigger'];
}

/** An endpoint as an attempt needs it, as two statements select it. */
export interface EndpointColumns {
  url: string;
  endpoint_status: EndpointStatus;
  timeout_ms: number;
  retry: RetryPolicy;
  signature: SignaturePolicy;
  circuit: CircuitPolicy;
  circuit_state: CircuitState;
  circuit_turn: number;
  failing_since: Date | null;
  recovering: boolean;
  headers: Buffer | null;
  secrets: Buffer[] | null;
}

/** One row taken for an attempt. What belongs to its endpoint is there in the first row of each only. */
export interface TakenToAttempt extends TakenRow, EndpointColumns {
  is_first: boolean;
  /** The tenant, also where the delivery is gone. */
  owner_id: string;
  endpoint_deleted: boolean;
  in_order: boolean;
  payload: string | null;
  traceparent: string | null;
  due_at_ms: number;
  held_until_ms: number;
}

interface Owner {
  tenantId: string;
  endpointId: string;
  endpoint: LoadedEndpoint | null;
}

/** @param over rows that are left out */
export function toClaimedAttempts<Row extends TakenToAttempt>(
  rows: readonly Row[],
  over: (row: Row) => boolean = () => false,
): ClaimedAttempt[] {
  const owners = new Map<string, Owner>();
  for (const row of rows) if (row.is_first) owners.set(row.endpoint_id, toOwner(row));
  return rows.filter((row) => !over(row)).map((row) => toAttempt(row, owners.get(row.endpoint_id) as Owner));
}

function toAttempt(row: TakenToAttempt, owner: Owner): ClaimedAttempt {
  return {
    deliveryId: uuidToId('delivery', row.delivery_id as string),
    tenantId: owner.tenantId,
    endpointId: owner.endpointId,
    eventId: uuidToId('event', row.event_id),
    eventType: row.event_type,
    traceparent: row.traceparent,
    status: row.status,
    attemptCount: row.attempt_count,
    dueAt: new Date(row.due_at_ms),
    heldUntil: new Date(row.held_until_ms),
    payload: row.payload,
    inOrder: row.in_order,
    begun: true,
    endpoint: owner.endpoint,
    scheduleStep: row.schedule_step,
    trigger: row.trigger,
  };
}

function toOwner(row: TakenToAttempt): Owner {
  return {
    tenantId: uuidToId('tenant', row.owner_id),
    endpointId: uuidToId('endpoint', row.endpoint_id),
    endpoint: row.endpoint_deleted ? null : toEndpoint(row),
  };
}

/** As it was when the row was read; secrets and headers are still encrypted. */
export function toEndpoint(row: EndpointColumns): LoadedEndpoint {
  return {
    url: row.url,
    status: row.endpoint_status,
    timeoutMs: row.timeout_ms,
    retry: row.retry,
    signature: row.signature,
    circuit: {
      state: row.circuit_state,
      turn: row.circuit_turn,
      failingSince: row.failing_since,
      recovering: row.recovering,
      failureThreshold: row.circuit.failure_threshold,
    },
    encryptedHeaders: row.headers,
    encryptedSecrets: row.secrets ?? [],
  };
}
