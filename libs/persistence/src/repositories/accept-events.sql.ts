import { PLACES_PER_TURN } from '../dispatch/order-place.sql.js';
import { notifyOf } from './outbox-wake-up.sql.js';

/**
 * Accepts a whole group in one statement, which is one transaction by itself: idempotency keys first, then only the
 * events whose key was free (or that have none), their deliveries and outbox rows, and the dispatcher's wake-up when
 * something is due. An idempotency key in use makes its event drop out; a key past its end is taken over. Keys are
 * inserted in order, so that two groups with the same keys wait for each other and never deadlock.
 *
 * A delivery whose endpoint is paused is held. What the caller took for paused ($16) is looked at again under a share lock, so that
 * no held row is made while a resume releases what is held: whichever comes second sees the other.
 *
 * Deliveries of ordered endpoints ($18 is their key) take their places under the lock of their key; only the first of a key may go. Keys are
 * locked in order too.
 *
 * Events of a tenant whose endpoints are not as the caller remembers them ($19 tenants, $20 versions) drop out, and the tenant is told.
 *
 * $1–$10, $17 and $21 are one array per column of an event, $11–$15 and $18 of a delivery.
 */
export const ACCEPT_EVENTS_SQL = `
WITH outdated AS (
  SELECT r.tenant_id FROM unnest($19::uuid[], $20::bigint[]) AS r (tenant_id, version)
   WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = r.tenant_id AND t.endpoints_version = r.version)
), input AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                       $7::text[], $8::bytea[], $9::jsonb[], $10::timestamptz[], $17::jsonb[], $21::text[])
    AS i (id, tenant_id, type, payload, deliver_at, created_at, key, request_hash, response, key_expires_at, schema_errors, traceparent)
   WHERE i.tenant_id NOT IN (SELECT tenant_id FROM outdated)
), keys AS (
  INSERT INTO idempotency_keys AS k (tenant_id, key, request_hash, response, created_at, expires_at)
  SELECT tenant_id, key, request_hash, response, created_at, key_expires_at
    FROM input WHERE key IS NOT NULL ORDER BY tenant_id, key
  ON CONFLICT (tenant_id, key) DO UPDATE
    SET request_hash = excluded.request_hash, response = excluded.response,
        created_at = excluded.created_at, expires_at = excluded.expires_at
    WHERE k.expires_at <= now()
  RETURNING k.tenant_id, k.key
), accepted AS (
  SELECT i.* FROM input i
   WHERE i.key IS NULL OR EXISTS (SELECT 1 FROM keys k WHERE k.tenant_id = i.tenant_id AND k.key = i.key)
), new_events AS (
  INSERT INTO events (id, tenant_id, type, payload, deliver_at, created_at, schema_errors, traceparent)
  SELECT id, tenant_id, type, payload, deliver_at, created_at, schema_errors, traceparent FROM accepted
), paused AS (
  SELECT id FROM endpoints WHERE id = ANY ($16::uuid[]) AND status = 'paused' ORDER BY id FOR SHARE
), fan_out AS (
  SELECT d.id, d.endpoint_id, d.lane, coalesce(d.due_at, now()) AS due_at,
         CASE WHEN p.id IS NULL THEN coalesce(d.due_at, now()) ELSE 'infinity' END AS claimable_at,
         a.id AS event_id, a.tenant_id, a.type, a.created_at, d.order_key, d.place
    FROM unnest($11::uuid[], $12::uuid[], $13::uuid[], $14::text[], $15::timestamptz[], $18::text[])
           WITH ORDINALITY AS d (id, event_id, endpoint_id, lane, due_at, order_key, place)
    JOIN accepted a ON a.id = d.event_id
    LEFT JOIN paused p ON p.id = d.endpoint_id
), lines AS (
  INSERT INTO order_keys AS k (endpoint_id, order_key, head_delivery_id, turn)
  SELECT endpoint_id, order_key, (array_agg(id ORDER BY place))[1], 1
    FROM fan_out WHERE order_key IS NOT NULL GROUP BY endpoint_id, order_key ORDER BY endpoint_id, order_key
  ON CONFLICT (endpoint_id, order_key) DO UPDATE SET turn = k.turn + 1
  RETURNING k.endpoint_id, k.order_key, k.head_delivery_id, k.turn
), placed AS (
  SELECT f.id, f.endpoint_id, f.lane, f.due_at, f.event_id, f.tenant_id, f.type, f.created_at, f.order_key,
         l.turn * ${PLACES_PER_TURN} + f.place AS order_seq,
         coalesce(l.head_delivery_id <> f.id, false) AS order_blocked,
         CASE WHEN l.head_delivery_id <> f.id THEN 'infinity' ELSE f.claimable_at END AS claimable_at
    FROM fan_out f
    LEFT JOIN lines l ON l.endpoint_id = f.endpoint_id AND l.order_key = f.order_key
), new_deliveries AS (
  INSERT INTO deliveries (id, tenant_id, event_id, endpoint_id, event_type, status, lane, next_attempt_at, order_key, created_at, updated_at)
  SELECT id, tenant_id, event_id, endpoint_id, type, 'pending', lane,
         CASE WHEN claimable_at = 'infinity' THEN NULL ELSE due_at END, order_key, created_at, created_at FROM placed
), new_outbox AS (
  INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, event_id, due_at, claimable_at, lane, order_key, order_seq, order_blocked)
  SELECT id, tenant_id, endpoint_id, event_id, due_at, claimable_at, lane, order_key, order_seq, order_blocked FROM placed
), due AS (
  SELECT lane, tenant_id, endpoint_id FROM placed WHERE claimable_at <= now()
), wake AS (${notifyOf('due')}
)
SELECT a.id, NULL::uuid AS outdated_tenant, (SELECT count(*) FROM wake) AS woken FROM accepted a
 UNION ALL SELECT NULL, tenant_id, 0 FROM outdated`;
