import type pg from 'pg';
import {
  idToUuid,
  uuidToId,
  type AttemptDecision,
  type AttemptOutcome,
  type AttemptTrigger,
  type DeliveryStatus,
  type EndpointStatus,
  type RetryPolicy,
  type RunLane,
  type SignaturePolicy,
} from '@hookstream/domain';
import { inTransaction } from '../database.js';
import { disableGone, storeAttempt, type AttemptRecord } from './store-attempt.sql.js';

/** All that one attempt needs, as one query found it. Secrets and headers are still encrypted. */
export interface LoadedDelivery {
  deliveryId: string;
  tenantId: string;
  endpointId: string;
  eventId: string;
  status: DeliveryStatus;
  attemptCount: number;
  /** Null: its partition was dropped. */
  payload: string | null;
  /** Null: the endpoint was deleted. */
  endpoint: LoadedEndpoint | null;
  /** Whether the delivery now stands as in progress, so that the attempt may go. */
  begun: boolean;
}

export interface LoadedEndpoint {
  url: string;
  status: EndpointStatus;
  timeoutMs: number;
  retry: RetryPolicy;
  signature: SignaturePolicy;
  encryptedHeaders: Buffer | null;
  /** Live ones, newest first. */
  encryptedSecrets: Buffer[];
}

interface LoadRow {
  tenant_id: string;
  endpoint_id: string;
  event_id: string;
  status: DeliveryStatus;
  attempt_count: number;
  payload: string | null;
  url: string | null;
  endpoint_status: EndpointStatus;
  timeout_ms: number;
  retry: RetryPolicy;
  signature: SignaturePolicy;
  headers: Buffer | null;
  secrets: Buffer[] | null;
  begun: boolean;
}

/** The record path: what an attempt reads before it goes and writes after it. */
export class AttemptsRepository {
  constructor(private readonly pool: pg.Pool) {}

  /**
   * Loads a delivery and, when its attempt `number` may go, marks it in progress, in one statement. It may go unless it was
   * recorded before, the delivery is final (a replay or test goes all the same), or its endpoint holds deliveries.
   * @returns undefined when the delivery no longer exists.
   */
  async begin(input: {
    deliveryId: string;
    number: number;
    trigger: AttemptTrigger;
    lane: RunLane;
  }): Promise<LoadedDelivery | undefined> {
    const { rows } = await this.pool.query<LoadRow>({
      name: 'attempt-begin',
      text: `
        WITH begun AS (
          UPDATE deliveries d SET status = 'in_progress', lane = $4, next_attempt_at = NULL, completed_at = NULL, updated_at = now()
            FROM endpoints e
           WHERE d.id = $1 AND d.attempt_count < $2 AND e.id = d.endpoint_id AND e.deleted_at IS NULL
             AND (d.status IN ('pending', 'in_progress', 'retrying') OR $3 IN ('replay', 'test'))
             AND (e.status = 'enabled' OR $3 = 'test')
          RETURNING d.id
        )
        SELECT d.tenant_id, d.endpoint_id, d.event_id, d.status, d.attempt_count, ev.payload,
               e.url, e.status AS endpoint_status, e.timeout_ms, e.retry, e.signature, e.headers,
               (SELECT array_agg(s.ciphertext ORDER BY s.id DESC) FROM endpoint_secrets s
                 WHERE s.endpoint_id = d.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > now())) AS secrets,
               EXISTS (SELECT 1 FROM begun) AS begun
          FROM deliveries d
          LEFT JOIN endpoints e ON e.id = d.endpoint_id AND e.deleted_at IS NULL
          LEFT JOIN events ev ON ev.id = d.event_id
         WHERE d.id = $1`,
      values: [idToUuid('delivery', input.deliveryId), input.number, input.trigger, input.lane],
    });
    const row = rows[0];
    return row && toLoaded(input.deliveryId, row);
  }

  /** The outcome and decision of an attempt that was recorded. */
  async find(
    deliveryId: string,
    number: number,
  ): Promise<
    | {
        attemptId: string;
        trigger: AttemptTrigger;
        outcome: AttemptOutcome;
        decision: AttemptDecision;
        startedAt: Date;
        nextAttemptAt: Date | null;
      }
    | undefined
  > {
    const { rows } = await this.pool.query<{
      id: string;
      trigger: AttemptTrigger;
      outcome: AttemptOutcome['kind'];
      status_code: number | null;
      error: string | null;
      duration_ms: number;
      decision: AttemptDecision;
      started_at: Date;
      next_attempt_at: Date | null;
    }>(
      `SELECT id, trigger, outcome, status_code, error, duration_ms, decision, started_at, next_attempt_at
         FROM attempts WHERE delivery_id = $1 AND number = $2 ORDER BY id DESC LIMIT 1`,
      [idToUuid('delivery', deliveryId), number],
    );
    const row = rows[0];
    if (!row) return undefined;
    return {
      attemptId: uuidToId('attempt', row.id),
      trigger: row.trigger,
      outcome: {
        kind: row.outcome,
        durationMs: row.duration_ms,
        ...(row.status_code === null ? {} : { statusCode: row.status_code }),
        ...(row.error === null ? {} : { error: row.error }),
      },
      decision: row.decision,
      startedAt: row.started_at,
      nextAttemptAt: row.next_attempt_at,
    };
  }

  /**
   * Stores the attempt and what it means for its delivery and, after a 410, for its endpoint, in one transaction. Storing the same
   * attempt again changes nothing, so that a caller who does not know whether it was stored may repeat it. A delivery that
   * was cancelled while the attempt was under way stays cancelled unless the attempt succeeded.
   */
  async record(
    delivery: Pick<LoadedDelivery, 'deliveryId' | 'tenantId' | 'endpointId'>,
    attempt: AttemptRecord,
    scheduleStep: number,
  ): Promise<void> {
    const { decision } = attempt;
    if (decision.next !== 'dead_letter' || decision.reason !== 'gone')
      return storeAttempt(this.pool, delivery, attempt, scheduleStep);
    await inTransaction(this.pool, async (client) => {
      await disableGone(client, delivery);
      await storeAttempt(client, delivery, attempt, scheduleStep);
    });
  }

  /**
   * Returns a delivery to the outbox because its endpoint holds deliveries. Uses up no step of its schedule. The share
   * lock on the endpoint makes this and a resume take turns: whichever comes second sees the other.
   */
  async handBack(
    delivery: Pick<LoadedDelivery, 'deliveryId' | 'tenantId' | 'endpointId'>,
    scheduleStep: number,
  ): Promise<void> {
    const endpoint = idToUuid('endpoint', delivery.endpointId);
    await inTransaction(this.pool, async (client) => {
      const { rows } = await client.query<{ status: EndpointStatus }>(
        'SELECT status FROM endpoints WHERE id = $1 AND deleted_at IS NULL FOR SHARE',
        [endpoint],
      );
      const { rowCount } = await client.query(
        `UPDATE deliveries SET status = CASE WHEN attempt_count = 0 THEN 'pending' ELSE 'retrying' END, schedule_step = $2,
                next_attempt_at = NULL, completed_at = NULL, updated_at = now()
          WHERE id = $1 AND status <> 'cancelled'`,
        [idToUuid('delivery', delivery.deliveryId), scheduleStep],
      );
      // Cancelled meanwhile, or its endpoint deleted, which cancels: a row would wait for nothing.
      if (rows[0] === undefined || rowCount === 0) return;
      await client.query(
        `INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at)
         VALUES ($1, $2, $3, now(), CASE WHEN $4 THEN now() ELSE 'infinity' END)
         ON CONFLICT (delivery_id) DO UPDATE SET claimable_at = excluded.claimable_at, claimed_by = NULL`,
        [
          idToUuid('delivery', delivery.deliveryId),
          idToUuid('tenant', delivery.tenantId),
          endpoint,
          rows[0].status === 'enabled',
        ],
      );
    });
  }

  /** Ends a delivery as cancelled unless it has succeeded, and tells how it then stands. Idempotent. */
  async cancel(deliveryId: string): Promise<{ status: DeliveryStatus; attempts: number }> {
    const { rows } = await this.pool.query<{ status: DeliveryStatus; attempts: number }>(
      `WITH cancelled AS (
         UPDATE deliveries SET status = 'cancelled', next_attempt_at = NULL, updated_at = now(), completed_at = now()
          WHERE id = $1 AND status NOT IN ('succeeded', 'cancelled')
         RETURNING status, attempt_count
       )
       SELECT coalesce(c.status, d.status) AS status, coalesce(c.attempt_count, d.attempt_count) AS attempts
         FROM deliveries d LEFT JOIN cancelled c ON true
        WHERE d.id = $1`,
      [idToUuid('delivery', deliveryId)],
    );
    // Gone with its partition: nothing is left that could be anything but cancelled.
    return rows[0] ?? { status: 'cancelled', attempts: 0 };
  }
}

function toLoaded(deliveryId: string, row: LoadRow): LoadedDelivery {
  return {
    deliveryId,
    tenantId: uuidToId('tenant', row.tenant_id),
    endpointId: uuidToId('endpoint', row.endpoint_id),
    eventId: uuidToId('event', row.event_id),
    status: row.status,
    attemptCount: row.attempt_count,
    payload: row.payload,
    begun: row.begun,
    endpoint:
      row.url === null
        ? null
        : {
            url: row.url,
            status: row.endpoint_status,
            timeoutMs: row.timeout_ms,
            retry: row.retry,
            signature: row.signature,
            encryptedHeaders: row.headers,
            encryptedSecrets: row.secrets ?? [],
          },
  };
}
