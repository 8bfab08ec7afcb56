import { COMMITS_AT_ONCE } from '../commits-at-once.sql.js';
import { HELD_OR_LIMITED_UNTIL, limitsOf, tatAfter } from './endpoint-limits.sql.js';

const LEASE = `($4 * interval '1 millisecond')`;

/** The due rows of a queue, oldest first. */
const dueRows = (queue: string, most: string): string => `
      SELECT o.delivery_id, o.due_at, o.trigger, o.event_id, o.order_key FROM outbox o
       WHERE o.lane = $6 AND o.tenant_id = ${queue}.tenant_id AND o.endpoint_id = ${queue}.endpoint_id
         AND o.claimable_at < 'infinity' AND o.claimable_at <= now()
       ORDER BY o.claimable_at LIMIT ${most} FOR UPDATE SKIP LOCKED`;

/**
 * Who took a row decides its lane from then on: somebody else who takes it after the lease must not do it the other way. One that was taken for a
 * workflow may have made attempts by then, whatever becomes of the row: its event alone no longer tells what it is.
 */
const LEASED = `
  UPDATE outbox SET claimable_at = now() + ${LEASE}, claimed_by = $5, lane = $7, event_id = CASE WHEN $7 = 'express' THEN event_id END
   WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM picked))`;

/** Looked up one by one (`OFFSET 0` holds the planner to it): a long outbox must not make it scan partitions. */
const theDelivery = (where = ''): string =>
  `LEFT JOIN LATERAL (SELECT * FROM deliveries WHERE id = p.delivery_id ${where} OFFSET 0) d ON true`;

/**
 * Takes up to $3[i] due rows of the queue ($1[i] tenant, $2[i] endpoint) of lane $6 under a lease of $4 ms for worker $5, from then on in lane
 * $7: one statement for all queues. $8[i] says that this is all its pace lets go.
 *
 * A slot and a probe count as long as the lease: what died with its worker makes room at the moment at which it can be claimed again.
 *
 * What makes limits hold across workers: whoever lets deliveries go holds the endpoint's gate and raises its version. A gate that
 * somebody holds, or that somebody raised since this statement's snapshot (whose slots it therefore cannot see), is left out and
 * answered as not `locked`: try again. So the slots counted here are all there are, and stay so until the commit.
 */
const TAKE = `
WITH asked AS MATERIALIZED (
  SELECT a.tenant_id, a.endpoint_id, g.version, e.url, e.timeout_ms, e.circuit_state, limits.rate, limits.burst, limits.ago,
         a.n AS wanted, a.is_all, greatest(0, least(limits.free, limits.tenant_free - (sum(a.n) OVER same_tenant - a.n)))::int AS free,
         ${HELD_OR_LIMITED_UNTIL} AS held_until
    FROM unnest($1::uuid[], $2::uuid[], $3::int[], $8::boolean[]) AS a (tenant_id, endpoint_id, n, is_all)
    JOIN endpoints e ON e.id = a.endpoint_id
    JOIN endpoint_gates g ON g.endpoint_id = a.endpoint_id
    JOIN tenants t ON t.id = a.tenant_id
    LEFT JOIN LATERAL (
      SELECT o.claimable_at FROM outbox o
       WHERE e.rate_limit IS NOT NULL AND o.lane = $6 AND o.tenant_id = a.tenant_id AND o.endpoint_id = a.endpoint_id
         AND o.claimable_at < 'infinity'
       ORDER BY o.claimable_at LIMIT 1) first ON true
    ${limitsOf('least(first.claimable_at, now())')}
   WHERE ${COMMITS_AT_ONCE}
  WINDOW same_tenant AS (PARTITION BY a.tenant_id ORDER BY a.endpoint_id)
), gates AS MATERIALIZED (
  SELECT a.*, least(a.wanted, a.free) AS n, a.is_all OR a.wanted >= a.free AS limited
    FROM asked a JOIN endpoint_gates g ON g.endpoint_id = a.endpoint_id
   WHERE g.version = a.version
   ORDER BY a.endpoint_id FOR UPDATE OF g SKIP LOCKED
), picked AS MATERIALIZED (
  SELECT g.tenant_id, g.endpoint_id, g.timeout_ms, p.delivery_id, p.due_at, p.trigger, p.event_id, p.order_key
    FROM gates g CROSS JOIN LATERAL (${dueRows('g', 'g.n')}) p
), leased AS (${LEASED}
), slotted AS (
  INSERT INTO slots AS s (delivery_id, endpoint_id, tenant_id, expires_at)
  SELECT delivery_id, endpoint_id, tenant_id, now() + ${LEASE} FROM picked
  ON CONFLICT (delivery_id) DO UPDATE SET expires_at = excluded.expires_at
), taken AS (
  UPDATE endpoint_gates g
     SET version = g.version + 1, limited_at = CASE WHEN a.limited AND p.n = a.n THEN now() ELSE g.limited_at END,
         tat = CASE WHEN a.rate IS NULL THEN g.tat ELSE ${tatAfter('a', 'p.n')} END,
         probe_delivery_id = CASE WHEN a.circuit_state = 'half_open' THEN p.delivery_id ELSE g.probe_delivery_id END,
         probe_until = CASE WHEN a.circuit_state = 'half_open' THEN now() + ${LEASE} ELSE g.probe_until END
    FROM (SELECT endpoint_id, count(*) AS n, (array_agg(delivery_id))[1] AS delivery_id FROM picked GROUP BY endpoint_id) p
    JOIN gates a ON a.endpoint_id = p.endpoint_id
   WHERE g.endpoint_id = p.endpoint_id
)`;

/**
 * With what an attempt needs; what belongs to the endpoint stands in the first row of each (`is_first`). A delivery that is as it was accepted is
 * not looked up: outbox and event tell all of it.
 * @param payload an expression
 * @param columns more of them
 */
const withAttempts = (payload: string, columns = ''): string => `${TAKE}
SELECT a.endpoint_id, g.endpoint_id IS NOT NULL AS locked, a.rate, a.burst, a.ago, p.is_first, a.tenant_id AS owner_id,
       p.delivery_id, p.trigger, ${columns}
       CASE WHEN p.event_id IS NULL THEN d.tenant_id WHEN ev.type IS NOT NULL THEN a.tenant_id
            ELSE (SELECT tenant_id FROM deliveries WHERE id = p.delivery_id) END AS tenant_id,
       coalesce(p.event_id, d.event_id) AS event_id, coalesce(d.event_type, ev.type, '') AS event_type,
       coalesce(d.status, 'pending') AS status, coalesce(d.attempt_count, 0) AS attempt_count, coalesce(d.schedule_step, 0) AS schedule_step,
       coalesce(p.order_key, d.order_key) IS NOT NULL AS in_order, ev.payload, ev.traceparent,
       (extract(epoch FROM coalesce(ev.deliver_at, d.created_at, ev.created_at)) * 1000)::float8 AS due_at_ms,
       (extract(epoch FROM a.held_until) * 1000)::float8 AS held_until_ms,
       e.url, e.status AS endpoint_status, e.deleted_at IS NOT NULL AS endpoint_deleted, e.timeout_ms, e.retry, e.signature, e.headers,
       e.circuit, e.circuit_state, e.circuit_turn, e.failing_since, e.recovering,
       CASE WHEN p.is_first THEN (SELECT array_agg(s.ciphertext ORDER BY s.id DESC) FROM endpoint_secrets s
         WHERE s.endpoint_id = a.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > now())) END AS secrets
  FROM asked a
  LEFT JOIN gates g ON g.endpoint_id = a.endpoint_id
  LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY endpoint_id ORDER BY due_at) = 1 AS is_first FROM picked) p
    ON p.endpoint_id = a.endpoint_id
  LEFT JOIN endpoints e ON p.is_first AND e.id = a.endpoint_id
  ${theDelivery('AND p.event_id IS NULL')}
  LEFT JOIN LATERAL (SELECT type, ${payload} AS payload, deliver_at, created_at, traceparent
                       FROM events WHERE id = coalesce(p.event_id, d.event_id) OFFSET 0) ev ON true
 ORDER BY p.due_at, p.is_first DESC`;

export const TAKE_TO_ATTEMPT_SQL = withAttempts('payload');

/** A larger one is loaded when its attempt begins: until then it would be in memory for nothing. */
const MOST_KEPT_BYTES = 65_536;

/** With what starting a workflow needs, and where a delivery is as it was accepted also its first attempt. */
export const TAKE_TO_START_SQL = withAttempts(
  `CASE WHEN p.event_id IS NOT NULL AND octet_length(payload) <= ${MOST_KEPT_BYTES} THEN payload END`,
  `a.url AS taken_url, p.due_at AS taken_due_at, NULL::timestamptz AS next_attempt_at, p.event_id IS NOT NULL AS as_accepted,
       coalesce(d.lane, 'durable') AS lane, coalesce(d.created_at, ev.created_at, p.due_at) AS created_at,`,
);

/** The same past limits, circuit and slots, with what starting a workflow needs: the next attempt asks for them when it is due. */
export const TAKE_FAILED_SQL = `
WITH asked AS MATERIALIZED (
  SELECT a.tenant_id, a.endpoint_id, a.n, e.url
    FROM unnest($1::uuid[], $2::uuid[], $3::int[], $8::boolean[]) AS a (tenant_id, endpoint_id, n, is_all)
    JOIN endpoints e ON e.id = a.endpoint_id
   WHERE ${COMMITS_AT_ONCE}
), picked AS MATERIALIZED (
  SELECT a.endpoint_id, p.* FROM asked a CROSS JOIN LATERAL (${dueRows('a', 'a.n')}) p
), leased AS (${LEASED}
)
SELECT a.endpoint_id, true AS locked, NULL::float8 AS rate, 0::float8 AS burst, 0::float8 AS ago, a.url AS taken_url,
       p.delivery_id, p.due_at AS taken_due_at, p.trigger, d.next_attempt_at,
       d.tenant_id, d.event_id, d.event_type, d.status, d.lane, d.attempt_count, d.schedule_step, d.created_at
  FROM asked a
  LEFT JOIN picked p ON p.endpoint_id = a.endpoint_id
  ${theDelivery()}
 ORDER BY p.due_at`;
