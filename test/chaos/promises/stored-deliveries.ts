import { uuidToId, type DeliveryStatus } from '@hookstream/domain';
import type { Database } from '@hookstream/persistence';

/** An attempt as it is recorded. Times are Unix ms. */
export interface StoredAttempt {
  number: number;
  outcome: string;
  trigger: string;
  /** What was decided after it. */
  next: string;
  startedAt: number;
  nextAttemptAt: number | null;
}

export interface StoredDelivery {
  deliveryId: string;
  eventId: string;
  endpointId: string;
  status: DeliveryStatus;
  attemptCount: number;
  /** By number, then by the time they were made. */
  attempts: StoredAttempt[];
}

interface Row {
  id: string;
  event_id: string;
  endpoint_id: string;
  status: DeliveryStatus;
  attempt_count: number;
  attempts: StoredAttempt[] | null;
}

const MS = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** All deliveries of the endpoints with their attempts, straight from the tables. */
export async function storedDeliveries(
  database: Database,
  endpointUuids: readonly string[],
): Promise<StoredDelivery[]> {
  const { rows } = await database.pool.query<Row>(
    `SELECT d.id, d.event_id, d.endpoint_id, d.status, d.attempt_count, a.attempts
       FROM deliveries d
       LEFT JOIN LATERAL (
         SELECT json_agg(json_build_object(
                  'number', number, 'outcome', outcome, 'trigger', trigger, 'next', decision->>'next',
                  'startedAt', ${MS('started_at')}, 'nextAttemptAt', ${MS('next_attempt_at')}) ORDER BY number, started_at) AS attempts
           FROM attempts WHERE delivery_id = d.id
       ) a ON true
      WHERE d.endpoint_id = ANY($1)`,
    [endpointUuids],
  );
  return rows.map((row) => ({
    deliveryId: uuidToId('delivery', row.id),
    eventId: uuidToId('event', row.event_id),
    endpointId: uuidToId('endpoint', row.endpoint_id),
    status: row.status,
    attemptCount: row.attempt_count,
    attempts: row.attempts ?? [],
  }));
}
