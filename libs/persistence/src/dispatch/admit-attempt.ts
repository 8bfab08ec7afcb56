import type pg from 'pg';
import { inTransaction } from '../database.js';
import { limitsOf, tatAfter } from './endpoint-limits.sql.js';
import { slotOfAttempt } from './slots.sql.js';

/** What keeps a delivery of an endpoint that is enabled from going. */
export type Refusal = 'order_busy' | 'circuit_open' | 'probe_under_way' | 'in_flight_limit' | 'rate_limit';

const TAKE_ONE = `
WITH asked AS (
  SELECT e.id, e.tenant_id, e.timeout_ms, e.circuit_state, limits.*
    FROM endpoints e
    JOIN endpoint_gates g ON g.endpoint_id = e.id
    JOIN tenants t ON t.id = e.tenant_id
    ${limitsOf('now()', '$1')}
   WHERE e.id = $2
), slot AS (
  INSERT INTO slots AS s (delivery_id, endpoint_id, tenant_id, expires_at)
  SELECT $1, id, tenant_id, ${slotOfAttempt('timeout_ms')}
    FROM asked WHERE free > 0 AND coalesce(tenant_free, 1) > 0
  ON CONFLICT (delivery_id) DO UPDATE SET expires_at = excluded.expires_at
  RETURNING delivery_id, expires_at
), gate AS (
  UPDATE endpoint_gates g
     SET version = g.version + 1,
         tat = CASE WHEN a.rate IS NULL THEN g.tat ELSE ${tatAfter('a', '1')} END,
         probe_delivery_id = CASE WHEN a.circuit_state = 'half_open' THEN s.delivery_id ELSE g.probe_delivery_id END,
         probe_until = CASE WHEN a.circuit_state = 'half_open' THEN s.expires_at ELSE g.probe_until END
    FROM asked a, slot s WHERE g.endpoint_id = a.id
)
SELECT CASE WHEN EXISTS (SELECT 1 FROM slot) THEN NULL
            WHEN circuit_state = 'open' THEN 'circuit_open'
            WHEN circuit_free <= 0 THEN 'probe_under_way'
            WHEN slots_free <= 0 OR tenant_free <= 0 THEN 'in_flight_limit'
            ELSE 'rate_limit' END AS refusal
  FROM asked`;

/**
 * Lets one delivery go that the dispatcher has not: one whose retry is due, or that a person asked for. Takes a slot, a token and, while
 * the circuit is half open, the probe; all or nothing. The gate is locked by a statement of its own, so that the next sees
 * every slot taken before.
 * @returns what keeps it from going, or undefined when it may.
 */
export function admitAttempt(
  pool: pg.Pool,
  deliveryUuid: string,
  endpointUuid: string,
): Promise<Refusal | undefined> {
  return inTransaction(pool, async (client) => {
    await client.query({
      name: 'attempt-lock-gate',
      text: 'SELECT 1 FROM endpoint_gates WHERE endpoint_id = $1 FOR UPDATE',
      values: [endpointUuid],
    });
    const { rows } = await client.query<{ refusal: Refusal | null }>({
      name: 'attempt-admit',
      text: TAKE_ONE,
      values: [deliveryUuid, endpointUuid],
    });
    return rows[0]?.refusal ?? undefined;
  });
}
