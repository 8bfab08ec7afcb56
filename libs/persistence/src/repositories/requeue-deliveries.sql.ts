import type pg from 'pg';
import type { EndpointStatus } from '@hookstream/domain';
import { freeNextOfEnded, placeInOrder } from '../dispatch/order-turns.js';
import { WAKE_DISPATCHERS } from './outbox-wake-up.sql.js';

/**
 * For an outbox row `o` that is to go now: where it waits for a workflow that would begin with a wait, it needs one that does not. Whoever is
 * starting the other does not take this one away.
 */
export const GOES_INSTEAD_OF_WAITING = `
  lane = CASE WHEN o.lane = 'workflow' THEN 'durable' ELSE o.lane END,
  claimed_by = CASE WHEN o.lane = 'workflow' THEN NULL ELSE o.claimed_by END`;

/** A delivery to put back in the outbox, by its stored ids. */
export interface Requeued {
  id: string;
  endpoint: string;
}

/**
 * Puts deliveries of one tenant back in the outbox, to be delivered again from the start of their schedule, in the transaction of `client`.
 * Those whose status has left `statuses` since they were read are on their way by other means and left alone. What an endpoint holds is
 * held; what an endpoint delivers in order goes behind all that wait under its key. Locks endpoints (shared), outbox and deliveries, each in id order: the order of everybody.
 * @param deliveries in id order
 */
export async function requeueDeliveries(
  client: pg.PoolClient,
  tenantUuid: string,
  deliveries: readonly Requeued[],
  statuses: readonly string[],
): Promise<{ queued: string[]; deletedEndpoint: string[] }> {
  const { rows: endpoints } = await client.query<{ id: string; status: EndpointStatus }>(
    `SELECT id, status FROM endpoints WHERE tenant_id = $1 AND id = ANY($2) AND deleted_at IS NULL ORDER BY id FOR SHARE`,
    [tenantUuid, [...new Set(deliveries.map(({ endpoint }) => endpoint))]],
  );
  const statusOf = new Map(endpoints.map(({ id, status }) => [id, status]));
  const living = deliveries.filter(({ endpoint }) => statusOf.has(endpoint));
  const ids = living.map(({ id }) => id);
  const inserted = await insertRows(
    client,
    tenantUuid,
    living,
    (endpoint) => statusOf.get(endpoint) !== 'enabled',
  );
  await placeInOrder(client, inserted);
  const { rows: queued } = await client.query<{ id: string }>(
    `UPDATE deliveries d
        SET status = CASE WHEN d.attempt_count = 0 THEN 'pending' ELSE 'retrying' END, schedule_step = 0, completed_at = NULL,
            next_attempt_at = CASE WHEN o.claimable_at = 'infinity' THEN NULL ELSE now() END, updated_at = now()
       FROM outbox o
      WHERE o.delivery_id = ANY($1) AND d.id = o.delivery_id AND d.tenant_id = $2 AND d.status = ANY($3)
     RETURNING d.id`,
    [ids, tenantUuid, statuses],
  );
  const taken = new Set(queued.map(({ id }) => id));
  const leftAlone = inserted.filter((id) => !taken.has(id));
  if (leftAlone.length > 0) {
    await client.query('DELETE FROM outbox WHERE delivery_id = ANY($1)', [leftAlone]);
    await freeNextOfEnded(client, leftAlone);
  }
  if (taken.size > 0) await client.query(WAKE_DISPATCHERS);
  return {
    queued: [...taken],
    deletedEndpoint: deliveries.filter(({ endpoint }) => !statusOf.has(endpoint)).map(({ id }) => id),
  };
}

/** One that waits there already goes as a replay, and no later than it would have. @returns those that were not there. */
async function insertRows(
  client: pg.PoolClient,
  tenantUuid: string,
  deliveries: readonly Requeued[],
  isHeld: (endpoint: string) => boolean,
): Promise<string[]> {
  const { rows } = await client.query<{ delivery_id: string; inserted: boolean }>(
    `INSERT INTO outbox AS o (delivery_id, tenant_id, endpoint_id, due_at, claimable_at, trigger)
     SELECT i.id, $1, i.endpoint, now(), CASE WHEN i.held THEN 'infinity'::timestamptz ELSE now() END, 'replay'
       FROM unnest($2::uuid[], $3::uuid[], $4::boolean[]) AS i (id, endpoint, held) ORDER BY i.id
     ON CONFLICT (delivery_id) DO UPDATE
       SET trigger = 'replay', due_at = least(o.due_at, now()), ${GOES_INSTEAD_OF_WAITING},
           claimable_at = CASE WHEN (o.claimed_by IS NULL OR o.lane = 'workflow') AND o.claimable_at < 'infinity' THEN least(o.claimable_at, now())
                               ELSE o.claimable_at END
     RETURNING delivery_id, xmax = 0 AS inserted`,
    [
      tenantUuid,
      deliveries.map(({ id }) => id),
      deliveries.map(({ endpoint }) => endpoint),
      deliveries.map(({ endpoint }) => isHeld(endpoint)),
    ],
  );
  return rows.filter((row) => row.inserted).map((row) => row.delivery_id);
}
