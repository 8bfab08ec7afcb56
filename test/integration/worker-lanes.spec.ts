// Real: workers as their processes run them, Postgres, Temporal (behind a connection that can be severed) and the receiver.
// Proves what only the express lane does, and when the lane auto takes which way.
import { idToUuid, newId } from '@hookstream/domain';
import { DeliveryStarter } from '@hookstream/temporal-client';
import { eventually, TestReceiver, testTemporalOptions } from '@hookstream/testing';
import { SeveredConnection } from './severed-connection.js';
import type { StoredDeliveries } from './stored-deliveries.js';
import { WorkerInstance } from './worker-instance.js';

const PATIENCE = { timeoutMs: 40_000 };

describe('the lanes of deliveries', () => {
  let instance: WorkerInstance;
  let store: StoredDeliveries;
  let receiver: TestReceiver;
  let temporal: SeveredConnection;
  let path: string;

  beforeAll(async () => {
    [instance, receiver, temporal] = await Promise.all([
      WorkerInstance.create(),
      TestReceiver.start(),
      SeveredConnection.before(testTemporalOptions().address),
    ]);
    store = instance.store;
    await instance.startWorker({
      TEMPORAL_ADDRESS: temporal.address,
      HOOKSTREAM_AUTO_MAX_LAG_MS: '100',
      // a start that Temporal refuses is given up after some six seconds: while that lasts the row must be its own
      HOOKSTREAM_DISPATCH_LEASE_MS: '10000',
    });
  });
  beforeEach(() => {
    path = `/${newId('event')}`;
  });
  afterAll(async () => {
    temporal.restore();
    await instance.stop();
    await temporal.close();
    await receiver.close();
  });

  const settled = (deliveryId: string, status: string) =>
    eventually(async () => {
      const delivery = await store.delivery(deliveryId);
      return delivery.status === status && delivery;
    }, PATIENCE);
  const starter = () => new DeliveryStarter(instance.temporal);
  const gone = (deliveryId: string) =>
    eventually(async () => (await store.outboxRow(deliveryId)) === undefined, PATIENCE);

  it('express asks nothing of Temporal where the first attempt succeeds', async () => {
    const endpoint = await store.endpoint(receiver.url(path), { lane: 'express' });
    const { deliveryId } = await store.acceptOne(endpoint);
    expect(await settled(deliveryId, 'succeeded')).toMatchObject({ lane: 'express', attempt_count: 1 });
    expect(await store.outboxRow(deliveryId)).toBeUndefined();
    expect(await store.count('SELECT count(*)::int AS n FROM slots')).toBe(0);
    expect(await starter().state(deliveryId)).toEqual({ kind: 'not_found' });
  });

  it('an event can ask for another lane than its endpoint', async () => {
    const endpoint = await store.endpoint(receiver.url(path), { lane: 'express' });
    const { deliveryId } = await store.acceptOne(endpoint, { lane: 'durable' });
    expect(await settled(deliveryId, 'succeeded')).toMatchObject({ lane: 'durable' });
  });

  it('express goes on as a workflow of the same id that begins with the wait for the second attempt', async () => {
    receiver.on(path, [{ status: 503 }, { status: 200 }]);
    const endpoint = await store.endpoint(receiver.url(path), {
      lane: 'express',
      retry: { delays_ms: [3_600_000], jitter: 0 },
    });
    const { deliveryId, eventId } = await store.acceptOne(endpoint);
    const { next_attempt_at } = await settled(deliveryId, 'retrying');
    const state = await eventually(async () => {
      const answer = await starter().state(deliveryId);
      return answer.kind === 'state' && answer.state;
    }, PATIENCE);
    expect(state).toMatchObject({
      ...{ status: 'retrying', attempts: 1, lane: 'express' },
      nextAttemptAt: next_attempt_at?.toISOString(),
    });
    await gone(deliveryId);
    expect(receiver.requestsTo(path)).toHaveLength(1);
    expect(await starter().retryNow(deliveryId)).toBe(true);
    expect(await settled(deliveryId, 'succeeded')).toMatchObject({ lane: 'express', attempt_count: 2 });
    const requests = receiver.requestsTo(path);
    expect(requests.map(({ headers }) => headers['hookstream-attempt'])).toEqual(['1', '2']);
    expect([...receiver.webhookIds(path)]).toEqual([eventId]);
  });

  it('a replay asked for while the express attempt is under way goes out after it', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    let requests = 0;
    receiver.on(path, async () => {
      requests += 1;
      if (requests === 1) await answered;
      return { status: 200 };
    });
    const endpoint = await store.endpoint(receiver.url(path), { lane: 'express' });
    const { deliveryId } = await store.acceptOne(endpoint);
    await receiver.waitForRequests(path, 1, PATIENCE.timeoutMs);
    expect(
      await store.deliveries.pullForward(store.tenantId, deliveryId, 'replay', {
        actor: { kind: 'operator' },
        action: 'delivery.replayed',
      }),
    ).toBe('pulled');
    answer();
    await receiver.waitForRequests(path, 2, PATIENCE.timeoutMs);
    await eventually(async () => (await store.attempts(deliveryId)).length === 2, PATIENCE);
    expect((await store.attempts(deliveryId)).map(({ trigger }) => trigger)).toEqual(['schedule', 'replay']);
    expect(await settled(deliveryId, 'succeeded')).toMatchObject({ attempt_count: 2, schedule_step: 1 });
  });

  it('auto is durable while little waits, and takes both ways in a burst', async () => {
    const endpoint = await store.endpoint(receiver.url(path), { lane: 'auto' });
    const { deliveryId } = await store.acceptOne(endpoint);
    expect(await settled(deliveryId, 'succeeded')).toMatchObject({ lane: 'durable' });
    const BURST = 600;
    await store.accept(endpoint, BURST);
    await eventually(async () => (await store.withStatus(endpoint, 'succeeded')) === BURST + 1, PATIENCE);
    const { rows } = await store.database.pool.query<{ lane: string }>(
      `SELECT lane FROM deliveries WHERE endpoint_id = (SELECT endpoint_id FROM deliveries WHERE id = $1) GROUP BY lane ORDER BY lane`,
      [idToUuid('delivery', deliveryId)],
    );
    expect(rows.map(({ lane }) => lane)).toEqual(['durable', 'express']);
    expect(receiver.webhookIds(path).size).toBe(BURST + 1);
  });

  it.each(['express', 'auto'] as const)(
    'in the lane %s first attempts go on while Temporal is away, and what fails waits for it',
    async (lane) => {
      const failing = `${path}/failing`;
      receiver.on(failing, [{ status: 500 }, { status: 200 }]);
      const [good, bad] = await Promise.all([
        store.endpoint(receiver.url(path), { lane }),
        store.endpoint(receiver.url(failing), { lane }),
      ]);
      temporal.sever();
      const { deliveryId } = await store.acceptOne(bad);
      await store.accept(good, 20);
      await eventually(async () => (await store.withStatus(good, 'succeeded')) === 20, PATIENCE);
      await settled(deliveryId, 'retrying');
      expect(await store.outboxRow(deliveryId)).toMatchObject({ lane: 'workflow' });
      expect(receiver.requestsTo(failing)).toHaveLength(1);
      temporal.restore();
      expect(await settled(deliveryId, 'succeeded')).toMatchObject({ lane: 'express', attempt_count: 2 });
      await gone(deliveryId);
    },
  );
});
