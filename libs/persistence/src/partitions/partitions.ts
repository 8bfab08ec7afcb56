import type pg from 'pg';
import { DAY_MS, uuidV7Floor } from '@hookstream/domain';
import { withClient } from '../database.js';

/** Any number that nothing else in this database locks on. */
const PARTITIONS_LOCK = 4_771_202;

/** Range-partitioned on the UUIDv7 `id`, one partition a UTC day. */
export const PARTITIONED_TABLES = ['events', 'deliveries', 'attempts'] as const;
export type PartitionedTable = (typeof PARTITIONED_TABLES)[number];

const dayStart = (unixMs: number): number => Math.floor(unixMs / DAY_MS) * DAY_MS;
const partitionName = (table: string, day: number): string =>
  `${table}_${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`;

/** The day a partition of that name holds, or undefined when the name is not a partition's. */
function partitionDay(table: string, name: string): number | undefined {
  const match = new RegExp(`^${table}_(\\d{4})(\\d{2})(\\d{2})$`).exec(name);
  return match ? Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) : undefined;
}

/** Tables named like partitions, attached or left behind by a drop that was interrupted after its detach. */
async function partitionsOf(client: pg.PoolClient, table: PartitionedTable): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
      WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname ~ ('^' || $1 || '_[0-9]{8}$') ORDER BY 1`,
    [table],
  );
  return rows.map((row) => row.name);
}

/**
 * Makes the partitions from yesterday (clocks differ) to `aheadMs` past `now` (unix ms) that are missing. Attaching takes a
 * SHARE UPDATE EXCLUSIVE lock on the parent, which no reader or writer waits for (CREATE … PARTITION OF would stop them all).
 * @returns the names made.
 */
export async function ensurePartitions(
  pool: pg.Pool,
  options: { now: number; aheadMs: number },
): Promise<string[]> {
  return alone(pool, async (client) => {
    const created: string[] = [];
    for (const table of PARTITIONED_TABLES) {
      for (const day of await missingDays(client, table, options)) {
        await create(client, table, day);
        created.push(partitionName(table, day));
      }
    }
    return created;
  });
}

/** The partitions from yesterday to `aheadMs` past `now` (unix ms) that are not there. Nothing can be stored on a day without. */
export async function missingPartitions(
  pool: pg.Pool,
  options: { now: number; aheadMs: number },
): Promise<string[]> {
  return withClient(pool, async (client) => {
    const missing: string[] = [];
    for (const table of PARTITIONED_TABLES) {
      const days = await missingDays(client, table, options);
      missing.push(...days.map((day) => partitionName(table, day)));
    }
    return missing;
  });
}

async function missingDays(
  client: pg.PoolClient,
  table: PartitionedTable,
  { now, aheadMs }: { now: number; aheadMs: number },
): Promise<number[]> {
  const existing = new Set(await partitionsOf(client, table));
  const days: number[] = [];
  for (let day = dayStart(now) - DAY_MS; day <= now + aheadMs; day += DAY_MS) {
    if (!existing.has(partitionName(table, day))) days.push(day);
  }
  return days;
}

/**
 * Drops the partitions whose whole day ended more than `retentionMs` before `now`. Detaches concurrently first, so that
 * readers and writers of the other partitions are never blocked; a detach that was interrupted is finished.
 * @returns the names dropped.
 */
export async function dropExpiredPartitions(
  pool: pg.Pool,
  options: { now: number; retentionMs: number },
): Promise<string[]> {
  return alone(pool, async (client) => {
    const dropped: string[] = [];
    for (const table of PARTITIONED_TABLES) {
      await finishDetaching(client, table);
      for (const name of await partitionsOf(client, table)) {
        const day = partitionDay(table, name);
        if (day === undefined || day + DAY_MS > options.now - options.retentionMs) continue;
        await detach(client, table, name);
        await client.query(`DROP TABLE IF EXISTS ${name}`);
        dropped.push(name);
      }
    }
    return dropped;
  });
}

/** One process at a time: two that make or drop the same table fail on each other. */
function alone<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return withClient(pool, async (client, discard) => {
    await client.query('SELECT pg_advisory_lock($1)', [PARTITIONS_LOCK]);
    try {
      return await work(client);
    } finally {
      // Closing the connection gives the lock back too.
      await client.query('SELECT pg_advisory_unlock($1)', [PARTITIONS_LOCK]).catch(discard);
    }
  });
}

/** In one transaction (several statements in one message are), so that a table left over is never a partition half made. */
async function create(client: pg.PoolClient, table: PartitionedTable, day: number): Promise<void> {
  const name = partitionName(table, day);
  await client.query(`
    CREATE TABLE ${name} (LIKE ${table} INCLUDING ALL);
    ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM ('${uuidV7Floor(day)}') TO ('${uuidV7Floor(day + DAY_MS)}')`);
}

/** While one detach of a table is pending, Postgres refuses to begin another. */
async function finishDetaching(client: pg.PoolClient, table: PartitionedTable): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass AND inhdetachpending',
    [table],
  );
  for (const { name } of rows) await client.query(`ALTER TABLE ${table} DETACH PARTITION ${name} FINALIZE`);
}

async function detach(client: pg.PoolClient, table: PartitionedTable, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_inherits WHERE inhrelid = $1::regclass', [name]);
  if (rowCount === 0) return;
  await client.query(`ALTER TABLE ${table} DETACH PARTITION ${name} CONCURRENTLY`);
}
