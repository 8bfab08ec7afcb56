import type pg from 'pg';
import { uuidToId } from '@hookstream/domain';
import type { EndpointKey } from './circuits.repository.js';
import { WAKE_DISPATCHERS } from './outbox-wake-up.sql.js';

/** A probe whose outcome is recorded while the circuit is still half open. */
export interface AnsweredProbe extends EndpointKey {
  url: string;
  /** Of the circuit whose probe it is. */
  turn: number;
  eventType: string;
  succeeded: boolean;
  at: Date;
}

/** Half-open circuits `e` with their gates `g`, whose probe keeps others back. */
const PROBED = `FROM endpoints e JOIN endpoint_gates g ON g.endpoint_id = e.id
        WHERE e.circuit_state = 'half_open' AND e.deleted_at IS NULL AND g.probe_until > now()`;

/**
 * Probes that a worker which died has left: nothing else goes to their endpoint until `probe_until`, long after. A probe has a slot from when it is
 * let go until its attempt is recorded; what gives the slot back otherwise gives the probe back with it.
 */
export class ProbesRepository {
  constructor(private readonly pool: pg.Pool) {}

  /** Those that were recorded at least `olderThanMs` ago: whoever recorded them has not told the breaker. */
  async answered(olderThanMs: number, limit: number): Promise<AnsweredProbe[]> {
    const { rows } = await this.pool.query<{
      id: string;
      tenant_id: string;
      url: string;
      circuit_turn: number;
      event_type: string;
      last_outcome: string;
      updated_at: Date;
    }>(
      `SELECT p.*, d.event_type, d.last_outcome, d.updated_at
         FROM (SELECT e.id, e.tenant_id, e.url, e.circuit_turn, e.circuit_changed_at, g.probe_delivery_id ${PROBED}
                  AND NOT EXISTS (SELECT 1 FROM slots s WHERE s.delivery_id = g.probe_delivery_id)
                ORDER BY e.id LIMIT $2) p
         CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE id = p.probe_delivery_id OFFSET 0) d
        WHERE d.updated_at > p.circuit_changed_at AND d.updated_at < now() - $1 * interval '1 millisecond'
          AND d.last_outcome IS NOT NULL`,
      [olderThanMs, limit],
    );
    return rows.map((row) => ({
      tenantId: uuidToId('tenant', row.tenant_id),
      endpointId: uuidToId('endpoint', row.id),
      url: row.url,
      turn: row.circuit_turn,
      eventType: row.event_type,
      succeeded: row.last_outcome === 'succeeded',
      at: row.updated_at,
    }));
  }

  /**
   * Lets go of probes whose lease has ended unrecorded, so that the next may go, which can be the same delivery. One whose workflow has been
   * started has no lease: Temporal gives it to another worker.
   * @returns how many
   */
  async releaseLost(): Promise<number> {
    const { rowCount } = await this.pool.query(
      `WITH lost AS MATERIALIZED (
         SELECT g.endpoint_id, g.probe_delivery_id
           FROM endpoint_gates g
          WHERE g.endpoint_id IN (SELECT e.id ${PROBED})
            AND EXISTS (SELECT 1 FROM slots s WHERE s.delivery_id = g.probe_delivery_id)
            AND EXISTS (SELECT 1 FROM outbox o
                         WHERE o.delivery_id = g.probe_delivery_id AND o.claimed_by IS NOT NULL AND o.claimable_at <= now())
          ORDER BY g.endpoint_id FOR UPDATE SKIP LOCKED
       ), slot AS (
         DELETE FROM slots WHERE delivery_id = ANY (ARRAY(SELECT probe_delivery_id FROM lost))
       )
       UPDATE endpoint_gates g SET probe_delivery_id = NULL, probe_until = NULL, version = version + 1
         FROM lost l WHERE g.endpoint_id = l.endpoint_id`,
    );
    if (rowCount !== 0) await this.pool.query(WAKE_DISPATCHERS);
    return rowCount ?? 0;
  }
}
