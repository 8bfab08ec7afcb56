// Real: Postgres. What a commit of new deliveries tells whoever listens, and what is taken on its word.
import pg from 'pg';
import { idToUuid } from '@hookstream/domain';
import {
  FairClaim,
  OUTBOX_CHANNEL,
  readWakeUp,
  toAttempt,
  toStart,
  type EndpointRecord,
  type NamedQueue,
  type OutboxNews,
} from '@hookstream/persistence';
import { StoredDeliveries } from './stored-deliveries.js';

const LEASE = { workerId: 'a', leaseMs: 60_000 };

describe('the news of new deliveries', () => {
  let store: StoredDeliveries;
  let listener: pg.Client;
  let heard: OutboxNews[];
  let told: (() => void) | undefined;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    listener = new pg.Client({ connectionString: store.testDatabase.url });
    await listener.connect();
    listener.on('notification', ({ payload }) => {
      heard.push(readWakeUp(payload));
      told?.();
    });
    await listener.query(`LISTEN ${OUTBOX_CHANNEL}`);
  });
  beforeEach(async () => {
    heard = [];
    await store.database.pool.query('TRUNCATE outbox, slots');
  });
  afterAll(async () => {
    await listener.end();
    await store.drop();
  });

  /** What one commit tells. */
  async function news(of: () => Promise<unknown>): Promise<OutboxNews> {
    const hearing = new Promise<void>((resolve) => (told = resolve));
    await of();
    await hearing;
    return heard[0] as OutboxNews;
  }
  const queue = (endpoint: EndpointRecord, count: number): NamedQueue => ({
    lane: endpoint.lane,
    tenantUuid: idToUuid('tenant', store.tenantId),
    endpointUuid: idToUuid('endpoint', endpoint.id),
    endpointId: endpoint.id,
    count,
  });
  const toAll = (count = 1) =>
    store.events.acceptEvents(
      Array.from({ length: count }, () => ({ tenantId: store.tenantId, type: 'order.paid', dataText: '{}' })),
    );
  const endpoints = (count: number, settings: Parameters<StoredDeliveries['endpoint']>[1] = {}) =>
    Promise.all(Array.from({ length: count }, () => store.endpoint(undefined, settings)));
  const removeAll = () => store.database.pool.query('UPDATE endpoints SET deleted_at = now()');
  const durable = () => new FairClaim(store.database.pool, toStart('durable'));

  it('names the queues and how much is new in each', async () => {
    const tenantId = await store.addTenant();
    const paid = await store.endpoint(undefined, { tenantId, lane: 'durable' });
    const quick = await store.endpoint(undefined, { tenantId, lane: 'express' });
    const { lanes, queues } = await news(() =>
      store.events.acceptEvents(
        [paid, paid, quick].map(({ id }) => ({
          ...{ tenantId, type: 'order.paid', dataText: '{}' },
          endpointIds: [id],
        })),
      ),
    );
    const tenantUuid = idToUuid('tenant', tenantId);
    expect([...(lanes ?? [])].sort()).toEqual(['durable', 'express']);
    expect([...queues].sort((a, b) => b.count - a.count)).toEqual([
      { ...queue(paid, 2), lane: 'durable', tenantUuid },
      { ...queue(quick, 1), lane: 'express', tenantUuid },
    ]);
  });

  it('says nothing of what is due later or held, and names no queues where they are many', async () => {
    await removeAll();
    const [held, later] = (await endpoints(2)) as [EndpointRecord, EndpointRecord];
    await store.setStatus(held, 'paused');
    heard = [];
    await store.accept(held);
    await store.accept(later, 1, { deliverAt: new Date(Date.now() + 3_600_000) });
    const many = await endpoints(9);
    const first = await news(() => toAll());
    expect(first).toEqual({ lanes: ['durable'], queues: [] });
    expect(many).toHaveLength(9);
  });

  it('is enough to take what is new, and nothing else', async () => {
    const [one, other] = (await endpoints(2)) as [EndpointRecord, EndpointRecord];
    const accepted = await store.accept(one, 3);
    await store.accept(other, 2);
    const taken = await durable().claimNamed(LEASE, [queue(one, 1), queue(one, 2)]);
    expect(taken.map(({ deliveryId }) => deliveryId)).toEqual(accepted.map(({ deliveryId }) => deliveryId));
    expect(await durable().claimNamed(LEASE, [queue(one, 1)])).toEqual([]);
    expect(await store.claim()).toHaveLength(2);
  });

  it('takes for the express lane all that an attempt needs', async () => {
    const endpoint = await store.endpoint('https://quick.test/', { lane: 'express' });
    const { deliveryId } = await store.acceptOne(endpoint);
    const express = new FairClaim(store.database.pool, toAttempt('express'));
    expect(await express.claimNamed(LEASE, [queue(endpoint, 1)])).toMatchObject([
      { deliveryId, attemptCount: 0, endpoint: { url: 'https://quick.test/' } },
    ]);
  });

  it('takes no more than the limits of endpoint and tenant let go', async () => {
    const [narrow, paused] = (await endpoints(2, { maxInFlight: 2 })) as [EndpointRecord, EndpointRecord];
    await store.accept(narrow, 3);
    expect(await durable().claimNamed(LEASE, [queue(narrow, 3)])).toHaveLength(2);
    await store.accept(paused, 1);
    await store.setStatus(paused, 'paused');
    expect(await durable().claimNamed(LEASE, [queue(paused, 1)])).toEqual([]);

    await store.database.pool.query('TRUNCATE outbox, slots');
    const wide = await endpoints(3);
    for (const endpoint of wide) await store.accept(endpoint, 2);
    await store.database.pool.query('UPDATE tenants SET max_in_flight = 3 WHERE id = $1', [
      idToUuid('tenant', store.tenantId),
    ]);
    const taken = await durable().claimNamed(
      LEASE,
      wide.map((endpoint) => queue(endpoint, 2)),
    );
    await store.database.pool.query('UPDATE tenants SET max_in_flight = NULL');
    expect(taken).toHaveLength(3);
  });
});
