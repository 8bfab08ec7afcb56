import type pg from 'pg';
import { uuidToId } from '@hookstream/domain';
import type { EndpointKey } from './circuits.repository.js';

/** A probe whose outcome is recorded while the circuit is still half open. */
export interface AnsweredProbe extends EndpointKey {
  url: string;
  /** Of the circuit whose probe it is. */
  turn: number;
  eventType: string;
  succeeded: boolean;
  at: Date;
}

/**
 * Probes of half-open circuits. One has a slot from when it is let go until its attempt is recorded; what gives the slot back otherwise gives the
 * probe back with it. After `probe_until` a slot may be gone unrecorded, and the next delivery probes anyway.
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
         FROM (SELECT e.id, e.tenant_id, e.url, e.circuit_turn, e.circuit_changed_at, g.probe_delivery_id
                 FROM endpoints e JOIN endpoint_gates g ON g.endpoint_id = e.id
                WHERE e.circuit_state = 'half_open' AND e.deleted_at IS NULL AND g.probe_until > now()
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
}
