import type pg from 'pg';
import {
  FINAL_DELIVERY_STATUSES,
  idToUuid,
  uuidToId,
  type AttemptDecision,
  type AttemptOutcome,
  type AttemptTrigger,
  type CircuitState,
  type DeliveryStatus,
  type EndpointStatus,
  type RetryPolicy,
  type RunLane,
  type SignaturePolicy,
} from '@hookstream/domain';
import { inTransaction } from '../database.js';
import { toEndpoint, type EndpointColumns } from '../dispatch/claimed-attempts.js';
import { admitAttempt, type Refusal } from '../dispatch/admit-attempt.js';
import { endingItsTurn } from '../dispatch/order-turns.js';
import { givesSlotsBack } from '../dispatch/slots.sql.js';
import { BEGIN_ATTEMPT_SQL } from './begin-attempt.sql.js';
import { handBackDelivery, type HandBack } from './hand-back.js';
import { COUNT_CANCELLED } from './fold-stats.sql.js';
import { storeDeadLetter } from './store-dead-letter.js';
import {
  storeAttempts,
  storeMany,
  type AttemptRecord,
  type MadeAttempt,
  type RecordedDelivery,
} from './store-attempts.sql.js';

/** All that one attempt needs, as one query found it. Secrets and headers are still encrypted. */
export interface LoadedDelivery {
  deliveryId: string;
  tenantId: string;
  endpointId: string;
  eventId: string;
  eventType: string;
  /** With what trace its event came. Null: with none. */
  traceparent: string | null;
  status: DeliveryStatus;
  attemptCount: number;
  /** When it was accepted, or when it was first to go where the event said so. */
  dueAt: Date;
  /** Until when its endpoint or the limits of that held it back, if they did. Null: the endpoint was deleted. */
  heldUntil: Date | null;
  /** Null: its partition was dropped. */
  payload: string | null;
  /** Null: the endpoint was deleted. */
  endpoint: LoadedEndpoint | null;
  /** Whether the delivery now stands as in progress, so that the attempt may go. */
  begun: boolean;
  /** Whether it is one of an order: others may wait for its end. */
  inOrder: boolean;
  /** What keeps it from going although its endpoint is enabled. */
  refusal?: Refusal;
  /** How it runs, where the database has not been told so when its attempt began. */
  lane?: RunLane;
}

export interface BeginAttempt {
  deliveryId: string;
  number: number;
  trigger: AttemptTrigger;
  lane: RunLane;
}

export interface LoadedEndpoint {
  url: string;
  status: EndpointStatus;
  timeoutMs: number;
  retry: RetryPolicy;
  signature: SignaturePolicy;
  circuit: LoadedCircuit;
  encryptedHeaders: Buffer | null;
  /** Live ones, newest first. */
  encryptedSecrets: Buffer[];
}

/** What an attempt's outcome means to the breaker depends on how that stood when the attempt began. */
export interface LoadedCircuit {
  state: CircuitState;
  /** Tells the probe of this half-open circuit from older attempts. */
  turn: number;
  failingSince: Date | null;
  recovering: boolean;
  /** 0: switched off. */
  failureThreshold: number;
}

interface LoadRow extends EndpointColumns {
  tenant_id: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  status: DeliveryStatus;
  attempt_count: number;
  due_at: Date;
  held_until: Date | null;
  payload: string | null;
  traceparent: string | null;
  in_order: boolean;
  waits_turn: boolean | null;
  /** No column of its endpoint is there. */
  endpoint_deleted: boolean;
  begun: boolean;
}

/** The record path: what an attempt reads before it goes and writes after it. */
export class AttemptsRepository {
  constructor(private readonly pool: pg.Pool) {}

  /**
   * Loads a delivery and, when its attempt `number` may go, marks it in progress. A delivery that the dispatcher let go is begun in one
   * statement; one that nobody has, because its retry is due or a person asked for it, is admitted here if the endpoint's limits
   * and circuit let it.
   * @returns undefined when the delivery no longer exists.
   */
  async begin(input: BeginAttempt): Promise<LoadedDelivery | undefined> {
    const first = await this.tryToBegin(input);
    if (first === undefined) await this.endOrder(input.deliveryId);
    if (first?.begun !== false || !wantsAdmission(first, input)) return first;
    const refusal = await admitAttempt(
      this.pool,
      idToUuid('delivery', input.deliveryId),
      idToUuid('endpoint', first.endpointId),
    );
    return refusal === undefined ? this.tryToBegin(input) : { ...first, refusal };
  }

  private async tryToBegin(input: BeginAttempt): Promise<LoadedDelivery | undefined> {
    const { rows } = await this.pool.query<LoadRow>({
      name: 'attempt-begin',
      text: BEGIN_ATTEMPT_SQL,
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
        replays: number | undefined;
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
      decision: AttemptDecision & { replays?: number };
      started_at: Date;
      next_attempt_at: Date | null;
    }>(
      `SELECT id, trigger, outcome, status_code, error, duration_ms, decision, started_at, next_attempt_at
         FROM attempts WHERE delivery_id = $1 AND number = $2 ORDER BY id DESC LIMIT 1`,
      [idToUuid('delivery', deliveryId), number],
    );
    const row = rows[0];
    if (!row) return undefined;
    const { replays, ...decision } = row.decision;
    return {
      attemptId: uuidToId('attempt', row.id),
      trigger: row.trigger,
      outcome: {
        kind: row.outcome,
        durationMs: row.duration_ms,
        ...(row.status_code === null ? {} : { statusCode: row.status_code }),
        ...(row.error === null ? {} : { error: row.error }),
      },
      decision,
      replays,
      startedAt: row.started_at,
      nextAttemptAt: row.next_attempt_at,
    };
  }

  /**
   * Stores the attempt, what it means for its delivery and, after the last, what follows from that, in one transaction. Storing the same
   * attempt again changes nothing, so that a caller who does not know whether it was stored may repeat it. A delivery that
   * was cancelled while the attempt was under way stays cancelled unless the attempt succeeded. The end of an ordered
   * delivery lets the next under its key go.
   */
  async record(delivery: RecordedDelivery, attempt: AttemptRecord, scheduleStep: number): Promise<void> {
    const { next } = attempt.decision;
    const made = { delivery, attempt, scheduleStep };
    if (next === 'dead_letter') return storeDeadLetter(this.pool, made);
    if (isStoredWithOthers(made)) return storeMany(this.pool, [made]);
    await inTransaction(this.pool, async (client) => {
      await endingItsTurn(client, idToUuid('delivery', delivery.deliveryId), () =>
        storeAttempts(client, [made]),
      );
    });
  }

  /** The same for many, of different deliveries: those from which nothing further follows in one statement, the others one by one. */
  async recordAll(attempts: readonly MadeAttempt[]): Promise<void> {
    await storeMany(this.pool, attempts.filter(isStoredWithOthers));
    for (const made of attempts) {
      if (!isStoredWithOthers(made)) await this.record(made.delivery, made.attempt, made.scheduleStep);
    }
  }

  /** Shows deliveries as being attempted that wait for their endpoints' answers: what is attempted as it was claimed begins without a word. */
  async showUnderWay(deliveryIds: readonly string[], lane: RunLane): Promise<void> {
    await this.pool.query({
      name: 'attempt-show',
      text: `UPDATE deliveries SET status = 'in_progress', lane = $2, next_attempt_at = NULL, updated_at = now()
              WHERE id = ANY ($1::uuid[]) AND status = 'pending'`,
      values: [deliveryIds.map((id) => idToUuid('delivery', id)).sort(), lane],
    });
  }

  /** Returns a delivery to the outbox because it may not go now; its slot and its probe are given back. */
  handBack(
    delivery: Pick<LoadedDelivery, 'deliveryId' | 'tenantId' | 'endpointId'>,
    scheduleStep: number,
    how: HandBack = {},
  ): Promise<void> {
    return handBackDelivery(this.pool, delivery, scheduleStep, how);
  }

  /** Lets another delivery go in place of this one, of which nothing is left to do. */
  async giveBackSlot(deliveryId: string): Promise<void> {
    await this.pool.query(`WITH ${givesSlotsBack('= $1')} SELECT 1`, [idToUuid('delivery', deliveryId)]);
  }

  /** Ends a delivery as cancelled unless it has succeeded, and tells how it then stands. Idempotent. */
  async cancel(deliveryId: string): Promise<{ status: DeliveryStatus; attempts: number }> {
    const uuid = idToUuid('delivery', deliveryId);
    return inTransaction(this.pool, (client) =>
      endingItsTurn(client, uuid, async () => {
        const { rows } = await client.query<{ status: DeliveryStatus; attempts: number }>(
          `WITH ${givesSlotsBack('= $1')}, cancelled AS (
             UPDATE deliveries SET status = 'cancelled', next_attempt_at = NULL, updated_at = now(), completed_at = now()
              WHERE id = $1 AND status NOT IN ('succeeded', 'cancelled')
             RETURNING status, attempt_count, tenant_id, endpoint_id
           ), counted AS (${COUNT_CANCELLED})
           SELECT coalesce(c.status, d.status) AS status, coalesce(c.attempt_count, d.attempt_count) AS attempts
             FROM deliveries d LEFT JOIN cancelled c ON true
            WHERE d.id = $1`,
          [uuid],
        );
        // Gone with its partition: nothing is left that could be anything but cancelled.
        return rows[0] ?? { status: 'cancelled', attempts: 0 };
      }),
    );
  }

  /** The delivery is gone with its partition: nobody has to wait for it. */
  private endOrder(deliveryId: string): Promise<void> {
    return inTransaction(this.pool, (client) =>
      endingItsTurn(client, idToUuid('delivery', deliveryId), () => Promise.resolve()),
    );
  }
}

/** Neither a dead letter nor the end of a delivery that others may wait for. */
function isStoredWithOthers({ delivery, attempt }: MadeAttempt): boolean {
  const { next } = attempt.decision;
  return next === 'retry' || (next !== 'dead_letter' && delivery.inOrder !== true);
}

/** Whether nothing but its limits or circuit can have kept it from beginning. */
function wantsAdmission(delivery: LoadedDelivery, input: BeginAttempt): boolean {
  return (
    delivery.refusal === undefined &&
    delivery.attemptCount < input.number &&
    delivery.endpoint?.status === 'enabled' &&
    input.trigger !== 'test' &&
    (input.trigger === 'replay' || !FINAL_DELIVERY_STATUSES.includes(delivery.status))
  );
}

function toLoaded(deliveryId: string, row: LoadRow): LoadedDelivery {
  return {
    deliveryId,
    tenantId: uuidToId('tenant', row.tenant_id),
    endpointId: uuidToId('endpoint', row.endpoint_id),
    eventId: uuidToId('event', row.event_id),
    eventType: row.event_type,
    traceparent: row.traceparent,
    status: row.status,
    attemptCount: row.attempt_count,
    dueAt: row.due_at,
    heldUntil: row.held_until,
    payload: row.payload,
    inOrder: row.in_order,
    ...(row.waits_turn ? { refusal: 'order_busy' as const } : {}),
    begun: row.begun,
    endpoint: row.endpoint_deleted ? null : toEndpoint(row),
  };
}
