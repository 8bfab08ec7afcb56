import { idToUuid } from '@hookstream/domain';
import pg from 'pg';

const AT_ONCE = 100_000;

/** The id of row $n and kind $k: a UUIDv7 of now (RFC 9562, 5.7), different for every n and k. */
const uuidOf = (kind: number): string =>
  `(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
    || '${kind === 0 ? 8 : 9}' || substr(md5(n::text), 1, 15))::uuid`;

/**
 * Writes deliveries that are due into the instance's database as accepting would have, only faster: `count` events of some 200 bytes, each
 * for the one endpoint. Bodies are never looked at before they are sent.
 */
export async function writePendingRows(
  databaseUrl: string,
  endpointId: string,
  count: number,
  progress: (written: number) => void,
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (let from = 0; from < count; from += AT_ONCE) {
      const to = Math.min(count, from + AT_ONCE);
      await client.query(
        `WITH rows AS (
           SELECT e.tenant_id, e.id AS endpoint_id, n, ${uuidOf(0)} AS event_id, ${uuidOf(1)} AS delivery_id
             FROM endpoints e, generate_series($2::int, $3::int - 1) AS n WHERE e.id = $1
         ), new_events AS (
           INSERT INTO events (id, tenant_id, type, payload, created_at)
           SELECT event_id, tenant_id, 'bench.pending', '{"type":"bench.pending","data":"' || repeat('x', 160) || '"}', now() FROM rows
         ), new_deliveries AS (
           INSERT INTO deliveries (id, tenant_id, event_id, endpoint_id, event_type, status, lane, next_attempt_at, created_at, updated_at)
           SELECT delivery_id, tenant_id, event_id, endpoint_id, 'bench.pending', 'pending', 'durable', now(), now(), now() FROM rows
         )
         INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at)
         SELECT delivery_id, tenant_id, endpoint_id, now(), now() FROM rows`,
        [idToUuid('endpoint', endpointId), from, to],
      );
      progress(to);
    }
    await client.query('ANALYZE outbox, deliveries, events');
  } finally {
    await client.end();
  }
}

/** How many rows the outbox has. */
export async function countPending(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM outbox');
    return rows[0]?.count ?? 0;
  } finally {
    await client.end();
  }
}
