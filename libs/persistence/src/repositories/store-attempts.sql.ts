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
  type IdKind,
} from '@hookstream/domain';
import { recordAudit } from './audit.repository.js';
import { binaryColumn, binaryIdColumn, type Element, type ElementType } from './binary-column.js';
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
  Partial<Pick<LoadedDelivery, 'inOrder' | 'lane'>> & {
    /** It was attempted by the one who took it from the outbox, where its row stands until now. */
    inOutbox?: boolean;
  };

/** An attempt that was made, with all that recording it needs. */
export interface MadeAttempt {
  delivery: RecordedDelivery;
  attempt: AttemptRecord;
  /** Steps of its schedule that are used up with it. */
  scheduleStep: number;
}

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

/** A column of {@link STORE_ATTEMPTS}: its name, its type, and what is in it for an attempt. */
interface Column {
  name: string;
  type: ElementType;
  /** Its values for these, as the parameter of an array. */
  of: (attempts: readonly MadeAttempt[]) => Buffer;
}

function column<Type extends ElementType>(
  name: string,
  type: Type,
  value: (made: MadeAttempt) => Element<Type> | null,
): Column {
  return { name, type, of: (attempts) => binaryColumn(type, attempts, value) };
}

function ids(name: string, kind: IdKind, idOf: (made: MadeAttempt) => string): Column {
  return { name, type: 'uuid', of: (attempts) => binaryIdColumn(kind, attempts, idOf) };
}

const COLUMNS: readonly Column[] = [
  ids('delivery_id', 'delivery', ({ delivery }) => delivery.deliveryId),
  column('in_outbox', 'boolean', ({ delivery }) => delivery.inOutbox ?? false),
  ids('id', 'attempt', ({ attempt }) => attempt.attemptId),
  ids('tenant_id', 'tenant', ({ delivery }) => delivery.tenantId),
  ids('endpoint_id', 'endpoint', ({ delivery }) => delivery.endpointId),
  column('number', 'integer', ({ attempt }) => attempt.number),
  column('trigger', 'text', ({ attempt }) => attempt.trigger),
  column('outcome', 'text', ({ attempt }) => attempt.outcome.kind),
  column('status_code', 'integer', ({ attempt }) => attempt.outcome.statusCode ?? null),
  column('error', 'text', ({ attempt }) => storable(attempt.outcome.error)),
  column('request_url', 'text', ({ attempt }) => attempt.requestUrl),
  column('request_headers', 'jsonb', ({ attempt }) => JSON.stringify(attempt.requestHeaders)),
  column('response_headers', 'jsonb', ({ attempt }) => jsonOrNull(attempt.outcome.response?.headers)),
  column('response_body', 'text', ({ attempt }) => storable(attempt.outcome.response?.body)),
  column('response_truncated', 'boolean', ({ attempt }) => attempt.outcome.response?.truncated ?? null),
  column('decision', 'jsonb', ({ attempt }) =>
    JSON.stringify({ ...attempt.decision, replays: attempt.replays }),
  ),
  column('started_at', 'timestamptz', ({ attempt }) => attempt.startedAt.getTime()),
  column('duration_ms', 'integer', ({ attempt }) => Math.round(attempt.outcome.durationMs)),
  column('next_attempt_at', 'timestamptz', ({ attempt }) => attempt.nextAttemptAt?.getTime() ?? null),
  column('status', 'text', ({ attempt }) => STATUS_AFTER[attempt.decision.next]),
  column('schedule_step', 'integer', ({ scheduleStep }) => scheduleStep),
  column('ended_at', 'timestamptz', ({ attempt }) => endedAt(attempt)),
  column('lane', 'text', ({ delivery }) => delivery.lane ?? null),
  column('duration_bucket', 'smallint', ({ attempt }) => histogramBucket(attempt.outcome.durationMs)),
  column('latency_bucket', 'smallint', latencyBucket),
];

const STAYS_CANCELLED = `(d.status = 'cancelled' AND i.status <> 'succeeded')`;

/**
 * Attempts of different deliveries and what they mean for these, in one statement. Storing one again changes nothing. One array for each of
 * {@link COLUMNS}, by delivery id: rows are locked in that order, the outbox first, as everywhere. Their ids stand in no other
 * condition: see {@link LOOK_UPS_ONLY}.
 *
 * A row of the outbox that stands for an attempt made by who took it leaves with its delivery's end, or becomes a workflow's. Where a replay
 * was asked for meanwhile it goes again, as what the dispatcher has not seen of its row. One that stands for a delivery which has that attempt
 * already stays, to be claimed by what the delivery is (`looked_up`): the next claim ends it.
 *
 * A workflow can be quicker than who started it is told so: the row that somebody holds to start it leaves with its attempt (`started_from`). Otherwise a
 * pause would hold it beside the workflow's own wait, and who asks for a retry now would ask the row that is about to go. The wish for a
 * replay stays where that attempt is of none.
 */
const STORE_ATTEMPTS = `
WITH input AS MATERIALIZED (
  SELECT i.*, coalesce(i.in_outbox AND w.trigger = 'replay' AND i.trigger <> 'replay', false) AS again,
         coalesce(NOT i.in_outbox AND (w.trigger <> 'replay' OR i.trigger = 'replay'), false) AS started_from
    FROM unnest(${COLUMNS.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ')})
         AS i (${COLUMNS.map(({ name }) => name).join(', ')})
    LEFT JOIN LATERAL (
      SELECT o.trigger FROM outbox o
       WHERE o.delivery_id = i.delivery_id AND (i.in_outbox OR (o.claimed_by IS NOT NULL AND o.claimable_at > now())) FOR UPDATE) w ON true
), attempt AS (
  INSERT INTO attempts (id, tenant_id, delivery_id, endpoint_id, number, trigger, outcome, status_code, error, request_url,
                        request_headers, response_headers, response_body, response_truncated, decision, started_at, duration_ms, next_attempt_at)
  SELECT id, tenant_id, delivery_id, endpoint_id, number, trigger, outcome, status_code, error, request_url,
         request_headers, response_headers, response_body, response_truncated, decision, started_at, duration_ms, next_attempt_at
    FROM input
  ON CONFLICT (id) DO NOTHING
  RETURNING id
), slot AS (
  DELETE FROM slots WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM input))
), delivery AS (
  UPDATE deliveries d
     SET status = CASE WHEN ${STAYS_CANCELLED} THEN d.status WHEN i.again THEN 'retrying' ELSE i.status END,
         lane = coalesce(i.lane, d.lane),
         attempt_count = i.number, schedule_step = CASE WHEN i.again THEN 0 ELSE i.schedule_step END,
         last_outcome = i.outcome, last_status_code = i.status_code, last_error = i.error, updated_at = now(),
         next_attempt_at = CASE WHEN ${STAYS_CANCELLED} THEN NULL WHEN i.again THEN now() ELSE i.next_attempt_at END,
         completed_at = CASE WHEN ${STAYS_CANCELLED} THEN d.completed_at
                             WHEN NOT i.again AND i.status IN ('succeeded', 'dead_letter', 'cancelled') THEN now() END
    FROM input i
   WHERE d.id = i.delivery_id AND d.attempt_count < i.number
  RETURNING d.id, d.status, d.event_id, d.event_type, i.id AS attempt_id, i.in_outbox, i.again, i.started_from
), ended AS (
  DELETE FROM outbox WHERE delivery_id = ANY (ARRAY(SELECT id FROM delivery WHERE started_from OR (in_outbox AND status <> 'retrying')))
), goes_on AS (
  UPDATE outbox SET claimable_at = now(), claimed_by = NULL, event_id = NULL,
         lane = CASE WHEN delivery_id = ANY (ARRAY(SELECT id FROM delivery WHERE again)) THEN 'durable' ELSE 'workflow' END
   WHERE delivery_id = ANY (ARRAY(SELECT id FROM delivery WHERE in_outbox AND status = 'retrying'))
), looked_up AS (
  UPDATE outbox SET event_id = NULL
   WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM input WHERE in_outbox AND delivery_id NOT IN (SELECT id FROM delivery)))
), counted AS (
  INSERT INTO stats_queue (tenant_id, endpoint_id, ended_at, outcome, duration_bucket, final_status, latency_bucket, count)
  SELECT tenant_id, endpoint_id, minute, outcome, duration_bucket, final_status, latency_bucket, count(*)
    FROM (SELECT i.tenant_id, i.endpoint_id, date_trunc('minute', i.ended_at, 'UTC') AS minute, i.outcome, i.duration_bucket, i.latency_bucket,
                 -- within CASE both are looked up in a hash table: as joins they would cost the square of the group
                 CASE WHEN (i.id, i.status) IN (SELECT d.attempt_id, d.status FROM delivery d WHERE d.status <> 'retrying') THEN i.status END AS final_status,
                 CASE WHEN i.id IN (SELECT a.id FROM attempt a) THEN true END AS is_new
            FROM input i
           WHERE i.trigger <> 'test') n
   WHERE is_new
   GROUP BY tenant_id, endpoint_id, minute, outcome, duration_bucket, final_status, latency_bucket
)`;

/** What storing an attempt has made of its delivery. */
export interface StoredDelivery {
  status: DeliveryStatus;
  eventId: string;
  eventType: string;
}

/**
 * Stores attempts of different deliveries.
 * @returns what has become of those that were not stored before, by delivery.
 */
export async function storeAttempts(
  client: pg.Pool | pg.PoolClient,
  attempts: readonly MadeAttempt[],
): Promise<Map<string, StoredDelivery>> {
  const { rows } = await client.query<{
    id: string;
    status: DeliveryStatus;
    event_id: string;
    event_type: string;
  }>({
    name: 'attempts-store',
    text: `${STORE_ATTEMPTS} SELECT id, status, event_id, event_type FROM delivery`,
    values: valuesOf(attempts),
  });
  return new Map(
    rows.map((row) => [
      uuidToId('delivery', row.id),
      { status: row.status, eventId: uuidToId('event', row.event_id), eventType: row.event_type },
    ]),
  );
}

/** The same for who need not know what has become of them, which for many is most of the answer. */
export async function storeMany(
  client: pg.Pool | pg.PoolClient,
  attempts: readonly MadeAttempt[],
): Promise<void> {
  if (attempts.length === 0) return;
  await client.query({
    name: 'attempts-store-many',
    text: `${STORE_ATTEMPTS} SELECT WHERE false`,
    values: valuesOf(attempts),
  });
}

function valuesOf(attempts: readonly MadeAttempt[]): unknown[] {
  // public ids sort as what they stand for
  const ordered = [...attempts].sort((a, b) => (a.delivery.deliveryId < b.delivery.deliveryId ? -1 : 1));
  return COLUMNS.map((column) => column.of(ordered));
}

/** In unix milliseconds. */
function endedAt({ startedAt, outcome }: AttemptRecord): number {
  return startedAt.getTime() + Math.round(outcome.durationMs);
}

/** A replay begins a new schedule while attempts go on counting: how long ago the event was accepted says nothing then. */
function latencyBucket({ delivery, attempt, scheduleStep }: MadeAttempt): number | null {
  if (attempt.decision.next !== 'succeeded' || attempt.number !== scheduleStep) return null;
  return histogramBucket(endedAt(attempt) - delivery.dueAt.getTime());
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** Postgres' text holds no NUL; receivers send what they like. */
function storable(text: string | undefined): string | null {
  return text === undefined ? null : text.replaceAll('\u0000', '\uFFFD');
}
