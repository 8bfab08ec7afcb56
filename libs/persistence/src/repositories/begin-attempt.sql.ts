import { COMMITS_AT_ONCE } from '../commits-at-once.sql.js';
import { CHANGED_OR_LIMITED_UNTIL } from '../dispatch/endpoint-limits.sql.js';
import { SLOT_LEAST_SPARE_MS, slotOfAttempt } from '../dispatch/slots.sql.js';

/**
 * Loads the delivery $1 and marks it in progress when its attempt number $2 with trigger $3 in lane $4 may go: unless it was recorded
 * before, the delivery is final (a replay or test goes all the same), its endpoint holds deliveries, it has not been let go (no
 * slot), another is before it under its order key, or its circuit is not closed (a half-open one's probe goes). A test goes whatever limits and circuit say.
 * A mark that a crash of Postgres loses is made again, or overtaken by what is recorded.
 */
export const BEGIN_ATTEMPT_SQL = `
WITH begun AS (
  UPDATE deliveries d SET status = 'in_progress', lane = $4, next_attempt_at = NULL, completed_at = NULL, updated_at = now()
    FROM endpoints e
   WHERE ${COMMITS_AT_ONCE} AND d.id = $1 AND d.attempt_count < $2 AND e.id = d.endpoint_id AND e.deleted_at IS NULL
     AND (d.status IN ('pending', 'in_progress', 'retrying') OR $3 IN ('replay', 'test'))
     AND ($3 = 'test' OR (
       e.status = 'enabled'
       AND (NOT e.ordered OR d.order_key IS NULL OR EXISTS (SELECT 1 FROM order_keys k WHERE k.head_delivery_id = $1))
       AND EXISTS (SELECT 1 FROM slots s WHERE s.delivery_id = $1 AND s.expires_at > now())
       AND (e.circuit_state = 'closed' OR (e.circuit_state = 'half_open' AND EXISTS (
         SELECT 1 FROM endpoint_gates g
          WHERE g.endpoint_id = e.id AND g.probe_delivery_id = $1 AND g.probe_until > now())))))
  RETURNING d.id, e.timeout_ms
), kept AS (
  UPDATE slots s SET expires_at = ${slotOfAttempt('b.timeout_ms')}
    FROM begun b
   WHERE s.delivery_id = b.id AND s.expires_at < ${slotOfAttempt('b.timeout_ms', SLOT_LEAST_SPARE_MS)}
)
SELECT d.tenant_id, d.endpoint_id, d.event_id, d.event_type, d.status, d.attempt_count, ev.payload, ev.traceparent,
       coalesce(ev.deliver_at, d.created_at) AS due_at, ${CHANGED_OR_LIMITED_UNTIL} AS held_until,
       d.order_key IS NOT NULL AS in_order,
       e.ordered AND d.order_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM order_keys k WHERE k.head_delivery_id = $1) AS waits_turn,
       e.id IS NULL AS endpoint_deleted, e.url, e.status AS endpoint_status, e.timeout_ms, e.retry, e.signature, e.headers,
       e.circuit, e.circuit_state, e.circuit_turn, e.failing_since, e.recovering,
       (SELECT array_agg(s.ciphertext ORDER BY s.id DESC) FROM endpoint_secrets s
         WHERE s.endpoint_id = d.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > now())) AS secrets,
       EXISTS (SELECT 1 FROM begun) AS begun
  FROM deliveries d
  LEFT JOIN endpoints e ON e.id = d.endpoint_id AND e.deleted_at IS NULL
  LEFT JOIN endpoint_gates g ON g.endpoint_id = e.id
  LEFT JOIN events ev ON ev.id = d.event_id
 WHERE d.id = $1`;
