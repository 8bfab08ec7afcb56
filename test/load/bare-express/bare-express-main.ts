// Bare express: rows claimed with a lease, signed, posted over kept connections and recorded in groups, in tables without anything that
// is not needed for that. No limits, no circuits, no fairness, no statistics, no address guard.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { Pool } from 'undici';
import { answerCalls } from '../children/child-calls.js';
import { monotonicMs } from '../generator/clock.js';
import type { BareExpressHandlers } from './bare-express-protocol.js';

const BATCH = 200;
/** Batches at once: one is claimed and recorded while another is sent. */
const BATCHES = 3;
const CONNECTIONS = 64;

const [databaseUrl, sinkOrigin] = process.argv.slice(2) as [string, string];
const pool = new pg.Pool({ connectionString: databaseUrl, max: BATCHES });
const sink = new Pool(sinkOrigin, { connections: CONNECTIONS, pipelining: 1 });
const key = randomBytes(32);

await pool.query(`
  DROP TABLE IF EXISTS bare_outbox, bare_attempts;
  CREATE TABLE bare_outbox (id uuid PRIMARY KEY, payload text NOT NULL, claimable_at timestamptz NOT NULL);
  CREATE INDEX ON bare_outbox (claimable_at);
  CREATE TABLE bare_attempts (id uuid PRIMARY KEY, status integer NOT NULL, ended_at timestamptz NOT NULL DEFAULT now())`);

async function fill(count: number, bytes: number): Promise<void> {
  await pool.query('TRUNCATE bare_outbox, bare_attempts');
  await pool.query(
    `INSERT INTO bare_outbox SELECT gen_random_uuid(), $2, now() FROM generate_series(1, $1::int)`,
    [count, JSON.stringify({ filling: 'x'.repeat(bytes) })],
  );
}

async function deliver(path: string, id: string, payload: string): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(payload).digest('base64');
  const { statusCode, body } = await sink.request({
    method: 'POST',
    path,
    body: payload,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
      'hookstream-delivery-id': randomUUID(),
      'hookstream-attempt': '1',
    },
  });
  await body.dump();
  return statusCode;
}

/** @returns false when nothing is left */
async function batch(path: string): Promise<boolean> {
  const { rows } = await pool.query<{ id: string; payload: string }>({
    name: 'claim',
    text: `UPDATE bare_outbox SET claimable_at = now() + interval '10 s' WHERE id IN
             (SELECT id FROM bare_outbox WHERE claimable_at <= now() ORDER BY claimable_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
           RETURNING id, payload`,
  });
  if (rows.length === 0) return false;
  const statuses = await Promise.all(rows.map(({ id, payload }) => deliver(path, id, payload)));
  await pool.query({
    name: 'record',
    text: `WITH made AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS m (id, status)),
                done AS (DELETE FROM bare_outbox WHERE id = ANY ($1::uuid[]))
           INSERT INTO bare_attempts (id, status) SELECT id, status FROM made`,
    values: [rows.map(({ id }) => id), statuses],
  });
  return true;
}

const handlers: BareExpressHandlers = {
  drain: async ({ path, count, bytes }) => {
    await fill(count, bytes);
    const startedAt = monotonicMs();
    const lane = async (): Promise<void> => {
      while (await batch(path)) continue;
    };
    await Promise.all(Array.from({ length: BATCHES }, lane));
    return monotonicMs() - startedAt;
  },
};

answerCalls(handlers, async () => {
  await sink.close();
  await pool.end();
});
