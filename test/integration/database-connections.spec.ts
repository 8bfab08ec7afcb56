// Real: Postgres. A connection that breaks fails the work on it and nothing else.
import type pg from 'pg';
import { inTransaction, isPostgresUnavailable, withClient, type Database } from '@hookstream/persistence';
import { createTestDatabase, type TestDatabase } from '@hookstream/testing';

describe('a connection that breaks', () => {
  let testDatabase: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open({ poolSize: 2 });
  });
  afterAll(() => testDatabase.drop());

  const terminate = (pid: number | undefined) =>
    database.pool.query('SELECT pg_terminate_backend($1, 5000)', [pid]);

  it('in the middle of a transaction fails it, leaves the process alone and is replaced', async () => {
    const broken = inTransaction(database.pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const ended = new Promise((resolve) => client.once('end', resolve));
      await terminate(rows[0]?.pid);
      await ended;
      await client.query('SELECT 1');
    });
    await expect(broken).rejects.toThrow();
    const { rows } = await database.pool.query<{ one: number }>('SELECT 1 AS one');
    expect(rows).toEqual([{ one: 1 }]);
  });

  it.each([
    [
      'the hot path',
      () => database.pool,
      () => withClient(database.pool, (client) => client.query('SELECT 1')),
    ],
    [
      'CRUD',
      () => (database.dataSource.driver as unknown as { master: pg.Pool }).master,
      () => database.dataSource.query('SELECT 1'),
    ],
  ])('between its handing out and its first use leaves the process alone: %s', async (_what, poolOf, use) => {
    await use();
    // told in the turn in which the pool has let go of it and nobody has taken it yet: with the end of the query before, in one packet
    poolOf().once('acquire', (client) => queueMicrotask(() => client.emit('error', new Error('terminated'))));
    await use().catch(() => undefined);
    await use();
  });

  it('is not used again, though the work on it has ended well', async () => {
    const pid = await withClient(database.pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const ended = new Promise((resolve) => client.once('end', resolve));
      await terminate(rows[0]?.pid);
      await ended;
      return rows[0]?.pid;
    });
    const pids = await Promise.all(
      [1, 2].map(() => database.pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')),
    );
    expect(pids.flatMap(({ rows }) => rows.map((row) => row.pid))).not.toContain(pid);
  });
});

describe('a Postgres that gives no answer', () => {
  let testDatabase: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open({ poolSize: 1, answerTimeoutMs: 1_000 });
  });
  afterAll(() => testDatabase.drop());

  const SILENCE = 'SELECT pg_sleep(600)';

  it.each([
    ['a statement', () => database.pool.query(SILENCE)],
    ['a transaction', () => inTransaction(database.pool, (client) => client.query(SILENCE))],
    ['ordinary CRUD', () => database.dataSource.query(SILENCE)],
  ])('fails %s as not available, and the pool has a connection for the next', async (_what, ask) => {
    const failure = await ask().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(isPostgresUnavailable(failure)).toBe(true);
    const { rows } = await database.pool.query<{ one: number }>('SELECT 1 AS one');
    expect(rows).toEqual([{ one: 1 }]);
  });
});
