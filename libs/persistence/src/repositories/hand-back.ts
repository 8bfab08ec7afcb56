import type pg from 'pg';
import { idToUuid, type AttemptTrigger, type EndpointStatus } from '@hookstream/domain';
import { TAKE_PLACE_SQL } from '../dispatch/order-place.sql.js';
import { endingItsTurn } from '../dispatch/order-turns.js';
import { givesSlotsBack } from '../dispatch/slots.sql.js';
import { inTransaction } from '../database.js';

export interface HandBack {
  /** What the attempt was due to, and is when it goes. Default `schedule`. */
  trigger?: Exclude<AttemptTrigger, 'test'>;
  /** Milliseconds before a dispatcher may take it: the run that hands it back has to close first. Default 0. */
  afterMs?: number;
  /** It has ended and is to be delivered again. */
  again?: boolean;
}

/**
 * Returns a delivery to the outbox because it may not go now, or to go again. One of an order that is not at its turn gets the last place. Uses up no step of its schedule. The share lock on the endpoint makes this and
 * a resume take turns: whichever comes second sees the other. Outbox before delivery, as everybody locks them.
 */
export async function handBackDelivery(
  pool: pg.Pool,
  ids: { deliveryId: string; tenantId: string; endpointId: string },
  scheduleStep: number,
  { trigger = 'schedule', afterMs = 0, again = false }: HandBack,
): Promise<void> {
  const delivery = idToUuid('delivery', ids.deliveryId);
  const endpoint = idToUuid('endpoint', ids.endpointId);
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ status: EndpointStatus; ordered: boolean }>(
      'SELECT status, ordered FROM endpoints WHERE id = $1 AND deleted_at IS NULL FOR SHARE',
      [endpoint],
    );
    const place = rows[0]?.ordered === true ? await lastPlace(client, endpoint, delivery) : undefined;
    const held = rows[0]?.status !== 'enabled' || place?.blocked === true;
    await client.query(
      `INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at, trigger, order_key, order_seq, order_blocked)
       VALUES ($1, $2, $3, now(), CASE WHEN $4 THEN 'infinity' ELSE now() + $5 * interval '1 millisecond' END, $6, $7, $8, $9)
       ON CONFLICT (delivery_id) DO UPDATE
         SET claimable_at = excluded.claimable_at, claimed_by = NULL, trigger = excluded.trigger, lane = excluded.lane, event_id = NULL,
             order_key = excluded.order_key, order_seq = CASE WHEN $10 THEN excluded.order_seq ELSE least(outbox.order_seq, excluded.order_seq) END, order_blocked = excluded.order_blocked`,
      [
        delivery,
        idToUuid('tenant', ids.tenantId),
        endpoint,
        held,
        afterMs,
        trigger,
        place?.key ?? null,
        place?.seq ?? null,
        place?.blocked ?? false,
        again,
      ],
    );
    const { rowCount } = await client.query(
      `WITH ${givesSlotsBack('= $1')}
       UPDATE deliveries SET status = CASE WHEN attempt_count = 0 THEN 'pending' ELSE 'retrying' END, schedule_step = $2,
              next_attempt_at = NULL, completed_at = NULL, updated_at = now()
        WHERE id = $1 AND CASE WHEN $3 THEN status IN ('succeeded', 'dead_letter', 'cancelled') ELSE status <> 'cancelled' END`,
      [delivery, scheduleStep, again],
    );
    // Cancelled meanwhile, or its endpoint deleted, which cancels: a row would wait for nothing.
    if (rows[0] === undefined || rowCount === 0)
      await endingItsTurn(client, delivery, () =>
        client.query('DELETE FROM outbox WHERE delivery_id = $1', [delivery]),
      );
  });
}

interface Place {
  key: string;
  seq: string;
  blocked: boolean;
}

/** The last place under the delivery's order key, or the first where it has it already or nobody waits; undefined: it is of no order. */
async function lastPlace(
  client: pg.PoolClient,
  endpointUuid: string,
  deliveryUuid: string,
): Promise<Place | undefined> {
  const { rows } = await client.query<{ order_key: string | null }>(
    'SELECT order_key FROM deliveries WHERE id = $1',
    [deliveryUuid],
  );
  const key = rows[0]?.order_key;
  if (key === undefined || key === null) return undefined;
  const placed = await client.query<Omit<Place, 'key'>>(TAKE_PLACE_SQL, [endpointUuid, key, deliveryUuid]);
  const [place] = placed.rows;
  return place && { key, ...place };
}
