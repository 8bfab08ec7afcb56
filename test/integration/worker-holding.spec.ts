// Real: a worker as its process runs it, Postgres, Temporal and the receiver.
// Proves that pause, disable and delete take effect at every point of a delivery's life, and that holding uses up nothing.
import { SYSTEM_ACTOR, type EndpointStatus } from '@hookstream/domain';
import { eventually } from '@hookstream/testing';
import { PATIENCE, useWorkers } from './worker-fixture.js';

describe.each(['durable', 'express'] as const)(
  'endpoints that hold their deliveries in the %s lane',
  (lane) => {
    const here = useWorkers({ lane });

    it.each<EndpointStatus>(['paused', 'disabled'])(
      'holds what is in its schedule when %s, and goes on where it was',
      async (status) => {
        here.answer([{ status: 500 }, { status: 200 }]);
        const endpoint = await here.store.endpoint(here.url(), {
          retry: { delays_ms: [600, 60_000], jitter: 0 },
        });
        const { deliveryId } = await here.store.acceptOne(endpoint);
        await here.settled(deliveryId, 'retrying');
        await here.store.setStatus(endpoint, status);
        await eventually(async () => (await here.store.held(endpoint)) === 1, PATIENCE);
        expect(await here.store.delivery(deliveryId)).toMatchObject({
          status: 'retrying',
          attempt_count: 1,
          schedule_step: 1,
          next_attempt_at: null,
        });
        expect(here.received()).toHaveLength(1);
        await here.store.setStatus(endpoint, 'enabled');
        const delivery = await here.settled(deliveryId, 'succeeded');
        expect(delivery).toMatchObject({ attempt_count: 2, schedule_step: 2 });
        expect((await here.receives(2))[1]?.headers['hookstream-attempt']).toBe('2');
      },
    );

    it('holds what is accepted while paused and delivers all of it at the resume', async () => {
      const endpoint = await here.store.endpoint(here.url());
      await here.store.setStatus(endpoint, 'paused');
      const deliveries = await here.store.accept(endpoint, 10);
      expect(await here.store.held(endpoint)).toBe(10);
      await here.store.setStatus(endpoint, 'enabled');
      await here.receives(10);
      for (const { deliveryId } of deliveries) await here.settled(deliveryId, 'succeeded');
      expect(here.received()).toHaveLength(10);
    });

    it('loses nothing to a pause and a resume in quick turn while deliveries start', async () => {
      const endpoint = await here.store.endpoint(here.url());
      for (let round = 0; round < 6; round++) {
        const accepted = here.store.accept(endpoint, 10);
        await here.store.setStatus(endpoint, 'paused');
        await accepted;
        await here.store.setStatus(endpoint, 'enabled');
      }
      await here.count(endpoint, 60);
      expect(here.webhookIds.size).toBe(60);
    });

    it('starts a delivery again that was handed back while its last run was still open', async () => {
      // The endpoint is resumed while the hand-back's run is open: its next start may find that run.
      for (let round = 0; round < 5; round++) {
        const endpoint = await here.store.endpoint(here.url(`/${round}`), {
          retry: { delays_ms: [100], jitter: 0 },
        });
        here.answer([{ status: 500 }, { status: 200 }], `/${round}`);
        const { deliveryId } = await here.store.acceptOne(endpoint);
        await here.settled(deliveryId, 'retrying');
        await here.store.setStatus(endpoint, 'paused');
        await eventually(async () => (await here.store.held(endpoint)) === 1, { ...PATIENCE, intervalMs: 1 });
        await here.store.setStatus(endpoint, 'enabled');
        await here.settled(deliveryId, 'succeeded');
      }
    });

    it('cancels what waits in its schedule when the endpoint is deleted', async () => {
      here.answer({ status: 500 });
      const endpoint = await here.store.endpoint(here.url(), {
        retry: { delays_ms: [2_000], jitter: 0 },
      });
      const { deliveryId } = await here.store.acceptOne(endpoint);
      await here.settled(deliveryId, 'retrying');
      // in the express lane too a workflow has it then
      await here.leavesOutbox(deliveryId);
      await here.store.endpoints.delete(here.store.tenantId, endpoint.id, SYSTEM_ACTOR);
      await here.settled(deliveryId, 'cancelled');
      const handle = here.instance.temporal.client.workflow.getHandle(deliveryId);
      await eventually(async () => (await handle.describe()).status.name === 'COMPLETED', PATIENCE);
      expect(here.received()).toHaveLength(1);
    });
  },
);
