// Real: Postgres. Partitions by day of the UUIDv7 id: made ahead, dropped past retention, found by id.
import { DAY_MS, idToUuid, newId, uuidV7Floor } from '@hookstream/domain';
import {
  dropExpiredPartitions,
  ensurePartitions,
  PARTITIONED_TABLES,
  type Database,
} from '@hookstream/persistence';
import { createTestDatabase, eventually, type TestDatabase } from '@hookstream/testing';

describe('partitions', () => {
  let testDatabase: TestDatabase;
  let database: Database;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
  });
  afterEach(() => testDatabase.drop());

  const now = Date.now();
  const nameOf = (table: string, unixMs: number) =>
    `${table}_${new Date(unixMs).toISOString().slice(0, 10).replaceAll('-', '')}`;
  const idOfDay = (unixMs: number) => uuidV7Floor(unixMs).replace(/0{12}$/, '00000000abcd');
  const ensure = (at = now, aheadMs = 2 * DAY_MS) => ensurePartitions(database.pool, { now: at, aheadMs });
  const drop = (retentionMs: number) => dropExpiredPartitions(database.pool, { now, retentionMs });

  /** Days ago that have a partition of their own: of the day before and `ahead` days after. */
  const makeOld = (daysAgo: number, aheadDays: number) => ensure(now - daysAgo * DAY_MS, aheadDays * DAY_MS);

  async function attached(table: string): Promise<string[]> {
    const { rows } = await database.pool.query<{ name: string }>(
      'SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1',
      [table],
    );
    return rows.map((row) => row.name);
  }

  async function insertEvent(id: string): Promise<void> {
    await database.pool.query(
      `INSERT INTO events (id, tenant_id, type, payload, created_at) VALUES ($1, $2, 'a', '{}', now())`,
      [id, idToUuid('tenant', newId('tenant'))],
    );
  }

  it('are made from yesterday to as far ahead as asked, for every table, with their indexes', async () => {
    const created = await ensure(now, 5 * DAY_MS);
    for (const table of PARTITIONED_TABLES) {
      const expected = [-1, 0, 1, 2, 3, 4, 5].map((days) => nameOf(table, now + days * DAY_MS));
      expect(await attached(table)).toEqual(expected);
      expect(created).toContain(nameOf(table, now + 5 * DAY_MS));
      const count = (name: string) =>
        database.pool
          .query('SELECT indexname FROM pg_indexes WHERE tablename = $1', [name])
          .then(({ rowCount }) => rowCount);
      expect(await count(nameOf(table, now + 5 * DAY_MS))).toBe(await count(table));
    }
    expect(await ensure(now, 5 * DAY_MS)).toEqual([]);
  });

  it('are made once by many that make them at the same time', async () => {
    const other = await testDatabase.open();
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        ensurePartitions((i % 2 ? other : database).pool, { now, aheadMs: 9 * DAY_MS }),
      ),
    );
    const made = results.flat();
    expect(new Set(made).size).toBe(made.length);
    expect(await attached('events')).toHaveLength(11);
  });

  it('are made while others read and write the table', async () => {
    const client = await database.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT count(*) FROM events');
      await client.query(
        `INSERT INTO events (id, tenant_id, type, payload, created_at) VALUES ($1, $1, 'a', '{}', now())`,
        [idOfDay(now)],
      );
      expect(await ensure(now, 4 * DAY_MS)).not.toEqual([]);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  });

  it('take the rows of their day, at its very edges too', async () => {
    const midnight = Math.floor(now / DAY_MS) * DAY_MS;
    for (const at of [midnight - 1, midnight, midnight + DAY_MS - 1, midnight + DAY_MS]) {
      const id = idOfDay(at);
      await insertEvent(id);
      const { rows } = await database.pool.query<{ name: string }>(
        'SELECT tableoid::regclass::text AS name FROM events WHERE id = $1',
        [id],
      );
      expect(rows[0]?.name).toBe(nameOf('events', at));
    }
  });

  it.each(PARTITIONED_TABLES)('let a look-up by id of %s touch one of them', async (table) => {
    const { rows } = await database.pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT * FROM ${table} WHERE id = '${idOfDay(now)}'`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan.match(new RegExp(`on ${table}_\\d{8}`, 'g'))).toEqual([`on ${nameOf(table, now)}`]);
  });

  it('are dropped once their whole day is past retention, and not a day sooner', async () => {
    await makeOld(9, 8);
    const doomed = idOfDay(now - 5 * DAY_MS);
    const kept = idOfDay(now - 2 * DAY_MS);
    await insertEvent(doomed);
    await insertEvent(kept);
    const dropped = await drop(3 * DAY_MS);
    expect(dropped).toContain(nameOf('events', now - 5 * DAY_MS));
    // The day three days ago has not wholly ended three days ago.
    expect(dropped).not.toContain(nameOf('events', now - 3 * DAY_MS));
    expect(await attached('events')).toEqual(
      [-3, -2, -1, 0, 1, 2].map((days) => nameOf('events', now + days * DAY_MS)),
    );
    const { rows } = await database.pool.query<{ id: string }>('SELECT id FROM events');
    expect(rows).toEqual([{ id: kept }]);
    expect(await drop(3 * DAY_MS)).toEqual([]);
  });

  it('are dropped although several drop at the same time', async () => {
    await makeOld(9, 5);
    const dropped = (await Promise.all([drop(2 * DAY_MS), drop(2 * DAY_MS), drop(2 * DAY_MS)])).flat();
    expect(new Set(dropped).size).toBe(dropped.length);
    expect(await attached('attempts')).toHaveLength(4);
  });

  it('are dropped although the drop before ended between detach and drop', async () => {
    await makeOld(9, 3);
    const left = nameOf('deliveries', now - 8 * DAY_MS);
    await database.pool.query(`ALTER TABLE deliveries DETACH PARTITION ${left}`);
    expect(await drop(3 * DAY_MS)).toContain(left);
    expect((await database.pool.query('SELECT to_regclass($1) AS name', [left])).rows).toEqual([
      { name: null },
    ]);
  });

  it('are dropped although the drop before ended in the middle of its detach', async () => {
    await makeOld(9, 3);
    const left = nameOf('events', now - 8 * DAY_MS);
    await interruptDetach(left);
    expect(await drop(3 * DAY_MS)).toContain(left);
    expect((await database.pool.query('SELECT to_regclass($1) AS name', [left])).rows).toEqual([
      { name: null },
    ]);
  });

  /** A reader of the parent keeps a concurrent detach waiting in its second half; there it is cancelled. */
  async function interruptDetach(partition: string): Promise<void> {
    const [reader, detaching] = [await database.pool.connect(), await database.pool.connect()];
    try {
      await reader.query('BEGIN');
      await reader.query('SELECT count(*) FROM events');
      const { rows } = await detaching.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const interrupted = expect(
        detaching.query(`ALTER TABLE events DETACH PARTITION ${partition} CONCURRENTLY`),
      ).rejects.toThrow('canceling statement');
      await eventually(async () => {
        const pending = await database.pool.query(
          'SELECT 1 FROM pg_inherits WHERE inhrelid = $1::regclass AND inhdetachpending',
          [partition],
        );
        return pending.rowCount === 1;
      });
      await database.pool.query('SELECT pg_cancel_backend($1)', [rows[0]?.pid]);
      await interrupted;
      await reader.query('COMMIT');
    } finally {
      reader.release();
      detaching.release();
    }
  }
});
