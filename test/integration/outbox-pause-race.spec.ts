// Real: Postgres. Races of pause, resume, accept, hand-back and delete: after a resume nothing is held, after a delete nothing is left.
import { SYSTEM_ACTOR } from '@hookstream/domain';
import { AttemptsRepository, type EndpointRecord } from '@hookstream/persistence';
import { StoredDeliveries } from './stored-deliveries.js';

const ROUNDS = 20;

describe('pause and resume against what happens at the same time', () => {
  let store: StoredDeliveries;
  let attempts: AttemptsRepository;

  beforeAll(async () => {
    store = await StoredDeliveries.create({ poolSize: 12 });
    attempts = new AttemptsRepository(store.database.pool);
  });
  afterEach(() => store.database.pool.query('DELETE FROM outbox'));
  afterAll(() => store.drop());

  const handBack = (endpoint: EndpointRecord, deliveryId: string) =>
    attempts.handBack({ deliveryId, tenantId: store.tenantId, endpointId: endpoint.id }, 0);

  it('holds no row that was accepted while the endpoint was resumed', async () => {
    const endpoint = await store.endpoint();
    for (let round = 0; round < ROUNDS; round++) {
      await store.setStatus(endpoint, 'paused');
      await Promise.all([
        ...Array.from({ length: 6 }, () => store.accept(endpoint, 3)),
        store.setStatus(endpoint, 'enabled'),
      ]);
      expect(await store.held(endpoint)).toBe(0);
      expect(await store.claim('a')).toHaveLength(18);
      await store.database.pool.query('DELETE FROM outbox');
    }
  });

  it('holds no row that was handed back while the endpoint was resumed', async () => {
    const endpoint = await store.endpoint();
    const deliveries = await store.accept(endpoint, 6);
    for (let round = 0; round < ROUNDS; round++) {
      expect(await store.claim('a')).toHaveLength(6);
      await store.outbox.acknowledge(
        'a',
        deliveries.map(({ deliveryId }) => deliveryId),
      );
      await store.setStatus(endpoint, 'paused');
      await Promise.all([
        ...deliveries.map(({ deliveryId }) => handBack(endpoint, deliveryId)),
        store.setStatus(endpoint, 'enabled'),
      ]);
      expect(await store.held(endpoint)).toBe(0);
    }
  });

  it('leaves nothing claimable that was handed back while the endpoint was paused', async () => {
    const endpoint = await store.endpoint();
    const deliveries = await store.accept(endpoint, 6);
    for (let round = 0; round < ROUNDS / 2; round++) {
      await store.claim('a');
      await Promise.all([
        ...deliveries.map(({ deliveryId }) => handBack(endpoint, deliveryId)),
        store.setStatus(endpoint, 'paused'),
      ]);
      expect(await store.held(endpoint)).toBe(6);
      await store.setStatus(endpoint, 'enabled');
    }
  });

  it('leaves no row behind that was handed back while the endpoint was deleted', async () => {
    for (let round = 0; round < ROUNDS / 3; round++) {
      const endpoint = await store.endpoint();
      const deliveries = await store.accept(endpoint, 4);
      await store.claim('a');
      await store.outbox.acknowledge(
        'a',
        deliveries.map(({ deliveryId }) => deliveryId),
      );
      await Promise.all([
        ...deliveries.map(({ deliveryId }) => handBack(endpoint, deliveryId)),
        store.endpoints.delete(store.tenantId, endpoint.id, SYSTEM_ACTOR),
      ]);
      expect(await store.withStatus(endpoint, 'cancelled')).toBe(4);
      for (const { deliveryId } of deliveries) expect(await store.outboxRow(deliveryId)).toBeUndefined();
    }
  });

  it('does not deadlock when claims, acknowledgements, pauses and releases meet', async () => {
    const endpoint = await store.endpoint();
    const deliveries = await store.accept(endpoint, 200);
    const ids = deliveries.map(({ deliveryId }) => deliveryId);
    for (let round = 0; round < 10; round++) {
      await store.claim('a', { limit: 1_000 });
      await Promise.all([
        store.outbox.release('a', [...ids].reverse()),
        store.outbox.acknowledgeOpen('a', [...ids].reverse(), 0),
        store.setStatus(endpoint, 'paused'),
        store.outbox.reconcile({ olderThanMs: 60_000, limit: 1_000 }),
        store.setStatus(endpoint, 'enabled'),
        store.claim('b', { limit: 50 }),
      ]);
    }
    await store.setStatus(endpoint, 'enabled');
    expect(await store.held(endpoint)).toBe(0);
  });
});
