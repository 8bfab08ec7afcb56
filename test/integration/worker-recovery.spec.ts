// Real: workers as their processes run them, Postgres, Temporal and the receiver.
// Proves that work changes hands, that broken connections mend themselves and that a slow endpoint slows nobody else.
import { newId } from '@hookstream/domain';
import type { EndpointRecord } from '@hookstream/persistence';
import { eventually, TestReceiver } from '@hookstream/testing';
import { WorkerInstance } from './worker-instance.js';

const PATIENCE = { timeoutMs: 40_000 };

describe.each(['durable', 'express'] as const)('workers, in the %s lane,', (lane) => {
  let instance: WorkerInstance;
  let receiver: TestReceiver;
  let path: string;

  beforeEach(async () => {
    [instance, receiver] = await Promise.all([WorkerInstance.create(), TestReceiver.start()]);
    instance.store.lane = lane;
    path = `/${newId('event')}`;
  });
  afterEach(async () => {
    await receiver.close();
    await instance.stop();
  });

  const allSucceeded = (endpoint: EndpointRecord, count: number) =>
    eventually(async () => (await instance.store.withStatus(endpoint, 'succeeded')) === count, PATIENCE);
  const workersSeen = () => instance.store.count('SELECT count(*)::int AS n FROM workers');

  it('hand over at a stop what they are in the middle of: nothing recorded, delivered by the next', async () => {
    receiver.on(path, [{ kind: 'hang' }, { status: 200 }]);
    const { store } = instance;
    const endpoint = await store.endpoint(receiver.url(path), { timeoutMs: 60_000 });
    const first = await instance.startWorker();
    const { deliveryId } = await store.acceptOne(endpoint);
    await receiver.waitForRequests(path, 1, PATIENCE.timeoutMs);
    await instance.stopWorker(first);
    expect(await store.attempts(deliveryId)).toEqual([]);
    expect(await workersSeen()).toBe(0);
    const stoppedAt = Date.now();
    await instance.startWorker();
    await allSucceeded(endpoint, 1);
    const requests = receiver.requestsTo(path);
    expect(requests.map(({ headers }) => headers['hookstream-attempt'])).toEqual(['1', '1']);
    expect((requests[1]?.receivedAt ?? Infinity) - stoppedAt).toBeLessThan(15_000);
    expect(await store.attempts(deliveryId)).toMatchObject([{ number: 1, outcome: 'succeeded' }]);
  });

  it('share an outbox without delivering anything twice, and let one leave in between', async () => {
    const { store } = instance;
    const endpoint = await store.endpoint(receiver.url(path));
    const [leaving] = await Promise.all([
      instance.startWorker({ HOOKSTREAM_DISPATCH_LEASE_MS: '60000' }),
      instance.startWorker({ HOOKSTREAM_DISPATCH_LEASE_MS: '60000' }),
    ]);
    expect(await workersSeen()).toBe(2);
    await Promise.all([store.accept(endpoint, 100), store.accept(endpoint, 100)]);
    await allSucceeded(endpoint, 200);
    expect(receiver.requestsTo(path)).toHaveLength(200);
    expect(receiver.webhookIds(path).size).toBe(200);
    await eventually(
      async () => (await store.count('SELECT count(*)::int AS n FROM outbox')) === 0,
      PATIENCE,
    );
    await instance.stopWorker(leaving);
    await store.accept(endpoint, 20);
    await allSucceeded(endpoint, 220);
  });

  it('go on by themselves after every connection to Postgres was terminated', async () => {
    const { store } = instance;
    const endpoint = await store.endpoint(receiver.url(path));
    await instance.startWorker();
    const admin = await store.testDatabase.open({ poolSize: 1 });
    const terminate = () =>
      admin.pool.query<{ application_name: string }>(
        `SELECT application_name, pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'hookstream-worker%'`,
      );
    let answered = 0;
    receiver.on(path, async () => {
      answered += 1;
      if (answered === 20 || answered === 60) await terminate();
      return { status: 200 };
    });
    await store.accept(endpoint, 100);
    await allSucceeded(endpoint, 100);
    expect(receiver.webhookIds(path).size).toBe(100);
    const listening = () =>
      store.count(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hookstream-worker-listen' AND query LIKE 'LISTEN%'`,
      );
    await eventually(async () => (await listening()) === 1, PATIENCE);
    const { rows } = await terminate();
    expect(rows.map((row) => row.application_name)).toContain('hookstream-worker-listen');
    await eventually(async () => (await listening()) === 1, PATIENCE);
    await store.accept(endpoint, 20);
    await allSucceeded(endpoint, 120);
  });

  it('deliver to a good endpoint while a hundred deliveries hang at another', async () => {
    receiver.on('/slow', { kind: 'hang' });
    const { store } = instance;
    const slow = await store.endpoint(receiver.url('/slow'), { timeoutMs: 60_000 });
    const good = await store.endpoint(receiver.url(path));
    await instance.startWorker({
      HOOKSTREAM_EGRESS_MAX_CONNECTIONS_PER_ORIGIN: '200',
      HOOKSTREAM_DISPATCH_UNTIMED_IN_FLIGHT: '100',
    });
    await store.accept(slow, 100);
    await receiver.waitForRequests('/slow', 100, PATIENCE.timeoutMs);
    await store.accept(good, 50);
    await allSucceeded(good, 50);
    await eventually(async () => (await store.withStatus(slow, 'in_progress')) === 100, PATIENCE);
  });

  it('have a few attempts under way to an endpoint that has never answered, until it does', async () => {
    receiver.on('/silent', { kind: 'hang' });
    const { store } = instance;
    const silent = await store.endpoint(receiver.url('/silent'), { timeoutMs: 60_000 });
    const good = await store.endpoint(receiver.url(path));
    await instance.startWorker({ HOOKSTREAM_DISPATCH_UNTIMED_IN_FLIGHT: '3' });
    await store.accept(silent, 30);
    await receiver.waitForRequests('/silent', 3, PATIENCE.timeoutMs);
    await store.accept(good, 50);
    await allSucceeded(good, 50);
    await eventually(async () => (await store.withStatus(silent, 'in_progress')) === 3, PATIENCE);
    expect(receiver.requestsTo('/silent')).toHaveLength(3);
  });

  it('start when Postgres has the schema and not before, and tell of their life', async () => {
    const { store } = instance;
    await store.database.pool.query('ALTER TABLE migrations RENAME TO migrations_aside');
    const starting = instance.startWorker();
    await store.database.pool.query('SELECT 1');
    expect(await workersSeen()).toBe(0);
    await eventually(async () =>
      store
        .count(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hookstream-worker'`,
        )
        .then((n) => n > 0),
    );
    await store.database.pool.query('DROP TABLE IF EXISTS migrations');
    await store.database.pool.query('ALTER TABLE migrations_aside RENAME TO migrations');
    await starting;
    expect(await workersSeen()).toBe(1);
    const endpoint = await store.endpoint(receiver.url(path));
    await store.acceptOne(endpoint);
    await eventually(
      async () =>
        (await store.count('SELECT count(*)::int AS n FROM workers WHERE last_dispatch_at IS NOT NULL')) ===
        1,
      PATIENCE,
    );
  });
});
