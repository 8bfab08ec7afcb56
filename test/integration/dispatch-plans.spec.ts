// Real: Postgres, with the settings of a worker's connection. What a claim reads, whatever waits, and what giving rows back, keeping and freeing
// them reads where Postgres knows of no rows.
import pg from 'pg';
import { idToUuid, newId, uuidToId } from '@hookstream/domain';
import {
  LIST_QUEUES_SQL,
  LOOK_UPS_ONLY,
  OutboxRepository,
  TAKE_TO_ATTEMPT_SQL,
  TAKE_TO_START_SQL,
  type EndpointRecord,
} from '@hookstream/persistence';
import { StoredDeliveries } from './stored-deliveries.js';

interface Plan {
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  'Node Type': string;
  Plans?: Plan[];
}

const NOWHERE = '00000000-0000-0000-0000-000000000000';
const QUEUES = 20;
const TAKEN = 32;
/** An outbox row has four indexes: to look it up, lock it and store it anew touches some thirty buffers. */
const BUFFERS_A_ROW = 100;

describe('the cost of a claim', () => {
  let store: StoredDeliveries;
  let client: pg.Client;
  let endpoints: EndpointRecord[];

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    client = new pg.Client({ connectionString: store.testDatabase.url, options: LOOK_UPS_ONLY });
    await client.connect();
    endpoints = await Promise.all(
      Array.from({ length: QUEUES }, (_, i) =>
        store.endpoint(undefined, i % 2 ? { rateLimit: { per_second: 1_000, burst: 100 } } : {}),
      ),
    );
  });
  afterAll(async () => {
    await client.end();
    await store.drop();
  });

  const uuids = () => endpoints.map(({ id }) => idToUuid('endpoint', id));
  const tenant = () => idToUuid('tenant', store.tenantId);

  async function fill(rows: number): Promise<void> {
    await client.query('TRUNCATE outbox');
    await client.query(
      `INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at)
       SELECT gen_random_uuid(), $1, ($2::uuid[])[1 + n % ${QUEUES}], now() - interval '1 hour', now() - n * interval '1 ms'
         FROM generate_series(1, $3::int) n`,
      [tenant(), uuids(), rows],
    );
    await client.query('VACUUM ANALYZE outbox');
  }

  /** Buffers touched, and the kinds of nodes of the plan. */
  async function cost(sql: string, values: unknown[]): Promise<{ buffers: number; nodes: Set<string> }> {
    await client.query('BEGIN');
    try {
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
        values,
      );
      const plan = (rows[0] as (typeof rows)[0])['QUERY PLAN'][0].Plan;
      const nodes = new Set<string>();
      const visit = (node: Plan): void => {
        nodes.add(node['Node Type']);
        node.Plans?.forEach(visit);
      };
      visit(plan);
      return { buffers: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'], nodes };
    } finally {
      await client.query('ROLLBACK');
    }
  }

  const list = () => cost(LIST_QUEUES_SQL, [NOWHERE, NOWHERE, 200, 'durable']);
  const take = (sql = TAKE_TO_START_SQL) =>
    cost(sql, [
      [tenant(), tenant()],
      uuids().slice(0, 2),
      [TAKEN / 2, TAKEN / 2],
      10_000,
      newId('delivery'),
      'durable',
      'durable',
      [false, true],
    ]);

  it('does not grow with what waits: 200,000 rows cost what 2,000 do', async () => {
    await fill(2_000);
    await list(); // the first one reads the catalogue too
    const [listFew, takeFew, attemptFew] = [await list(), await take(), await take(TAKE_TO_ATTEMPT_SQL)];
    await fill(200_000);
    const [listMany, takeMany, attemptMany] = [await list(), await take(), await take(TAKE_TO_ATTEMPT_SQL)];
    // an index over a hundred times as many rows is one level deeper
    expect(listMany.buffers).toBeLessThanOrEqual(listFew.buffers + 2 * (QUEUES + 2));
    expect(takeMany.buffers).toBeLessThanOrEqual(takeFew.buffers + 10 * TAKEN);
    expect(attemptMany.buffers).toBeLessThanOrEqual(attemptFew.buffers + 10 * TAKEN);
    for (const { nodes } of [listMany, takeMany, attemptMany]) expect([...nodes]).not.toContain('Seq Scan');
  }, 120_000);

  /** What a repository's statements cost, with all that waits claimed by `worker` or held. */
  async function costOf(work: (outbox: OutboxRepository) => Promise<unknown>): Promise<number> {
    let buffers = 0;
    const explaining = {
      query: async (query: string | pg.QueryConfig, values: unknown[] = []) => {
        const { text, values: own = values } = typeof query === 'string' ? { text: query } : query;
        buffers += (await cost(text, own)).buffers;
        return { rows: [], rowCount: 0 };
      },
    };
    await work(new OutboxRepository(explaining as unknown as pg.Pool));
    return buffers;
  }

  it('does not grow with the square of what is given back, kept or freed while the statistics say that nothing waits', async () => {
    const rows = 2_000;
    // an outbox as a burst leaves it: pages, and none of them with a row
    await fill(rows);
    await client.query('DELETE FROM outbox');
    await client.query('VACUUM (ANALYZE, TRUNCATE false) outbox');
    const { rows: stored } = await client.query<{ delivery_id: string }>(
      `INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at, claimed_by)
       SELECT gen_random_uuid(), $1, ($2::uuid[])[1 + n % ${QUEUES}], now(), now(), 'worker' FROM generate_series(1, ${rows}) n
       RETURNING delivery_id`,
      [tenant(), uuids()],
    );
    const ids = stored.map((row) => uuidToId('delivery', row.delivery_id));
    const most = rows * BUFFERS_A_ROW;
    expect(await costOf((outbox) => outbox.release('worker', ids))).toBeLessThan(most);
    expect(await costOf((outbox) => outbox.keep('worker', ids, 10_000))).toBeLessThan(most);
    expect(await costOf((outbox) => outbox.acknowledge('worker', ids))).toBeLessThan(most);
    expect(await costOf((outbox) => outbox.acknowledgeOpen('worker', ids, 0))).toBeLessThan(most);
    await client.query(`UPDATE outbox SET claimable_at = 'infinity'`);
    expect(await costOf((outbox) => outbox.reconcile({ olderThanMs: 1_000, limit: rows }))).toBeLessThan(
      most,
    );
  }, 120_000);
});
