import type pg from 'pg';
import { idToUuid, type AttemptTrigger, type EndpointStatus } from '@hookstream/domain';
import { givesSlotsBack } from '../dispatch/slots.sql.js';
import { inTransaction } from '../database.js';

export interface HandBack {
  /** What the attempt was due to, and is when it goes. Default `schedule`. */
  trigger?: Exclude<AttemptTrigger, 'test'>;
  /** Milliseconds before a dispatcher may take it: the run that hands it back has to close first. Default 0. */
  afterMs?: number;
}

/**
 * Returns a delivery to the outbox because it may not go now. Uses up no step of its schedule. The share lock on the endpoint makes this and
 * a resume take turns: whichever comes second sees the other. Outbox before delivery, as everybody locks them.
 */
export async function handBackDelivery(
  pool: pg.Pool,
  ids: { deliveryId: string; tenantId: string; endpointId: string },
  scheduleStep: number,
  { trigger = 'schedule', afterMs = 0 }: HandBack,
): Promise<void> {
  const delivery = idToUuid('delivery', ids.deliveryId);
  const endpoint = idToUuid('endpoint', ids.endpointId);
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ status: EndpointStatus }>(
      'SELECT status FROM endpoints WHERE id = $1 AND deleted_at IS NULL FOR SHARE',
      [endpoint],
    );
    const held = rows[0]?.status !== 'enabled';
    await client.query(
      `INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at, trigger)
       VALUES ($1, $2, $3, now(), CASE WHEN $4 THEN 'infinity' ELSE now() + $5 * interval '1 millisecond' END, $6)
       ON CONFLICT (delivery_id) DO UPDATE
         SET claimable_at = excluded.claimable_at, claimed_by = NULL, trigger = excluded.trigger`,
      [delivery, idToUuid('tenant', ids.tenantId), endpoint, held, afterMs, trigger],
    );
    const { rowCount } = await client.query(
      `WITH ${givesSlotsBack('= $1')}
       UPDATE deliveries SET status = CASE WHEN attempt_count = 0 THEN 'pending' ELSE 'retrying' END, schedule_step = $2,
              next_attempt_at = NULL, completed_at = NULL, updated_at = now()
        WHERE id = $1 AND status <> 'cancelled'`,
      [delivery, scheduleStep],
    );
    // Cancelled meanwhile, or its endpoint deleted, which cancels: a row would wait for nothing.
    if (rows[0] === undefined || rowCount === 0)
      await client.query('DELETE FROM outbox WHERE delivery_id = $1', [delivery]);
  });
}
