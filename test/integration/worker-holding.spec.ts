// Real: a worker as its process runs it, Postgres, Temporal and the receiver.
// Proves that pause, disable and delete take effect at every point of a delivery's life, and that holding uses up nothing.
import { newId, SYSTEM_ACTOR, type EndpointStatus } from '@hookstream/domain';
import { eventually, TestReceiver } from '@hookstream/testing';
import type { StoredDeliveries } from './stored-deliveries.js';
import { WorkerInstance } from './worker-instance.js';

const PATIENCE = { timeoutMs: 30_000 };

describe.each(['durable', 'express'] as const)(
  'endpoints that hold their deliveries in the %s lane',
  (lane) => {
    let instance: WorkerInstance;
    let store: StoredDeliveries;
    let receiver: TestReceiver;
    let path: string;

    beforeAll(async () => {
      [instance, receiver] = await Promise.all([WorkerInstance.create(), TestReceiver.start()]);
      store = instance.store;
      store.lane = lane;
      await instance.startWorker();
    });
    beforeEach(() => {
      path = `/${newId('event')}`;
    });
    afterAll(async () => {
      await instance.stop();
      await receiver.close();
    });

    const settled = (deliveryId: string, status: string) =>
      eventually(async () => {
        const delivery = await store.delivery(deliveryId);
        return delivery.status === status && delivery;
      }, PATIENCE);

    it.each<EndpointStatus>(['paused', 'disabled'])(
      'holds what is in its schedule when %s, and goes on where it was',
      async (status) => {
        receiver.on(path, [{ status: 500 }, { status: 200 }]);
        const endpoint = await store.endpoint(receiver.url(path), {
          retry: { delays_ms: [600, 60_000], jitter: 0 },
        });
        const { deliveryId } = await store.acceptOne(endpoint);
        await settled(deliveryId, 'retrying');
        await store.setStatus(endpoint, status);
        await eventually(async () => (await store.held(endpoint)) === 1, PATIENCE);
        expect(await store.delivery(deliveryId)).toMatchObject({
          status: 'retrying',
          attempt_count: 1,
          schedule_step: 1,
          next_attempt_at: null,
        });
        expect(receiver.requestsTo(path)).toHaveLength(1);
        await store.setStatus(endpoint, 'enabled');
        const delivery = await settled(deliveryId, 'succeeded');
        expect(delivery).toMatchObject({ attempt_count: 2, schedule_step: 2 });
        expect(
          (await receiver.waitForRequests(path, 2, PATIENCE.timeoutMs))[1]?.headers['hookstream-attempt'],
        ).toBe('2');
      },
    );

    it('holds what is accepted while paused and delivers all of it at the resume', async () => {
      const endpoint = await store.endpoint(receiver.url(path));
      await store.setStatus(endpoint, 'paused');
      const deliveries = await store.accept(endpoint, 10);
      expect(await store.held(endpoint)).toBe(10);
      await store.setStatus(endpoint, 'enabled');
      await receiver.waitForRequests(path, 10, PATIENCE.timeoutMs);
      for (const { deliveryId } of deliveries) await settled(deliveryId, 'succeeded');
      expect(receiver.requestsTo(path)).toHaveLength(10);
    });

    it('loses nothing to a pause and a resume in quick turn while deliveries start', async () => {
      const endpoint = await store.endpoint(receiver.url(path));
      for (let round = 0; round < 6; round++) {
        const accepted = store.accept(endpoint, 10);
        await store.setStatus(endpoint, 'paused');
        await accepted;
        await store.setStatus(endpoint, 'enabled');
      }
      await eventually(async () => (await store.withStatus(endpoint, 'succeeded')) === 60, PATIENCE);
      expect(receiver.webhookIds(path).size).toBe(60);
    });

    it('starts a delivery again that was handed back while its last run was still open', async () => {
      // The endpoint is resumed while the hand-back's run is open: its next start may find that run.
      for (let round = 0; round < 5; round++) {
        const endpoint = await store.endpoint(receiver.url(`${path}/${round}`), {
          retry: { delays_ms: [100], jitter: 0 },
        });
        receiver.on(`${path}/${round}`, [{ status: 500 }, { status: 200 }]);
        const { deliveryId } = await store.acceptOne(endpoint);
        await settled(deliveryId, 'retrying');
        await store.setStatus(endpoint, 'paused');
        await eventually(async () => (await store.held(endpoint)) === 1, { ...PATIENCE, intervalMs: 1 });
        await store.setStatus(endpoint, 'enabled');
        await settled(deliveryId, 'succeeded');
      }
    });

    it('cancels what waits in its schedule when the endpoint is deleted', async () => {
      receiver.on(path, { status: 500 });
      const endpoint = await store.endpoint(receiver.url(path), {
        retry: { delays_ms: [2_000], jitter: 0 },
      });
      const { deliveryId } = await store.acceptOne(endpoint);
      await settled(deliveryId, 'retrying');
      // in the express lane too a workflow has it then
      await eventually(async () => (await store.outboxRow(deliveryId)) === undefined, PATIENCE);
      await store.endpoints.delete(store.tenantId, endpoint.id, SYSTEM_ACTOR);
      await settled(deliveryId, 'cancelled');
      const handle = instance.temporal.client.workflow.getHandle(deliveryId);
      await eventually(async () => (await handle.describe()).status.name === 'COMPLETED', PATIENCE);
      expect(receiver.requestsTo(path)).toHaveLength(1);
    });
  },
);
