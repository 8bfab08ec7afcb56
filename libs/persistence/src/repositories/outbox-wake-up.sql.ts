import { uuidToId, type OutboxLane } from '@hookstream/domain';

/**
 * NOTIFY channel: something in the outbox may be claimable now. The payload is a comma list of lanes, and where these are few, of all queues
 * with what is new in each: see {@link readWakeUp}. Empty: any.
 */
export const OUTBOX_CHANNEL = 'hookstream_outbox';

/** Wakes the dispatchers when the transaction commits. */
export const WAKE_DISPATCHERS = `SELECT pg_notify('${OUTBOX_CHANNEL}', '')`;

/** More queues than this are not named: whoever is woken then looks at the outbox, which costs the same for many as for one. */
const MOST_NAMED = 8;

/**
 * The payload of a notification, of rows that are due.
 * @param rows an expression of rows with `lane`, `tenant_id` and `endpoint_id`
 */
export const notifyOf = (rows: string): string => `
  SELECT pg_notify('${OUTBOX_CHANNEL}', string_agg(DISTINCT lane, ',') || CASE WHEN count(*) <= ${MOST_NAMED}
           THEN string_agg(format(',%s/%s/%s/%s', lane, tenant_id, endpoint_id, n), '') ELSE '' END)
    FROM (SELECT lane, tenant_id, endpoint_id, count(*) AS n FROM ${rows} GROUP BY lane, tenant_id, endpoint_id) queues
  HAVING count(*) > 0`;

/** A queue of the outbox in which something is new. */
export interface NamedQueue {
  lane: OutboxLane;
  tenantUuid: string;
  endpointUuid: string;
  endpointId: string;
  /** How many rows are new and due. */
  count: number;
}

export interface OutboxNews {
  /** In which something may be claimable now; undefined: in any. */
  lanes?: readonly string[];
  /** All queues in which something is new, where they are named. */
  queues: readonly NamedQueue[];
}

export function readWakeUp(payload: string | undefined): OutboxNews {
  if (!payload) return { queues: [] };
  const parts = payload.split(',').map((part) => part.split('/'));
  return {
    lanes: parts.filter(({ length }) => length === 1).map(([lane]) => lane as string),
    queues: parts.filter(({ length }) => length === 4).map(toQueue),
  };
}

function toQueue([lane, tenantUuid, endpointUuid, count]: string[]): NamedQueue {
  return {
    lane: lane as OutboxLane,
    tenantUuid: tenantUuid as string,
    endpointUuid: endpointUuid as string,
    endpointId: uuidToId('endpoint', endpointUuid as string),
    count: Number(count),
  };
}
