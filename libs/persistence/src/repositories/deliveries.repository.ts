import {
  FINAL_DELIVERY_STATUSES,
  idToUuid,
  newId,
  uuidToId,
  uuidV7Time,
  type AttemptOutcomeKind,
  type AttemptTrigger,
  type DeliveryStatus,
  type Lane,
  type OutboxLane,
  type RunLane,
} from '@hookstream/domain';
import { inTransaction, type Database } from '../database.js';
import { recordAudit, type AuditEntry } from './audit.repository.js';
import { endingItsTurn } from '../dispatch/order-turns.js';
import { givesSlotsBack } from '../dispatch/slots.sql.js';
import { indexedConditions, Parameters, type DeliveryFilter } from './delivery-filter.sql.js';
import { timeBound } from './events.repository.js';
import { COUNT_CANCELLED } from './fold-stats.sql.js';
import { handBackDelivery } from './hand-back.js';
import { WAKE_DISPATCHERS } from './outbox-wake-up.sql.js';
import { GOES_INSTEAD_OF_WAITING } from './requeue-deliveries.sql.js';
import { cursorUuid, toPage, type Page, type PageRequest } from './page.js';

export interface DeliveryRecord {
  id: string;
  tenantId: string;
  eventId: string;
  endpointId: string;
  eventType: string;
  status: DeliveryStatus;
  lane: Lane;
  attemptCount: number;
  nextAttemptAt: Date | null;
  lastOutcome: AttemptOutcomeKind | null;
  lastStatusCode: number | null;
  lastError: string | null;
  createdAt: Date;
  completedAt: Date | null;
}

export interface StoredAttempt {
  id: string;
  number: number;
  trigger: AttemptTrigger;
  outcome: AttemptOutcomeKind;
  statusCode: number | null;
  error: string | null;
  requestUrl: string;
  requestHeaders: Record<string, string>;
  responseHeaders: Record<string, string> | null;
  responseBody: string | null;
  responseTruncated: boolean | null;
  startedAt: Date;
  durationMs: number;
  nextAttemptAt: Date | null;
}

/** What starting the delivery's workflow needs. */
export interface DeliveryStart {
  deliveryId: string;
  tenantId: string;
  endpointId: string;
  eventId: string;
  eventType: string;
  endpointUrl: string;
  lane: RunLane;
  attemptsMade: number;
  createdAt: Date;
  /** It has ended, and its endpoint delivers in order: to go again it has to wait for its turn. */
  endedInOrder: boolean;
}

/** Who changes a delivery through the API, for the audit log. */
export type DeliveryChange = Pick<AuditEntry, 'actor' | 'action'>;

const deliveryChange = (tenantId: string, id: string, by: DeliveryChange): AuditEntry => ({
  ...by,
  tenantId,
  objectKind: 'delivery',
  objectId: id,
});

interface DeliveryRow {
  id: string;
  tenant_id: string;
  event_id: string;
  endpoint_id: string;
  event_type: string;
  status: DeliveryStatus;
  lane: Lane;
  attempt_count: number;
  next_attempt_at: Date | null;
  last_outcome: AttemptOutcomeKind | null;
  last_status_code: number | null;
  last_error: string | null;
  created_at: Date;
  completed_at: Date | null;
}

const COLUMNS = `id, tenant_id, event_id, endpoint_id, event_type, status, lane, attempt_count, next_attempt_at,
  last_outcome, last_status_code, last_error, created_at, completed_at`;

const toRecord = (row: DeliveryRow): DeliveryRecord => ({
  id: uuidToId('delivery', row.id),
  tenantId: uuidToId('tenant', row.tenant_id),
  eventId: uuidToId('event', row.event_id),
  endpointId: uuidToId('endpoint', row.endpoint_id),
  eventType: row.event_type,
  status: row.status,
  lane: row.lane,
  attemptCount: row.attempt_count,
  nextAttemptAt: row.next_attempt_at,
  lastOutcome: row.last_outcome,
  lastStatusCode: row.last_status_code,
  lastError: row.last_error,
  createdAt: row.created_at,
  completedAt: row.completed_at,
});

export class DeliveriesRepository {
  constructor(private readonly database: Database) {}

  async find(tenantId: string, id: string): Promise<DeliveryRecord | null> {
    const { rows } = await this.database.pool.query<DeliveryRow>(
      `SELECT ${COLUMNS} FROM deliveries WHERE tenant_id = $1 AND id = $2`,
      owned(tenantId, id),
    );
    return rows[0] === undefined ? null : toRecord(rows[0]);
  }

  async list(tenantId: string, filter: DeliveryFilter, page: PageRequest): Promise<Page<DeliveryRecord>> {
    const parameters = new Parameters(idToUuid('tenant', tenantId));
    const conditions = ['tenant_id = $1', ...indexedConditions(filter, parameters)];
    const where = (condition: (parameter: string) => string, value: unknown): void => {
      if (value !== null && value !== undefined) conditions.push(condition(parameters.add(value)));
    };
    where((p) => `id < ${p}`, cursorUuid('delivery', page));
    where((p) => `id >= ${p}`, timeBound(filter.since));
    where((p) => `id < ${p}`, timeBound(filter.until));
    where((p) => `event_type = ${p}`, filter.eventType);
    where((p) => `status = ${p}`, filter.status);
    const { rows } = await this.database.pool.query<DeliveryRow>(
      `SELECT ${COLUMNS} FROM deliveries WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ${parameters.add(page.limit + 1)}`,
      parameters.values,
    );
    return toPage(rows.map(toRecord), page.limit);
  }

  /** All deliveries of an event, oldest first: at most one per endpoint of its tenant. */
  async listOfEvent(tenantId: string, eventId: string): Promise<DeliveryRecord[]> {
    const { rows } = await this.database.pool.query<DeliveryRow>(
      `SELECT ${COLUMNS} FROM deliveries WHERE tenant_id = $1 AND event_id = $2 ORDER BY id`,
      [idToUuid('tenant', tenantId), idToUuid('event', eventId)],
    );
    return rows.map(toRecord);
  }

  /** Its attempts, oldest first. */
  async listAttempts(tenantId: string, id: string): Promise<StoredAttempt[]> {
    const { rows } = await this.database.pool.query<{ id: string } & Omit<StoredAttempt, 'id'>>(
      `SELECT id, number, trigger, outcome, status_code AS "statusCode", error, request_url AS "requestUrl",
              request_headers AS "requestHeaders", response_headers AS "responseHeaders", response_body AS "responseBody",
              response_truncated AS "responseTruncated", started_at AS "startedAt", duration_ms AS "durationMs",
              next_attempt_at AS "nextAttemptAt"
         FROM attempts WHERE tenant_id = $1 AND delivery_id = $2 ORDER BY number, id`,
      owned(tenantId, id),
    );
    return rows.map((row) => ({ ...row, id: uuidToId('attempt', row.id) }));
  }

  /** What starting its workflow needs, or null when its endpoint is deleted. */
  async findStart(tenantId: string, id: string): Promise<DeliveryStart | null> {
    const { rows } = await this.database.pool.query<DeliveryRow & { url: string; in_order: boolean }>(
      `SELECT d.id, d.tenant_id, d.event_id, d.endpoint_id, d.event_type, d.attempt_count, d.created_at, e.url, d.status, d.lane,
              e.ordered AND d.order_key IS NOT NULL AS in_order
         FROM deliveries d
         JOIN endpoints e ON e.id = d.endpoint_id AND e.tenant_id = d.tenant_id AND e.deleted_at IS NULL
        WHERE d.tenant_id = $1 AND d.id = $2`,
      owned(tenantId, id),
    );
    const row = rows[0];
    return row === undefined
      ? null
      : {
          deliveryId: uuidToId('delivery', row.id),
          tenantId: uuidToId('tenant', row.tenant_id),
          endpointId: uuidToId('endpoint', row.endpoint_id),
          eventId: uuidToId('event', row.event_id),
          eventType: row.event_type,
          endpointUrl: row.url,
          lane: row.lane === 'express' && row.attempt_count > 0 ? 'express' : 'durable',
          attemptsMade: row.attempt_count,
          createdAt: row.created_at,
          endedInOrder: row.in_order && FINAL_DELIVERY_STATUSES.includes(row.status),
        };
  }

  /** Puts a delivery that has ended behind all that wait under its order key, to be delivered again. */
  async replayInOrder(start: DeliveryStart): Promise<void> {
    await handBackDelivery(this.database.pool, start, 0, { trigger: 'replay', again: true });
    await this.database.pool.query(WAKE_DISPATCHERS);
  }

  /**
   * Cancels a delivery that still waits in the outbox. A workflow that is just being started for it finds it cancelled
   * after its first attempt at the latest. @returns whether it waited there.
   */
  async cancelWaiting(tenantId: string, id: string, by: DeliveryChange): Promise<boolean> {
    return this.cancelled(
      tenantId,
      id,
      by,
      `waiting AS (DELETE FROM outbox WHERE tenant_id = $1 AND delivery_id = $2 RETURNING delivery_id),
       ${givesSlotsBack('IN (SELECT delivery_id FROM waiting)')},
       cancelled AS (
         UPDATE deliveries d SET status = 'cancelled', next_attempt_at = NULL, completed_at = now(), updated_at = now()
           FROM waiting w
          WHERE d.tenant_id = $1 AND d.id = $2 AND d.id = w.delivery_id AND d.status IN ('pending', 'in_progress', 'retrying')
         RETURNING d.tenant_id, d.endpoint_id
       )`,
    );
  }

  /**
   * Ends a delivery that no workflow and no outbox row stands for any more.
   * @param by absent for a test, which is in no log and no statistics
   * @returns whether it had not ended.
   */
  async cancelUnfinished(tenantId: string, id: string, by?: DeliveryChange): Promise<boolean> {
    return this.cancelled(
      tenantId,
      id,
      by,
      `cancelled AS (
         UPDATE deliveries SET status = 'cancelled', next_attempt_at = NULL, completed_at = now(), updated_at = now()
          WHERE tenant_id = $1 AND id = $2 AND status NOT IN ('succeeded', 'cancelled')
         RETURNING tenant_id, endpoint_id
       )`,
    );
  }

  private async cancelled(
    tenantId: string,
    id: string,
    by: DeliveryChange | undefined,
    cancelling: string,
  ): Promise<boolean> {
    return inTransaction(this.database.pool, async (client) => {
      const { rowCount } = await endingItsTurn(client, idToUuid('delivery', id), () =>
        client.query(
          `WITH ${cancelling} ${by ? COUNT_CANCELLED : 'SELECT 1 FROM cancelled'}`,
          owned(tenantId, id),
        ),
      );
      if (rowCount === 1 && by) await recordAudit(client, deliveryChange(tenantId, id, by));
      return rowCount === 1;
    });
  }

  /** For a change that a workflow makes, which was told before: no transaction of ours holds both. */
  async recordChange(tenantId: string, id: string, by: DeliveryChange): Promise<void> {
    await recordAudit(this.database.pool, deliveryChange(tenantId, id, by));
  }

  /**
   * Makes a delivery that waits in the outbox due now. One that a dispatcher has just claimed is left alone: it is about to go. A `replay` begins
   * its schedule anew.
   * @returns `held` when its endpoint holds its deliveries, `blocked` when others of its order go before it, `absent` when it is not in the outbox
   *   or about to leave it for a workflow that is to be told: of a replay in any case, of a retry where its first attempt has failed
   */
  async pullForward(
    tenantId: string,
    id: string,
    trigger: 'replay' | 'retry_now',
    by: DeliveryChange,
  ): Promise<'pulled' | 'held' | 'blocked' | 'absent'> {
    return inTransaction(this.database.pool, async (client) => {
      const { rows } = await client.query<{ held: boolean; blocked: boolean; becomes: OutboxLane | null }>(
        `SELECT claimable_at = 'infinity' AS held, order_blocked AS blocked,
                CASE WHEN claimed_by IS NOT NULL AND claimable_at > now() THEN lane END AS becomes
           FROM outbox WHERE tenant_id = $1 AND delivery_id = $2 FOR UPDATE`,
        owned(tenantId, id),
      );
      if (rows[0] === undefined) return 'absent';
      if (rows[0].blocked) return 'blocked';
      if (rows[0].held) return 'held';
      if (rows[0].becomes === (trigger === 'replay' ? 'durable' : 'workflow')) return 'absent';
      await client.query(
        `UPDATE outbox o SET due_at = least(due_at, now()), trigger = $3, ${GOES_INSTEAD_OF_WAITING},
                claimable_at = CASE WHEN claimed_by IS NULL OR lane = 'workflow' THEN least(claimable_at, now()) ELSE claimable_at END
          WHERE tenant_id = $1 AND delivery_id = $2`,
        [...owned(tenantId, id), trigger],
      );
      await client.query(
        `UPDATE deliveries SET schedule_step = CASE WHEN $3 = 'replay' THEN 0 ELSE schedule_step END,
                next_attempt_at = CASE WHEN next_attempt_at IS NOT NULL THEN now() END, updated_at = now()
          WHERE tenant_id = $1 AND id = $2`,
        [...owned(tenantId, id), trigger],
      );
      await recordAudit(client, deliveryChange(tenantId, id, by));
      await client.query(WAKE_DISPATCHERS);
      return 'pulled';
    });
  }

  /**
   * An event for one endpoint alone that the caller delivers itself: it never enters the outbox.
   * @param payloadOf the exact text to send, given the event's creation time (RFC 3339, ms)
   */
  async createUndispatched(
    tenantId: string,
    endpointId: string,
    type: string,
    payloadOf: (createdAt: string) => string,
  ): Promise<{ eventId: string; deliveryId: string; createdAt: Date }> {
    const eventId = newId('event');
    const deliveryId = newId('delivery');
    const createdAt = new Date(uuidV7Time(idToUuid('event', eventId)));
    await this.database.pool.query(
      `WITH event AS (
         INSERT INTO events (id, tenant_id, type, payload, created_at) VALUES ($1, $2, $3, $4, $5)
       )
       INSERT INTO deliveries (id, tenant_id, event_id, endpoint_id, event_type, status, lane, created_at, updated_at)
       VALUES ($6, $2, $1, $7, $3, 'pending', 'durable', $5, $5)`,
      [
        idToUuid('event', eventId),
        idToUuid('tenant', tenantId),
        type,
        payloadOf(createdAt.toISOString()),
        createdAt,
        idToUuid('delivery', deliveryId),
        idToUuid('endpoint', endpointId),
      ],
    );
    return { eventId, deliveryId, createdAt };
  }
}

function owned(tenantId: string, id: string): [string, string] {
  return [idToUuid('tenant', tenantId), idToUuid('delivery', id)];
}
