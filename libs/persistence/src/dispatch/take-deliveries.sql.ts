import { limitsOf, tatAfter } from './endpoint-limits.sql.js';
import { SLOT_SPARE_MS } from './slots.sql.js';

/**
 * Takes up to $3[i] due rows of the queue ($1[i] tenant, $2[i] endpoint) under a lease of $4 ms for worker $5: one statement for all queues.
 *
 * What makes limits hold across workers: whoever lets deliveries go holds the endpoint's gate and raises its version. A gate that
 * somebody holds, or that somebody raised since this statement's snapshot (whose slots it therefore cannot see), is left out and
 * answered as not `locked`: try again. So the slots counted here are all there are, and stay so until the commit.
 *
 * The deliveries are looked up one by one (\`OFFSET 0\` holds the planner to it): a long outbox must not make it scan partitions.
 */
export const TAKE_DELIVERIES_SQL = `
WITH asked AS MATERIALIZED (
  SELECT a.tenant_id, a.endpoint_id, a.n, g.version, e.url, e.timeout_ms, e.circuit_state,
         limits.free, limits.rate, limits.burst, limits.ago
    FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS a (tenant_id, endpoint_id, n)
    JOIN endpoints e ON e.id = a.endpoint_id
    JOIN endpoint_gates g ON g.endpoint_id = a.endpoint_id
    JOIN tenants t ON t.id = a.tenant_id
    LEFT JOIN LATERAL (
      SELECT o.claimable_at FROM outbox o
       WHERE e.rate_limit IS NOT NULL AND o.tenant_id = a.tenant_id AND o.endpoint_id = a.endpoint_id AND o.claimable_at < 'infinity'
       ORDER BY o.claimable_at LIMIT 1) first ON true
    ${limitsOf('least(first.claimable_at, now())')}
), gates AS MATERIALIZED (
  SELECT a.* FROM asked a JOIN endpoint_gates g ON g.endpoint_id = a.endpoint_id
   WHERE g.version = a.version
   ORDER BY a.endpoint_id FOR UPDATE OF g SKIP LOCKED
), picked AS MATERIALIZED (
  SELECT g.tenant_id, g.endpoint_id, g.timeout_ms, p.delivery_id, p.due_at, p.trigger
    FROM gates g CROSS JOIN LATERAL (
      SELECT o.delivery_id, o.due_at, o.trigger FROM outbox o
       WHERE o.tenant_id = g.tenant_id AND o.endpoint_id = g.endpoint_id AND o.claimable_at < 'infinity' AND o.claimable_at <= now()
       ORDER BY o.claimable_at LIMIT least(g.n, g.free) FOR UPDATE SKIP LOCKED) p
), leased AS (
  UPDATE outbox o SET claimable_at = now() + $4 * interval '1 millisecond', claimed_by = $5
    FROM picked p WHERE o.delivery_id = p.delivery_id
), slotted AS (
  INSERT INTO slots AS s (delivery_id, endpoint_id, tenant_id, expires_at)
  SELECT delivery_id, endpoint_id, tenant_id, now() + ($4 + timeout_ms + ${SLOT_SPARE_MS}) * interval '1 millisecond' FROM picked
  ON CONFLICT (delivery_id) DO UPDATE SET expires_at = excluded.expires_at
), taken AS (
  UPDATE endpoint_gates g
     SET version = g.version + 1,
         tat = CASE WHEN a.rate IS NULL THEN g.tat ELSE ${tatAfter('a', 'p.n')} END,
         probe_delivery_id = CASE WHEN a.circuit_state = 'half_open' THEN p.delivery_id ELSE g.probe_delivery_id END,
         probe_until = CASE WHEN a.circuit_state = 'half_open'
                            THEN now() + ($4 + a.timeout_ms + ${SLOT_SPARE_MS}) * interval '1 millisecond' ELSE g.probe_until END
    FROM (SELECT endpoint_id, count(*) AS n, (array_agg(delivery_id))[1] AS delivery_id FROM picked GROUP BY endpoint_id) p
    JOIN gates a ON a.endpoint_id = p.endpoint_id
   WHERE g.endpoint_id = p.endpoint_id
)
SELECT a.endpoint_id, g.endpoint_id IS NOT NULL AS locked, a.rate, a.burst, a.ago, a.url,
       p.delivery_id, p.due_at, p.trigger,
       d.tenant_id, d.event_id, d.event_type, d.status, d.attempt_count, d.schedule_step, d.created_at
  FROM asked a
  LEFT JOIN gates g ON g.endpoint_id = a.endpoint_id
  LEFT JOIN picked p ON p.endpoint_id = a.endpoint_id
  LEFT JOIN LATERAL (SELECT * FROM deliveries WHERE id = p.delivery_id OFFSET 0) d ON true
 ORDER BY p.due_at`;
