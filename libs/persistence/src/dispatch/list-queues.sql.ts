import { OUTBOX_LANES } from '@hookstream/domain';
import { HELD_OR_LIMITED_UNTIL, HELD_UNTIL, limitsOf } from './endpoint-limits.sql.js';

/** The first row of the next queue of a lane within `bounds`: one descent of the index, however many rows the queues hold. */
const nextQueue = (lane: string, bounds: string): string => `
  SELECT o.tenant_id, o.endpoint_id, o.claimable_at FROM outbox o
   WHERE o.lane = ${lane} AND o.claimable_at < 'infinity' AND ${bounds}
   ORDER BY o.tenant_id, o.endpoint_id, o.claimable_at LIMIT 1`;

/** For how long a listed queue's first row could have gone, in ms, where its endpoint held it back until then. */
const couldHaveGoneFor = (heldUntil: string): string =>
  `(extract(epoch FROM now() - greatest(q.claimable_at, ${heldUntil})) * 1000)::float8`;

/**
 * Up to $3 queues of lane $4 of the outbox, those behind the pair ($1 tenant, $2 endpoint) first and then from the beginning up to it, each with the
 * time of its first row and what its limits let go. A loose index scan: its cost is the number of queues, not of what waits in them.
 */
export const LIST_QUEUES_SQL = `
WITH RECURSIVE ahead AS (
  (${nextQueue('$4', '(o.tenant_id, o.endpoint_id) > ($1::uuid, $2::uuid)')})
  UNION ALL
  SELECT n.* FROM ahead a CROSS JOIN LATERAL (
    ${nextQueue('$4', '(o.tenant_id, o.endpoint_id) > (a.tenant_id, a.endpoint_id)')}) n
), behind AS (
  (${nextQueue('$4', '(o.tenant_id, o.endpoint_id) <= ($1::uuid, $2::uuid)')})
  UNION ALL
  SELECT n.* FROM behind b CROSS JOIN LATERAL (
    ${nextQueue('$4', '(o.tenant_id, o.endpoint_id) > (b.tenant_id, b.endpoint_id) AND (o.tenant_id, o.endpoint_id) <= ($1::uuid, $2::uuid)')}) n
), listed AS (
  SELECT q.*, row_number() OVER () AS place
    FROM (SELECT *, false AS wrapped FROM ahead UNION ALL SELECT *, true FROM behind LIMIT $3) q
)
SELECT q.tenant_id, q.endpoint_id, q.wrapped, t.dispatch_weight AS weight, least(e.max_in_flight, t.max_in_flight) AS max_in_flight, limits.free, limits.tenant_free, limits.full_up,
       greatest(0, extract(epoch FROM q.claimable_at - now()) * 1000)::float8 AS due_in_ms,
       ${couldHaveGoneFor(HELD_UNTIL)} AS waiting_ms,
       (CASE WHEN limits.slots_free <= 0 OR e.circuit_state = 'open' THEN NULL
             WHEN limits.circuit_free = 0 THEN extract(epoch FROM g.probe_until - now())::float8
             WHEN limits.tokens <= 0 THEN (1 - limits.burst) / limits.rate - limits.ago END * 1000)::float8 AS free_in_ms
  FROM listed q
  JOIN endpoints e ON e.id = q.endpoint_id
  JOIN endpoint_gates g ON g.endpoint_id = q.endpoint_id
  JOIN tenants t ON t.id = q.tenant_id
  ${limitsOf('least(q.claimable_at, now())')}
 ORDER BY q.place`;

/**
 * For how long the delivery that waits longest could have gone, in ms; null when none could. What waits behind its endpoint's limits is not
 * late. (Which way the lane `auto` goes is judged without that: slow workflows use limits up as well.) Looks at $1 queues of each lane at most.
 */
export const LONGEST_WAITING_SQL = `
SELECT max(${couldHaveGoneFor(HELD_OR_LIMITED_UNTIL)}) AS ms
  FROM unnest('{${OUTBOX_LANES.join(',')}}'::text[]) AS l (lane)
 CROSS JOIN LATERAL (
    WITH RECURSIVE queues AS (
      (${nextQueue('l.lane', 'true')})
      UNION ALL
      SELECT n.* FROM queues a CROSS JOIN LATERAL (
        ${nextQueue('l.lane', '(o.tenant_id, o.endpoint_id) > (a.tenant_id, a.endpoint_id)')}) n
    )
    SELECT * FROM queues LIMIT $1
  ) q
  JOIN endpoints e ON e.id = q.endpoint_id
  JOIN endpoint_gates g ON g.endpoint_id = q.endpoint_id
  JOIN tenants t ON t.id = q.tenant_id
  ${limitsOf('least(q.claimable_at, now())')}
 WHERE q.claimable_at <= now() AND limits.free > 0 AND coalesce(limits.tenant_free, 1) > 0`;
