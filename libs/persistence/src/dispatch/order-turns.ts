import type pg from 'pg';
import { PLACES_PER_TURN } from './order-place.sql.js';

/**
 * Runs what may end a delivery, and lets the next under its order key go if it has: in the transaction of the caller, under the key's lock, so
 * that nothing can come between. Does nothing more than that for a delivery of no order.
 */
export async function endingItsTurn<T>(
  client: pg.PoolClient,
  deliveryUuid: string,
  end: () => Promise<T>,
): Promise<T> {
  await client.query({ name: 'order-lock', text: 'SELECT lock_order_of($1)', values: [deliveryUuid] });
  const result = await end();
  await freeNextOfEnded(client, [deliveryUuid]);
  return result;
}

/**
 * Gives outbox rows just made, of deliveries that are to go again, their places under their order keys; those of no order are left as
 * they are. The caller holds their endpoints' rows.
 */
export async function placeInOrder(client: pg.PoolClient, deliveryUuids: readonly string[]): Promise<void> {
  await client.query(
    `WITH again AS (
       SELECT d.id, d.endpoint_id, d.order_key, i.place
         FROM unnest($1::uuid[]) WITH ORDINALITY AS i (id, place)
         JOIN deliveries d ON d.id = i.id AND d.order_key IS NOT NULL
         JOIN endpoints e ON e.id = d.endpoint_id AND e.ordered
     ), lines AS (
       INSERT INTO order_keys AS k (endpoint_id, order_key, head_delivery_id, turn)
       SELECT endpoint_id, order_key, (array_agg(id ORDER BY place))[1], 1
         FROM again GROUP BY endpoint_id, order_key ORDER BY endpoint_id, order_key
       ON CONFLICT (endpoint_id, order_key) DO UPDATE SET turn = k.turn + 1
       RETURNING k.endpoint_id, k.order_key, k.head_delivery_id, k.turn
     )
     UPDATE outbox o
        SET order_key = a.order_key, order_seq = l.turn * ${PLACES_PER_TURN} + a.place,
            order_blocked = l.head_delivery_id <> a.id,
            claimable_at = CASE WHEN l.head_delivery_id <> a.id THEN 'infinity' ELSE o.claimable_at END
       FROM again a JOIN lines l ON l.endpoint_id = a.endpoint_id AND l.order_key = a.order_key
      WHERE o.delivery_id = a.id`,
    [deliveryUuids],
  );
}

/** Lets the next go where one of these is first under its key and has ended, or is gone with its partition. */
export async function freeNextOfEnded(
  client: pg.PoolClient,
  deliveryUuids: readonly string[],
): Promise<void> {
  await client.query({ name: 'order-free-next', text: FREE_NEXT_SQL, values: [deliveryUuids] });
}

const FREE_NEXT_SQL = `
SELECT free_next_in_order(i.id) FROM unnest($1::uuid[]) AS i (id) WHERE NOT EXISTS (
  SELECT 1 FROM deliveries d WHERE d.id = i.id AND d.status IN ('pending', 'in_progress', 'retrying'))`;
