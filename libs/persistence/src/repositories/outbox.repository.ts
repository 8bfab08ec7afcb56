import type pg from 'pg';
import { idToUuid } from '@hookstream/domain';
import { COMMITS_AT_ONCE } from '../commits-at-once.sql.js';
import { givesSlotsBack, keepsSlots, slotOfAttempt } from '../dispatch/slots.sql.js';

/** Keys whose head has ended without its turn: nothing of ours leaves such, but rows are changed by hand too. */
const REPAIR_ORDER_SQL = `
SELECT free_next_in_order(head_delivery_id) FROM (
  SELECT k.head_delivery_id FROM order_keys k
    LEFT JOIN LATERAL (SELECT status FROM deliveries WHERE id = k.head_delivery_id OFFSET 0) d ON true
   WHERE d.status IS NULL OR d.status NOT IN ('pending', 'in_progress', 'retrying') LIMIT $1) ended`;

const BEGINNING = { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' };

/**
 * Of the $2 unfinished deliveries after the pair ($3 time, $4 id) that nothing has moved for $1 ms, those that wait for nothing go again. Answers the
 * last looked at, if any. A time is passed as text: it has microseconds.
 */
const PUT_BACK_FORGOTTEN_SQL = `
WITH looked AS MATERIALIZED (
  SELECT id, tenant_id, endpoint_id, updated_at, coalesce(next_attempt_at, updated_at) AS due_at
    FROM deliveries
   WHERE status IN ('pending', 'in_progress', 'retrying')
     AND updated_at < now() - $1 * interval '1 millisecond' AND (updated_at, id) > ($3::timestamptz, $4::uuid)
   ORDER BY updated_at, id LIMIT $2
), put_back AS (
  INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at)
  SELECT l.id, l.tenant_id, l.endpoint_id, now(), now()
    FROM looked l
   WHERE l.due_at < now() - $1 * interval '1 millisecond' AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.delivery_id = l.id)
   ORDER BY l.id
  ON CONFLICT (delivery_id) DO NOTHING
  RETURNING 1
)
SELECT (SELECT count(*)::int FROM looked) AS looked, (SELECT count(*)::int FROM put_back) AS put_back, updated_at::text AS at, id
  FROM looked ORDER BY updated_at DESC, id DESC LIMIT 1`;

/** The next endpoint that holds deliveries: one descent of the index, however many it holds. */
const nextHolding = (bounds: string): string => `
  SELECT o.tenant_id, o.endpoint_id FROM outbox o
   WHERE o.claimable_at = 'infinity' AND ${bounds} ORDER BY o.tenant_id, o.endpoint_id LIMIT 1`;

/** Frees up to $1 rows that are held although their endpoint is enabled. Its cost is the number of endpoints that hold any. */
const FREE_HELD_SQL = `
WITH RECURSIVE holding AS (
  (${nextHolding('true')})
  UNION ALL
  SELECT n.* FROM holding h CROSS JOIN LATERAL (
    ${nextHolding('(o.tenant_id, o.endpoint_id) > (h.tenant_id, h.endpoint_id)')}) n
)
UPDATE outbox SET claimable_at = due_at WHERE delivery_id = ANY (ARRAY(
  SELECT f.delivery_id
    FROM holding h JOIN endpoints e ON e.id = h.endpoint_id AND e.status = 'enabled'
   CROSS JOIN LATERAL (
     SELECT o.delivery_id FROM outbox o
      WHERE o.tenant_id = h.tenant_id AND o.endpoint_id = h.endpoint_id AND o.claimable_at = 'infinity' AND NOT o.order_blocked
      LIMIT $1 FOR UPDATE SKIP LOCKED) f
   LIMIT $1))`;

/**
 * Deliveries that wait for dispatch. `claimable_at` is when a row may be claimed: its due time, pushed ahead by the
 * lease of whoever claimed it, or infinity while its endpoint holds deliveries back. A row leaves only when its
 * workflow exists or its delivery is final, so nothing is lost when a worker dies at any point between.
 */
export class OutboxRepository {
  /** The last of the unfinished deliveries that were reconciled, in the order of when something moved them last. */
  private looked: { at: string; id: string } = BEGINNING;

  constructor(private readonly pool: pg.Pool) {}

  /**
   * Removes rows whose workflows this worker has started; their slots count for as long as an attempt may take from then on. A row that was handed
   * back or claimed by another meanwhile stays. One that a crash of Postgres brings back is claimed again, and its workflow found to exist.
   */
  async acknowledge(workerId: string, deliveryIds: readonly string[]): Promise<void> {
    await this.pool.query({
      name: 'outbox-acknowledge',
      text: `WITH mine AS (
               SELECT delivery_id FROM outbox WHERE delivery_id = ANY($1) AND claimed_by = $2 AND ${COMMITS_AT_ONCE} ORDER BY delivery_id FOR UPDATE
             ), ${keepsSlots('= ANY (ARRAY(SELECT delivery_id FROM mine))', slotOfAttempt('e.timeout_ms'))}
             DELETE FROM outbox WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM mine))`,
      values: [deliveryIds.map((id) => idToUuid('delivery', id)), workerId],
    });
  }

  /**
   * Removes rows of deliveries whose workflow was open already, except where that run may be one that has handed the delivery back
   * and is about to close: the delivery then waits (no attempt under way, none due). Such a row can be claimed again after `delayMs`, when the run
   * has closed and a new one can start.
   */
  async acknowledgeOpen(workerId: string, deliveryIds: readonly string[], delayMs: number): Promise<void> {
    await this.pool.query(
      `WITH mine AS (
         SELECT o.delivery_id, coalesce(d.status IN ('pending', 'retrying') AND d.next_attempt_at IS NULL, false) AS waits,
                coalesce(d.status = 'in_progress', false) AS moves
           FROM outbox o LEFT JOIN deliveries d ON d.id = o.delivery_id
          WHERE o.delivery_id = ANY($1) AND o.claimed_by = $2 ORDER BY o.delivery_id FOR UPDATE OF o
       ), ${givesSlotsBack('= ANY (ARRAY(SELECT delivery_id FROM mine WHERE NOT moves))')},
       ${keepsSlots('= ANY (ARRAY(SELECT delivery_id FROM mine WHERE moves))', slotOfAttempt('e.timeout_ms'))}, removed AS (
         DELETE FROM outbox WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM mine WHERE NOT waits))
       )
       UPDATE outbox SET claimable_at = now() + $3 * interval '1 millisecond', claimed_by = NULL, event_id = NULL
        WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM mine WHERE waits))`,
      [deliveryIds.map((id) => idToUuid('delivery', id)), workerId, delayMs],
    );
  }

  /**
   * Gives rows back before their lease ends, so that another worker takes them at once.
   * @param anyLane what was taken as durable may go by either lane again
   */
  async release(
    workerId: string,
    deliveryIds: readonly string[],
    delayMs = 0,
    anyLane = false,
  ): Promise<void> {
    await this.pool.query(
      `WITH mine AS (
         SELECT delivery_id FROM outbox WHERE delivery_id = ANY($1) AND claimed_by = $2 ORDER BY delivery_id FOR UPDATE
       ), ${givesSlotsBack('= ANY (ARRAY(SELECT delivery_id FROM mine))')}
       UPDATE outbox SET claimable_at = now() + $3 * interval '1 millisecond', claimed_by = NULL,
              lane = CASE WHEN $4 AND lane = 'durable' THEN 'auto' ELSE lane END
        WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM mine)) AND claimable_at < 'infinity'`,
      [deliveryIds.map((id) => idToUuid('delivery', id)), workerId, delayMs, anyLane],
    );
  }

  /** Begins the leases of rows and slots anew, for what takes longer than one. */
  async keep(workerId: string, deliveryIds: readonly string[], leaseMs: number): Promise<void> {
    await this.pool.query({
      name: 'outbox-keep',
      text: `WITH mine AS (
               SELECT delivery_id FROM outbox WHERE delivery_id = ANY($1) AND claimed_by = $2 ORDER BY delivery_id FOR UPDATE
             ), ${keepsSlots('= ANY (ARRAY(SELECT delivery_id FROM mine))', "now() + $3 * interval '1 millisecond'")}
             UPDATE outbox SET claimable_at = now() + $3 * interval '1 millisecond'
              WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM mine))`,
      values: [deliveryIds.map((id) => idToUuid('delivery', id)), workerId, leaseMs],
    });
  }

  /**
   * Looks at up to `limit` unfinished deliveries, behind those of the call before and from the beginning after the last: puts those that nothing has
   * moved for `olderThanMs` past their due time back in the outbox. Frees as many held rows of endpoints that are enabled, and clears slots
   * that have expired away. Starting one that still runs changes nothing, so this may err on the side of doing it.
   * @returns how many rows were put back or freed.
   */
  async reconcile(options: { olderThanMs: number; limit: number }): Promise<number> {
    const putBack = await this.putBackForgotten(options);
    const freed = await this.pool.query(FREE_HELD_SQL, [options.limit]);
    await this.pool.query(
      `DELETE FROM slots WHERE delivery_id = ANY (ARRAY(
        SELECT delivery_id FROM slots WHERE expires_at < now() ORDER BY delivery_id LIMIT $1 FOR UPDATE SKIP LOCKED))`,
      [options.limit],
    );
    const turns = await this.pool.query(REPAIR_ORDER_SQL, [options.limit]);
    return putBack + (freed.rowCount ?? 0) + (turns.rowCount ?? 0);
  }

  private async putBackForgotten({
    olderThanMs,
    limit,
  }: {
    olderThanMs: number;
    limit: number;
  }): Promise<number> {
    const { rows } = await this.pool.query<{ looked: number; at: string; id: string; put_back: number }>(
      PUT_BACK_FORGOTTEN_SQL,
      [olderThanMs, limit, this.looked.at, this.looked.id],
    );
    const [last] = rows;
    this.looked = last === undefined || last.looked < limit ? BEGINNING : { at: last.at, id: last.id };
    return last?.put_back ?? 0;
  }
}
