// Bare accepting: plain Fastify and `pg`, group commit of the same rows into tables of the same shape on the same Postgres server.
// Nothing is authenticated, checked, limited, matched or remembered, nobody is woken.
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { DAY_MS } from '@hookstream/domain';
import { ensurePartitions, openDatabase, runMigrations } from '@hookstream/persistence';
import Fastify from 'fastify';
import pg from 'pg';
import { answerCalls } from '../children/child-calls.js';
import type { BareAcceptHandlers } from './bare-accept-protocol.js';

const DATABASE = 'bench_bare_accept';
const TENANT = '01890000-0000-7000-8000-000000000001';
const ENDPOINT = '01890000-0000-7000-8000-000000000002';
/** As many groups at once as the product. */
const CONCURRENCY = 2;

const STORE = `
WITH input AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    AS i (event_id, delivery_id, type, payload, created_at)
), new_events AS (
  INSERT INTO events (id, tenant_id, type, payload, created_at)
  SELECT event_id, '${TENANT}', type, payload, created_at FROM input
), new_deliveries AS (
  INSERT INTO deliveries (id, tenant_id, event_id, endpoint_id, event_type, status, lane, created_at, updated_at)
  SELECT delivery_id, '${TENANT}', event_id, '${ENDPOINT}', type, 'pending', 'durable', created_at, created_at FROM input
)
INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at)
SELECT delivery_id, '${TENANT}', '${ENDPOINT}', created_at, 'infinity' FROM input`;

interface Row {
  event: string;
  delivery: string;
  type: string;
  payload: string;
  at: string;
}

const [serverUrl] = process.argv.slice(2) as [string];
const url = await freshDatabase(serverUrl);
const pool = new pg.Pool({ connectionString: url, max: CONCURRENCY });
let waiting: { row: Row; stored: () => void; failed: (error: unknown) => void }[] = [];
let running = 0;
let scheduled = false;

async function freshDatabase(server: string): Promise<string> {
  const own = new URL(server);
  own.pathname = `/${DATABASE}`;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${DATABASE}`);
  await client.end();
  const database = await openDatabase({ url: own.href, poolSize: 1, applicationName: 'bench' });
  await runMigrations(database);
  await ensurePartitions(database.pool, { now: Date.now(), aheadMs: DAY_MS });
  await database.close();
  return own.href;
}

/** A UUIDv7 (RFC 9562, 5.7). */
function uuidV7(now: number): string {
  const time = now.toString(16).padStart(12, '0');
  const random = randomBytes(10).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

function storeSoon(): void {
  if (scheduled || running >= CONCURRENCY || waiting.length === 0) return;
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    const group = waiting;
    waiting = [];
    running += 1;
    const column = (name: keyof Row): string[] => group.map(({ row }) => row[name]);
    const values = [column('event'), column('delivery'), column('type'), column('payload'), column('at')];
    pool
      .query({ name: 'store', text: STORE, values })
      .then(
        () => group.forEach(({ stored }) => stored()),
        (error: unknown) => group.forEach(({ failed }) => failed(error)),
      )
      .finally(() => {
        running -= 1;
        storeSoon();
      });
  });
}

const fastify = Fastify();
fastify.post<{ Body: { type: string; data: unknown } }>('/api/v1/events', async (request, reply) => {
  const { type, data } = request.body;
  const now = Date.now();
  const at = new Date(now).toISOString();
  const event = uuidV7(now);
  const payload = JSON.stringify({ type, timestamp: at, data });
  const row = { event, delivery: uuidV7(now), type, payload, at };
  await new Promise<void>((stored, failed) => {
    waiting.push({ row, stored, failed });
    storeSoon();
  });
  void reply.code(202);
  return { id: event, type, created_at: at, deliveries: 1, idempotent_replay: false };
});
await fastify.listen({ host: '127.0.0.1', port: 0 });

const handlers: BareAcceptHandlers = {
  port: () => (fastify.server.address() as AddressInfo).port,
  stored: async () => {
    const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM outbox');
    return rows[0]?.count ?? 0;
  },
};

answerCalls(handlers, async () => {
  await fastify.close();
  await pool.end();
});
