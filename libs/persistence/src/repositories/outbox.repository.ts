import type pg from 'pg';
import { uuidToId, idToUuid, type DeliveryStatus, FINAL_DELIVERY_STATUSES } from '@hookstream/domain';

/** A delivery that this worker may start until its lease ends. */
export interface ClaimedDelivery {
  deliveryId: string;
  tenantId: string;
  endpointId: string;
  eventId: string;
  eventType: string;
  endpointUrl: string;
  attemptCount: number;
  scheduleStep: number;
  createdAt: Date;
  dueAt: Date;
}

interface ClaimRow {
  delivery_id: string;
  due_at: Date;
  tenant_id: string | null;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  status: DeliveryStatus;
  attempt_count: number;
  schedule_step: number;
  created_at: Date;
  url: string | null;
}

/**
 * Deliveries that wait for dispatch. `claimable_at` is when a row may be claimed: its due time, pushed ahead by the
 * lease of whoever claimed it, or infinity while its endpoint holds deliveries back. A row leaves only when its
 * workflow exists or its delivery is final, so nothing is lost when a worker dies at any point between.
 */
export class OutboxRepository {
  constructor(private readonly pool: pg.Pool) {}

  /**
   * Takes up to `limit` due rows under a lease of `leaseMs`. Rows whose delivery is final or gone are deleted here.
   * Skips what other workers are claiming at this moment; earliest first. The deliveries are looked up one by one
   * (`OFFSET 0` holds the planner to it): a long outbox must not make it scan every partition instead.
   */
  async claim(options: { workerId: string; limit: number; leaseMs: number }): Promise<ClaimedDelivery[]> {
    const { rows } = await this.pool.query<ClaimRow>({
      name: 'outbox-claim',
      text: `
        WITH picked AS (
          SELECT delivery_id FROM outbox WHERE claimable_at <= now() ORDER BY claimable_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ), claimed AS (
          UPDATE outbox o SET claimable_at = now() + $2 * interval '1 millisecond', claimed_by = $3
            FROM picked p WHERE o.delivery_id = p.delivery_id RETURNING o.delivery_id, o.due_at
        )
        SELECT c.delivery_id, c.due_at, d.tenant_id, d.endpoint_id, d.event_id, d.event_type, d.status, d.attempt_count,
               d.schedule_step, d.created_at, e.url
          FROM claimed c
          LEFT JOIN LATERAL (SELECT * FROM deliveries WHERE id = c.delivery_id OFFSET 0) d ON true
          LEFT JOIN endpoints e ON e.id = d.endpoint_id
         ORDER BY c.due_at`,
      values: [options.limit, options.leaseMs, options.workerId],
    });
    const done = rows.filter((row) => row.tenant_id === null || FINAL_DELIVERY_STATUSES.includes(row.status));
    if (done.length > 0)
      await this.remove(
        options.workerId,
        done.map((row) => row.delivery_id),
      );
    return rows.filter((row) => !done.includes(row)).map(toClaimed);
  }

  /** Removes rows whose workflows this worker has started. A row that was handed back or claimed by another meanwhile stays. */
  async acknowledge(workerId: string, deliveryIds: readonly string[]): Promise<void> {
    await this.remove(
      workerId,
      deliveryIds.map((id) => idToUuid('delivery', id)),
    );
  }

  /**
   * Removes rows of deliveries whose workflow was open already, except where that run may be one that has handed the delivery back
   * and is about to close: the delivery then waits (no attempt under way, none due). Such a row can be claimed again after `delayMs`, when the run
   * has closed and a new one can start.
   */
  async acknowledgeOpen(workerId: string, deliveryIds: readonly string[], delayMs: number): Promise<void> {
    await this.pool.query(
      `WITH mine AS (
         SELECT o.delivery_id, coalesce(d.status IN ('pending', 'retrying') AND d.next_attempt_at IS NULL, false) AS waits
           FROM outbox o LEFT JOIN deliveries d ON d.id = o.delivery_id
          WHERE o.delivery_id = ANY($1) AND o.claimed_by = $2 ORDER BY o.delivery_id FOR UPDATE OF o
       ), removed AS (
         DELETE FROM outbox o USING mine m WHERE o.delivery_id = m.delivery_id AND NOT m.waits
       )
       UPDATE outbox o SET claimable_at = now() + $3 * interval '1 millisecond', claimed_by = NULL
         FROM mine m WHERE o.delivery_id = m.delivery_id AND m.waits`,
      [deliveryIds.map((id) => idToUuid('delivery', id)), workerId, delayMs],
    );
  }

  /** Gives rows back before their lease ends, so that another worker takes them at once. */
  async release(workerId: string, deliveryIds: readonly string[], delayMs = 0): Promise<void> {
    await this.pool.query(
      `UPDATE outbox SET claimable_at = now() + $3 * interval '1 millisecond', claimed_by = NULL
        WHERE delivery_id IN (SELECT delivery_id FROM outbox
                               WHERE delivery_id = ANY($1) AND claimed_by = $2 AND claimable_at < 'infinity'
                               ORDER BY delivery_id FOR UPDATE)`,
      [deliveryIds.map((id) => idToUuid('delivery', id)), workerId, delayMs],
    );
  }

  /**
   * Puts unfinished deliveries that nothing has moved for `olderThanMs` past their due time back in the outbox, and
   * frees held rows of endpoints that are enabled. Starting one that still runs changes nothing, so this may err on the side of
   * doing it: it covers what no single crash explains, such as a Temporal restored from a backup.
   * @returns how many rows were put back or freed.
   */
  async reconcile(options: { olderThanMs: number; limit: number }): Promise<number> {
    const { rowCount } = await this.pool.query(
      `INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at)
       SELECT d.id, d.tenant_id, d.endpoint_id, now(), now()
         FROM deliveries d
        WHERE d.status IN ('pending', 'in_progress', 'retrying')
          AND d.updated_at < now() - $1 * interval '1 millisecond'
          AND coalesce(d.next_attempt_at, d.updated_at) < now() - $1 * interval '1 millisecond'
          AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.delivery_id = d.id)
        ORDER BY d.updated_at LIMIT $2
       ON CONFLICT (delivery_id) DO NOTHING`,
      [options.olderThanMs, options.limit],
    );
    const freed = await this.pool.query(
      `UPDATE outbox o SET claimable_at = o.due_at
         FROM (SELECT h.delivery_id FROM outbox h JOIN endpoints e ON e.id = h.endpoint_id
                WHERE h.claimable_at = 'infinity' AND e.status = 'enabled'
                ORDER BY h.delivery_id LIMIT $1 FOR UPDATE OF h SKIP LOCKED) held
        WHERE o.delivery_id = held.delivery_id`,
      [options.limit],
    );
    return (rowCount ?? 0) + (freed.rowCount ?? 0);
  }

  /** Rows are locked in id order, as everywhere, so that two who touch the same rows cannot deadlock. */
  private async remove(workerId: string, deliveryUuids: readonly string[]): Promise<void> {
    await this.pool.query({
      name: 'outbox-remove',
      text: `DELETE FROM outbox WHERE delivery_id IN
              (SELECT delivery_id FROM outbox WHERE delivery_id = ANY($1) AND claimed_by = $2 ORDER BY delivery_id FOR UPDATE)`,
      values: [deliveryUuids, workerId],
    });
  }
}

function toClaimed(row: ClaimRow): ClaimedDelivery {
  return {
    deliveryId: uuidToId('delivery', row.delivery_id),
    tenantId: uuidToId('tenant', row.tenant_id as string),
    endpointId: uuidToId('endpoint', row.endpoint_id),
    eventId: uuidToId('event', row.event_id),
    eventType: row.event_type,
    endpointUrl: row.url ?? '',
    attemptCount: row.attempt_count,
    scheduleStep: row.schedule_step,
    createdAt: row.created_at,
    dueAt: row.due_at,
  };
}
