// Real: workers as their processes run them, Postgres, Temporal and the receiver.
// Proves that work changes hands, that broken connections mend themselves and that a slow endpoint slows nobody else.
import { SYSTEM_ACTOR } from '@hookstream/domain';
import type { EndpointRecord } from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { PATIENCE, useWorkers } from './worker-fixture.js';

describe.each(['durable', 'express'] as const)('workers, in the %s lane,', (lane) => {
  const here = useWorkers({ lane, workers: 0 });
  /** So that the workers of the next test do not go on with what hangs there. */
  const forget = ({ id }: EndpointRecord) =>
    here.store.endpoints.delete(here.store.tenantId, id, SYSTEM_ACTOR);
  const workersSeen = () => here.instance.store.count('SELECT count(*)::int AS n FROM workers');

  it('hand over at a stop what they are in the middle of: nothing recorded, delivered by the next', async () => {
    here.answer([{ kind: 'hang' }, { status: 200 }]);
    const endpoint = await here.store.endpoint(here.url(), { timeoutMs: 60_000 });
    const first = await here.instance.startWorker();
    const { deliveryId } = await here.store.acceptOne(endpoint);
    await here.receives(1);
    await here.instance.stopWorker(first);
    expect(await here.store.attempts(deliveryId)).toEqual([]);
    expect(await workersSeen()).toBe(0);
    const stoppedAt = Date.now();
    await here.instance.startWorker();
    await here.count(endpoint, 1);
    const requests = here.received();
    expect(requests.map(({ headers }) => headers['hookstream-attempt'])).toEqual(['1', '1']);
    expect((requests[1]?.receivedAt ?? Infinity) - stoppedAt).toBeLessThan(15_000);
    expect(await here.store.attempts(deliveryId)).toMatchObject([{ number: 1, outcome: 'succeeded' }]);
  });

  it('share an outbox without delivering anything twice, and let one leave in between', async () => {
    const endpoint = await here.store.endpoint(here.url());
    const [leaving] = await Promise.all([
      here.instance.startWorker({ HOOKSTREAM_DISPATCH_LEASE_MS: '60000' }),
      here.instance.startWorker({ HOOKSTREAM_DISPATCH_LEASE_MS: '60000' }),
    ]);
    expect(await workersSeen()).toBe(2);
    const accepted = await Promise.all([here.store.accept(endpoint, 100), here.store.accept(endpoint, 100)]);
    await here.count(endpoint, 200);
    expect(here.received()).toHaveLength(200);
    expect(here.webhookIds.size).toBe(200);
    for (const { deliveryId } of accepted.flat()) await here.leavesOutbox(deliveryId);
    await here.instance.stopWorker(leaving);
    await here.store.accept(endpoint, 20);
    await here.count(endpoint, 220);
  });

  it('go on by themselves after every connection to Postgres was terminated', async () => {
    const endpoint = await here.store.endpoint(here.url());
    await here.instance.startWorker();
    const admin = await here.store.testDatabase.open({ poolSize: 1 });
    const terminate = () =>
      admin.pool.query<{ application_name: string }>(
        `SELECT application_name, pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'hookstream-worker%'`,
      );
    let answered = 0;
    here.answer(async () => {
      answered += 1;
      if (answered === 20 || answered === 60) await terminate();
      return { status: 200 };
    });
    await here.store.accept(endpoint, 100);
    await here.count(endpoint, 100);
    expect(here.webhookIds.size).toBe(100);
    const listening = () =>
      here.store.count(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hookstream-worker-listen' AND query LIKE 'LISTEN%'`,
      );
    await eventually(async () => (await listening()) === 1, PATIENCE);
    const { rows } = await terminate();
    expect(rows.map((row) => row.application_name)).toContain('hookstream-worker-listen');
    await eventually(async () => (await listening()) === 1, PATIENCE);
    await here.store.accept(endpoint, 20);
    await here.count(endpoint, 120);
  });

  it('deliver to a good endpoint while a hundred deliveries hang at another', async () => {
    here.answer({ kind: 'hang' }, '/slow');
    const slow = await here.store.endpoint(here.url('/slow'), { timeoutMs: 60_000 });
    const good = await here.store.endpoint(here.url());
    await here.instance.startWorker({
      HOOKSTREAM_EGRESS_MAX_CONNECTIONS_PER_ORIGIN: '200',
      HOOKSTREAM_DISPATCH_UNTIMED_IN_FLIGHT: '100',
    });
    await here.store.accept(slow, 100);
    await here.receives(100, '/slow');
    await here.store.accept(good, 50);
    await here.count(good, 50);
    await here.count(slow, 100, 'in_progress');
    await forget(slow);
  });

  it('have a few attempts under way to an endpoint that has never answered, until it does', async () => {
    here.answer({ kind: 'hang' }, '/silent');
    const silent = await here.store.endpoint(here.url('/silent'), { timeoutMs: 60_000 });
    const good = await here.store.endpoint(here.url());
    await here.instance.startWorker({ HOOKSTREAM_DISPATCH_UNTIMED_IN_FLIGHT: '3' });
    await here.store.accept(silent, 30);
    await here.receives(3, '/silent');
    await here.store.accept(good, 50);
    await here.count(good, 50);
    await here.count(silent, 3, 'in_progress');
    expect(here.received('/silent')).toHaveLength(3);
    await forget(silent);
  });

  it('start when Postgres has the schema and not before, and tell of their life', async () => {
    await here.store.database.pool.query('ALTER TABLE migrations RENAME TO migrations_aside');
    const starting = here.instance.startWorker();
    await here.store.database.pool.query('SELECT 1');
    expect(await workersSeen()).toBe(0);
    const connections = () =>
      here.store.count(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hookstream-worker'`,
      );
    await eventually(async () => (await connections()) > 0, PATIENCE);
    await here.store.database.pool.query('DROP TABLE IF EXISTS migrations');
    await here.store.database.pool.query('ALTER TABLE migrations_aside RENAME TO migrations');
    await starting;
    expect(await workersSeen()).toBe(1);
    const endpoint = await here.store.endpoint(here.url());
    await here.store.acceptOne(endpoint);
    await eventually(
      async () =>
        (await here.store.count(
          'SELECT count(*)::int AS n FROM workers WHERE last_dispatch_at IS NOT NULL',
        )) === 1,
      PATIENCE,
    );
  });
});
