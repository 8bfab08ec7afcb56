import { LANES, OUTBOX_LANES, type OutboxLane } from '@hookstream/domain';
import { WAKE_DISPATCHERS } from './outbox-wake-up.sql.js';

/** For the index that the lanes' queues are read by. */
const inLanes = (lanes: readonly OutboxLane[]): string =>
  `lane IN (${lanes.map((lane) => `'${lane}'`).join(', ')})`;

/** What runs a statement: a connection of the hot path, or TypeORM's manager of a transaction. */
export interface StatementRunner {
  query(text: string, values?: unknown[]): Promise<unknown>;
}

/**
 * Takes what waits for the endpoint out of the dispatchers' reach. What waits for a workflow alone is none of it: its next attempt
 * will find the endpoint as it is then. Nor is what a dispatcher has just claimed: it is under way, and comes back where it is not begun.
 * The caller holds the endpoint's row. Rows are locked in id order, as everywhere, so that two who touch the same rows cannot deadlock.
 */
export async function holdWaiting(
  runner: StatementRunner,
  tenantUuid: string,
  endpointUuid: string,
): Promise<void> {
  await runner.query(
    `WITH waiting AS (
       SELECT delivery_id FROM outbox WHERE ${inLanes(LANES)} AND tenant_id = $1 AND endpoint_id = $2 AND claimable_at < 'infinity'
          AND (claimed_by IS NULL OR claimable_at <= now())
        ORDER BY delivery_id FOR UPDATE
     )
     UPDATE outbox o SET claimable_at = 'infinity', claimed_by = NULL FROM waiting w WHERE o.delivery_id = w.delivery_id`,
    [tenantUuid, endpointUuid],
  );
}

/** Gives what was held back to the dispatchers and wakes them at the commit. The caller holds the endpoint's row. */
export async function releaseHeld(
  runner: StatementRunner,
  tenantUuid: string,
  endpointUuid: string,
): Promise<void> {
  await runner.query(
    `WITH held AS (
       SELECT delivery_id FROM outbox
        WHERE tenant_id = $1 AND endpoint_id = $2 AND claimable_at = 'infinity' AND NOT order_blocked
        ORDER BY delivery_id FOR UPDATE
     )
     UPDATE outbox o SET claimable_at = o.due_at FROM held h WHERE o.delivery_id = h.delivery_id`,
    [tenantUuid, endpointUuid],
  );
  await runner.query(WAKE_DISPATCHERS);
}

/** Removes all that waits for the tenant, or for one endpoint of it. Each arm has an index of its own. */
export async function removeWaiting(
  runner: StatementRunner,
  tenantUuid: string,
  endpointUuid?: string,
): Promise<void> {
  const values = endpointUuid === undefined ? [tenantUuid] : [tenantUuid, endpointUuid];
  const ofEndpoint = endpointUuid === undefined ? '' : ' AND id = $2';
  await runner.query(
    `DELETE FROM order_keys WHERE endpoint_id IN (SELECT id FROM endpoints WHERE tenant_id = $1${ofEndpoint})`,
    values,
  );
  const owner = endpointUuid === undefined ? 'tenant_id = $1' : 'tenant_id = $1 AND endpoint_id = $2';
  await runner.query(
    `DELETE FROM outbox WHERE delivery_id IN
      (SELECT delivery_id FROM outbox WHERE ${inLanes(OUTBOX_LANES)} AND ${owner} AND claimable_at < 'infinity'
       UNION ALL
       SELECT delivery_id FROM outbox WHERE ${owner} AND claimable_at = 'infinity')`,
    values,
  );
}

/** Lets everything go that waited for its turn: the endpoint is ordered no more. The caller holds the endpoint's row. */
export async function forgetOrder(
  runner: StatementRunner,
  tenantUuid: string,
  endpointUuid: string,
): Promise<void> {
  await runner.query('DELETE FROM order_keys WHERE endpoint_id = $1', [endpointUuid]);
  await runner.query(
    `WITH waiting AS (
       SELECT delivery_id FROM outbox
        WHERE tenant_id = $1 AND endpoint_id = $2 AND claimable_at = 'infinity' AND order_blocked
        ORDER BY delivery_id FOR UPDATE
     )
     UPDATE outbox o
        SET order_blocked = false, claimable_at = CASE WHEN e.status = 'enabled' THEN o.due_at ELSE 'infinity' END
       FROM waiting w, endpoints e WHERE o.delivery_id = w.delivery_id AND e.id = o.endpoint_id`,
    [tenantUuid, endpointUuid],
  );
  await runner.query(WAKE_DISPATCHERS);
}
