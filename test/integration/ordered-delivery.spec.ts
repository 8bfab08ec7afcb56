// Real: Postgres, processes that are killed. Deliveries of an ordered endpoint, by key.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { idToUuid, newId, SYSTEM_ACTOR, type AttemptDecision } from '@hookstream/domain';
import {
  AttemptsRepository,
  DeliveriesRepository,
  inTransaction,
  requeueDeliveries,
  type EndpointRecord,
  type EndpointSettings,
} from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { StoredDeliveries } from './stored-deliveries.js';

describe('an ordered endpoint', () => {
  let store: StoredDeliveries;
  let attempts: AttemptsRepository;
  let deliveries: DeliveriesRepository;
  let endpoint: EndpointRecord;

  beforeAll(async () => {
    store = await StoredDeliveries.create({ poolSize: 20 });
    attempts = new AttemptsRepository(store.database.pool);
    deliveries = new DeliveriesRepository(store.database);
  });
  beforeEach(async () => {
    await store.database.pool.query('TRUNCATE outbox, slots, order_keys');
    endpoint = await orderedBy('data.k');
  });
  afterAll(() => store.drop());

  const orderedBy = (orderKey: string | null) => store.endpoint(undefined, { ordered: true, orderKey });
  const sql = <T extends object>(text: string, values: unknown[] = []) =>
    store.database.pool.query<T>(text, values);
  const accept = async (...keys: (string | number)[]): Promise<string[]> => {
    const ids: string[] = [];
    for (const key of keys)
      ids.push((await store.acceptOne(endpoint, { dataText: JSON.stringify({ k: key }) })).deliveryId);
    return ids;
  };
  const begin = (deliveryId: string, number = 1, trigger: 'schedule' | 'replay' = 'schedule') =>
    attempts.begin({ deliveryId, number, trigger, lane: 'durable' });
  /** Attempts what was claimed, with that outcome. */
  async function attempt(deliveryId: string, decision: AttemptDecision, number = 1): Promise<void> {
    const loaded = await begin(deliveryId, number);
    if (loaded?.begun !== true) throw new Error(`may not go: ${loaded?.refusal}`);
    await attempts.record(
      loaded,
      {
        attemptId: newId('attempt'),
        number,
        trigger: 'schedule',
        outcome: { kind: decision.next === 'succeeded' ? 'succeeded' : 'timeout', durationMs: 1 },
        decision,
        startedAt: new Date(),
        nextAttemptAt: decision.next === 'retry' ? new Date(Date.now() + 60_000) : null,
        requestUrl: endpoint.url,
        requestHeaders: {},
      },
      number,
    );
  }
  const update = (changes: Partial<EndpointSettings>) =>
    store.endpoints.update(store.tenantId, endpoint.id, changes, SYSTEM_ACTOR);
  const by = { actor: SYSTEM_ACTOR, action: 'delivery.cancelled' } as const;
  const SUCCEEDED: AttemptDecision = { next: 'succeeded' };
  const DEAD: AttemptDecision = { next: 'dead_letter', reason: 'schedule_exhausted' };
  const RETRY: AttemptDecision = { next: 'retry', delayMs: 60_000 };

  it('lets the first of each key go, and keys do not wait for each other', async () => {
    const [a1, a2, b1, , n1] = await accept('a', 'a', 'b', 'b', 1);
    expect(await store.claim()).toEqual([a1, b1, n1]);
    await attempt(a1 as string, SUCCEEDED);
    expect(await store.claim()).toEqual([a2]);
  });

  it('keeps everything in one line without a key, and what has no value at the path in another', async () => {
    const [, x2] = await accept('x', 'x');
    const [none1, none2] = (await store.accept(endpoint, 2, { dataText: '{}' })).map((d) => d.deliveryId);
    expect(await store.claim()).toContain(none1);
    endpoint = await orderedBy(null);
    const [first, second] = await accept('p', 'q');
    expect(await store.claim()).toEqual([first]);
    await attempt(first as string, SUCCEEDED);
    expect(await store.claim()).toEqual([second]);
    expect([x2, none2].every((id) => id !== undefined)).toBe(true);
  });

  it('keeps the order within a group accepted as one', async () => {
    const group = await store.accept(endpoint, 5, { dataText: '{"k":"g"}' });
    const order = group.map(({ deliveryId }) => deliveryId);
    for (const deliveryId of order) {
      expect(await store.claim()).toEqual([deliveryId]);
      await attempt(deliveryId, SUCCEEDED);
    }
    expect(await store.count('SELECT count(*)::int AS n FROM order_keys')).toBe(0);
  });

  it('goes on only when the one before has ended, however it ends', async () => {
    const [retries, dead, cancelled, waiting, last] = (await accept('a', 'a', 'a', 'a', 'a')) as [
      string,
      string,
      string,
      string,
      string,
    ];
    await store.claim();
    await attempt(retries, RETRY);
    await store.outbox.acknowledge('a', [retries]);
    expect(await store.claim()).toEqual([]);
    await attempt(retries, SUCCEEDED, 2);
    expect(await store.claim()).toEqual([dead]);
    await attempt(dead, DEAD);
    expect(await deliveries.cancelWaiting(store.tenantId, waiting, by)).toBe(true);
    expect(await store.claim()).toEqual([cancelled]);
    await begin(cancelled);
    await attempts.cancel(cancelled);
    expect(await store.claim()).toEqual([last]);
  });

  it('lets the next go when the first is cancelled while it waits', async () => {
    const [first, second] = (await accept('a', 'a')) as [string, string];
    expect(await deliveries.cancelWaiting(store.tenantId, first, by)).toBe(true);
    expect(await store.claim()).toEqual([second]);
  });

  it('does not begin one that is not at its turn, and puts it last', async () => {
    const [first, second] = (await accept('a', 'a')) as [string, string];
    await store.claim();
    await sql('DELETE FROM outbox WHERE delivery_id = $1', [idToUuid('delivery', second)]);
    const refused = await begin(second);
    expect(refused).toMatchObject({ begun: false, refusal: 'order_busy' });
    await attempts.handBack({ deliveryId: second, tenantId: store.tenantId, endpointId: endpoint.id }, 0);
    expect(await store.claim()).toEqual([]);
    await attempt(first, SUCCEEDED);
    expect(await store.claim()).toEqual([second]);
  });

  it('keeps its place when it is handed back at its turn', async () => {
    const [first] = (await accept('a', 'a')) as [string];
    await store.claim();
    await attempts.handBack({ deliveryId: first, tenantId: store.tenantId, endpointId: endpoint.id }, 0);
    expect(await store.claim()).toEqual([first]);
  });

  it('replays behind all that wait under the key', async () => {
    const [first, second, third] = (await accept('a', 'a', 'a')) as [string, string, string];
    await store.claim();
    await attempt(first, DEAD);
    const start = await deliveries.findStart(store.tenantId, first);
    expect(start?.endedInOrder).toBe(true);
    await deliveries.replayInOrder(start as NonNullable<typeof start>);
    expect(await store.delivery(first)).toMatchObject({
      status: 'retrying',
      schedule_step: 0,
      completed_at: null,
    });
    expect(await deliveries.pullForward(store.tenantId, first, 'retry_now', by)).toBe('blocked');
    for (const id of [second, third]) {
      expect(await store.claim()).toEqual([id]);
      await attempt(id, SUCCEEDED);
    }
    expect((await store.claimWith()).deliveries).toEqual([
      expect.objectContaining({ deliveryId: first, trigger: 'replay', attemptCount: 1 }),
    ]);
  });

  it('replays at once what nobody is before', async () => {
    const [first] = (await accept('a')) as [string];
    await store.claim();
    await attempt(first, SUCCEEDED);
    const start = await deliveries.findStart(store.tenantId, first);
    await deliveries.replayInOrder(start as NonNullable<typeof start>);
    const [second] = await accept('a');
    expect(await store.claim()).toEqual([first]);
    expect((await store.outboxRow(second as string))?.claimable_at).toBe(Infinity);
  });

  it('replays many behind all that wait under their keys, in their order', async () => {
    const [a1, a2, b1, a3] = (await accept('a', 'a', 'b', 'a')) as [string, string, string, string];
    await store.claim();
    for (const id of [a1, b1]) await attempt(id, DEAD);
    await store.outbox.acknowledge('a', [a1, b1]);
    await store.claim();
    await attempt(a2, DEAD);
    await store.outbox.acknowledge('a', [a2]);
    const again = [a1, a2, b1].map((id) => ({
      id: idToUuid('delivery', id),
      endpoint: idToUuid('endpoint', endpoint.id),
    }));
    await inTransaction(store.database.pool, (client) =>
      requeueDeliveries(client, idToUuid('tenant', store.tenantId), again, ['dead_letter']),
    );
    expect(new Set(await store.claim())).toEqual(new Set([a3, b1]));
    await attempt(a3, SUCCEEDED);
    expect(await store.claim()).toEqual([a1]);
    await attempt(a1, SUCCEEDED, 2);
    expect(await store.claim()).toEqual([a2]);
  });

  it('does not go on while it is paused, and in order afterwards', async () => {
    const [first, second] = (await accept('a', 'a')) as [string, string];
    await store.claim();
    await store.setStatus(endpoint, 'paused');
    await attempt(first, SUCCEEDED).catch(() => attempts.cancel(first));
    expect(await store.claim()).toEqual([]);
    const [third] = await accept('a');
    await store.setStatus(endpoint, 'enabled');
    expect(await store.claim()).toEqual([second]);
    await attempt(second, SUCCEEDED);
    expect(await store.claim()).toEqual([third]);
  });

  it('lets all go that waited when it is ordered no more, and orders only what comes after it is again', async () => {
    const [first, second, third] = (await accept('a', 'a', 'a')) as [string, string, string];
    await store.claim();
    await update({ ordered: false });
    expect(await store.claim()).toEqual([second, third]);
    for (const id of [first, third, second]) expect((await begin(id))?.begun).toBe(true);
    const before = await accept('a', 'a');
    await update({ ordered: true });
    const [next] = await accept('a', 'a');
    expect(new Set(await store.claim())).toEqual(new Set([...before, next]));
  });

  it('is mended where a head has ended without its turn', async () => {
    const [first, second] = (await accept('a', 'a')) as [string, string];
    await sql(`UPDATE deliveries SET status = 'cancelled' WHERE id = $1`, [idToUuid('delivery', first)]);
    await sql(`DELETE FROM outbox WHERE delivery_id = $1`, [idToUuid('delivery', first)]);
    expect(await store.claim()).toEqual([]);
    await store.outbox.reconcile({ olderThanMs: 3_600_000, limit: 10 });
    expect(await store.claim()).toEqual([second]);
  });

  it('is left with nothing when it is deleted', async () => {
    await accept('a', 'a', 'b');
    await store.endpoints.delete(store.tenantId, endpoint.id, SYSTEM_ACTOR);
    expect(
      await store.count(
        'SELECT (SELECT count(*) FROM outbox)::int + (SELECT count(*) FROM order_keys)::int AS n',
      ),
    ).toBe(0);
  });

  it('keeps the order of every key under attempts that fail, beside accepts, and six workers of which four are killed in turn', async () => {
    await sql('CREATE TABLE sent (id bigserial, delivery_id uuid, worker text)');
    const keys = Array.from({ length: 8 }, (_, i) => `key ${i}`);
    const workers: { name: string; child: ChildProcess }[] = [];
    const startWorker = async (n: number) => {
      const script = fileURLToPath(new URL('./children/ordered-claimer.js', import.meta.url));
      const child = spawn(process.execPath, [script, store.testDatabase.url, `w${n}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      workers.push({ name: `w${n}`, child });
      await once(child.stdout, 'data');
    };
    /** What its lease would do later, as soon as nothing of it can come any more. */
    const kill = async (worker: ChildProcess, name: string) => {
      worker.kill('SIGKILL');
      const connections = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1`;
      await eventually(async () => (await store.count(connections, [name])) === 0, { timeoutMs: 30_000 });
      await sql(
        `UPDATE outbox SET claimable_at = now(), claimed_by = NULL WHERE claimed_by = $1 AND claimable_at < 'infinity'`,
        [name],
      );
    };
    try {
      await Promise.all([0, 1, 2, 3, 4, 5].map(startWorker));
      for (let round = 0; round < 4; round++) {
        await Promise.all(
          keys.map((key) => store.accept(endpoint, 5, { dataText: JSON.stringify({ k: key }) })),
        );
        const victim = workers.shift();
        if (victim) await kill(victim.child, victim.name);
      }
      await eventually(async () => (await store.withStatus(endpoint, 'succeeded')) === 4 * 8 * 5, {
        timeoutMs: 120_000,
      });
    } finally {
      for (const { child } of workers) child.kill('SIGKILL');
    }
    const { rows } = await sql<{ order_key: string; place: number }>(
      `SELECT d.order_key, d.place FROM sent s JOIN (
         SELECT id, order_key, row_number() OVER (PARTITION BY order_key ORDER BY event_id)::int AS place FROM deliveries
          WHERE endpoint_id = $1) d ON d.id = s.delivery_id ORDER BY s.id`,
      [idToUuid('endpoint', endpoint.id)],
    );
    for (const key of keys) {
      const places = rows.filter((row) => row.order_key === JSON.stringify(key)).map(({ place }) => place);
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(new Set(places).size).toBe(4 * 5);
    }
    expect(await store.count('SELECT count(*)::int AS n FROM order_keys')).toBe(0);
  }, 240_000);
});
