import type pg from 'pg';
import {
  histogramBucket,
  idToUuid,
  SYSTEM_ACTOR,
  uuidToId,
  type AttemptDecision,
  type AttemptOutcome,
  type AttemptTrigger,
  type DeliveryStatus,
  type EndpointStatus,
} from '@hookstream/domain';
import { recordAudit } from './audit.repository.js';
import type { LoadedDelivery } from './attempts.repository.js';
import { holdWaiting } from './outbox-holding.sql.js';

export interface AttemptRecord {
  attemptId: string;
  number: number;
  trigger: AttemptTrigger;
  outcome: AttemptOutcome;
  decision: AttemptDecision;
  /** How many replays its run had been asked for. Stored beside the decision, for a run that has to be told of it again. */
  replays?: number | undefined;
  startedAt: Date;
  nextAttemptAt: Date | null;
  requestUrl: string;
  /** Already redacted. */
  requestHeaders: Record<string, string>;
}

/** What recording needs to know of the delivery. */
export type RecordedDelivery = Pick<LoadedDelivery, 'deliveryId' | 'tenantId' | 'endpointId' | 'dueAt'> &
  Partial<Pick<LoadedDelivery, 'inOrder'>>;

const STATUS_AFTER: Record<AttemptDecision['next'], DeliveryStatus> = {
  succeeded: 'succeeded',
  retry: 'retrying',
  dead_letter: 'dead_letter',
  cancelled: 'cancelled',
};

/** Endpoint before outbox before deliveries, as pause and resume lock them. @returns whether it was not disabled before. */
export async function disableGone(
  client: pg.PoolClient,
  { tenantId, endpointId }: RecordedDelivery,
): Promise<boolean> {
  const endpointUuid = idToUuid('endpoint', endpointId);
  const reason = GONE_REASON;
  const { rows } = await client.query<{ status: EndpointStatus }>(
    `UPDATE endpoints e SET status = 'disabled', disabled_reason = $2, updated_at = now()
       FROM (SELECT id, status FROM endpoints WHERE id = $1 FOR NO KEY UPDATE) before
      WHERE e.id = before.id AND before.status <> 'disabled'
     RETURNING before.status`,
    [endpointUuid, reason],
  );
  if (rows[0] !== undefined) {
    await recordAudit(client, {
      ...{ tenantId, actor: SYSTEM_ACTOR, action: 'endpoint.disabled', reason },
      ...{ objectKind: 'endpoint', objectId: endpointId },
      changes: { status: { from: rows[0].status, to: 'disabled' } },
    });
  }
  await holdWaiting(client, idToUuid('tenant', tenantId), endpointUuid);
  return rows[0] !== undefined;
}

export const GONE_REASON = 'the receiver answered 410 Gone';

const STAYS_CANCELLED = `(status = 'cancelled' AND $19 <> 'succeeded')`;

/** What storing an attempt has made of its delivery. */
export interface StoredDelivery {
  status: DeliveryStatus;
  eventId: string;
  eventType: string;
}

/**
 * One attempt and what it means for its delivery, in one statement. Storing it again changes nothing.
 * @returns undefined when it was stored before.
 */
export async function storeAttempt(
  client: pg.Pool | pg.PoolClient,
  delivery: RecordedDelivery,
  attempt: AttemptRecord,
  scheduleStep: number,
): Promise<StoredDelivery | undefined> {
  const { outcome, decision } = attempt;
  const endedAt = new Date(attempt.startedAt.getTime() + Math.round(outcome.durationMs));
  // A replay begins a new schedule while attempts go on counting: how long ago the event was accepted says nothing then.
  const latency =
    decision.next === 'succeeded' && attempt.number === scheduleStep
      ? histogramBucket(endedAt.getTime() - delivery.dueAt.getTime())
      : null;
  const { rows } = await client.query<{ status: DeliveryStatus; event_id: string; event_type: string }>({
    name: 'attempt-record',
    text: `
      WITH attempt AS (
        INSERT INTO attempts (id, tenant_id, delivery_id, endpoint_id, number, trigger, outcome, status_code, error, request_url,
                              request_headers, response_headers, response_body, response_truncated, decision, started_at, duration_ms, next_attempt_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        ON CONFLICT (id) DO NOTHING
        RETURNING trigger
      ), slot AS (
        DELETE FROM slots WHERE delivery_id = $3
      ), delivery AS (
        UPDATE deliveries
         SET status = CASE WHEN ${STAYS_CANCELLED} THEN status ELSE $19 END,
             attempt_count = $5, schedule_step = $20, last_outcome = $7, last_status_code = $8, last_error = $9, updated_at = now(),
             next_attempt_at = CASE WHEN ${STAYS_CANCELLED} THEN NULL ELSE $18::timestamptz END,
             completed_at = CASE WHEN ${STAYS_CANCELLED} THEN completed_at
                                 WHEN $19 IN ('succeeded', 'dead_letter', 'cancelled') THEN now() END
       WHERE id = $3 AND attempt_count < $5
        RETURNING status, event_id, event_type
      ), counted AS (
      INSERT INTO stats_queue (tenant_id, endpoint_id, ended_at, outcome, duration_bucket, final_status, latency_bucket)
      SELECT $2, $4, $21, $7, $22, (SELECT status FROM delivery WHERE status = $19 AND status <> 'retrying'), $23
        FROM attempt WHERE trigger <> 'test'
      )
      SELECT status, event_id, event_type FROM delivery`,
    values: [
      idToUuid('attempt', attempt.attemptId),
      idToUuid('tenant', delivery.tenantId),
      idToUuid('delivery', delivery.deliveryId),
      idToUuid('endpoint', delivery.endpointId),
      attempt.number,
      attempt.trigger,
      outcome.kind,
      outcome.statusCode ?? null,
      outcome.error === undefined ? null : storable(outcome.error),
      attempt.requestUrl,
      JSON.stringify(attempt.requestHeaders),
      outcome.response ? JSON.stringify(outcome.response.headers) : null,
      outcome.response ? storable(outcome.response.body) : null,
      outcome.response?.truncated ?? null,
      JSON.stringify({ ...decision, replays: attempt.replays }),
      attempt.startedAt,
      Math.round(outcome.durationMs),
      attempt.nextAttemptAt,
      STATUS_AFTER[decision.next],
      scheduleStep,
      endedAt,
      histogramBucket(outcome.durationMs),
      latency,
    ],
  });
  const row = rows[0];
  return row && { status: row.status, eventId: uuidToId('event', row.event_id), eventType: row.event_type };
}

/** Postgres' text holds no NUL; receivers send what they like. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD');
}
