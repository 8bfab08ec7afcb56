// Real: Postgres. Which rows of the outbox a worker gets, keeps and gives back.
import { idToUuid } from '@hookstream/domain';
import {
  AttemptsRepository,
  FairClaim,
  toAttempt,
  toStart,
  type EndpointRecord,
} from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { StoredDeliveries } from './stored-deliveries.js';

const CLAIMABLE = 'SELECT count(*)::int AS n FROM outbox WHERE claimable_at <= now()';

describe('claiming from the outbox', () => {
  let store: StoredDeliveries;
  let attempts: AttemptsRepository;
  let endpoint: EndpointRecord;

  beforeAll(async () => {
    store = await StoredDeliveries.create({ poolSize: 20 });
    attempts = new AttemptsRepository(store.database.pool);
  });
  beforeEach(async () => {
    await store.database.pool.query('DELETE FROM outbox');
    endpoint = await store.endpoint();
  });
  afterAll(() => store.drop());

  const ids = (deliveries: { deliveryId: string }[]) => deliveries.map(({ deliveryId }) => deliveryId);
  const setDelivery = (deliveryId: string, assignments: string) =>
    store.database.pool.query(`UPDATE deliveries SET ${assignments} WHERE id = $1`, [
      idToUuid('delivery', deliveryId),
    ]);
  /** As after a claim, a hand-back or a retry: nothing is as it was accepted. */
  const lookUpAll = () => store.database.pool.query('UPDATE outbox SET event_id = NULL');
  const handBack = (deliveryId: string) =>
    attempts.handBack({ deliveryId, tenantId: store.tenantId, endpointId: endpoint.id }, 0);

  it('gives every row to exactly one of many that claim at the same time', async () => {
    const accepted = ids(await store.accept(endpoint, 600));
    const claimers = Array.from({ length: 20 }, async (_, i) => {
      const mine: string[] = [];
      for (;;) {
        const claimed = await store.claim(`worker-${i}`, { limit: 7 });
        if (claimed.length === 0 && (await store.count(CLAIMABLE)) === 0) return mine;
        mine.push(...claimed);
      }
    });
    const claimed = (await Promise.all(claimers)).flat();
    expect(claimed).toHaveLength(600);
    expect(new Set(claimed)).toEqual(new Set(accepted));
  });

  it('wants more room, or another claim, only where more waits', async () => {
    const other = await store.endpoint();
    await store.accept(endpoint, 3);
    expect(await store.claimWith({ limit: 2 })).toMatchObject({ wantsRoom: true, again: false });
    expect(await store.claimWith({ limit: 2 })).toMatchObject({ wantsRoom: false, again: false });
    await store.accept(endpoint, 1);
    await store.accept(other, 9);
    expect(await store.claimWith({ limit: 8 })).toMatchObject({ wantsRoom: true, again: true });
    expect(await store.claimWith({ limit: 8 })).toMatchObject({ wantsRoom: false, again: false });
  });

  it('leaves queues alone that it is not for', async () => {
    const other = await store.endpoint();
    await store.accept(endpoint, 2);
    const theirs = ids(await store.accept(other, 2));
    const isFor = (id: string) => id === other.id;
    const claim = await store.claimWith({ limit: 10, isFor });
    expect(new Set(ids(claim.deliveries))).toEqual(new Set(theirs));
    expect(await store.claimWith({ limit: 10, isFor })).toMatchObject({ deliveries: [], wantsRoom: false });
  });

  it('does not wait for rows that another is claiming', async () => {
    const [locked, free] = ids(await store.accept(endpoint, 2)) as [string, string];
    const other = await store.database.pool.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT 1 FROM outbox WHERE delivery_id = $1 FOR UPDATE', [
        idToUuid('delivery', locked),
      ]);
      expect(await store.claim()).toEqual([free]);
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
  });

  it('answers what starting a workflow needs, earliest due first', async () => {
    const first = await store.acceptOne(endpoint, { deliverAt: new Date(Date.now() - 1_000) });
    const second = await store.acceptOne(endpoint);
    await setDelivery(first.deliveryId, `attempt_count = 2, schedule_step = 1, status = 'retrying'`);
    await lookUpAll();
    const { deliveries: claimed } = await store.claimWith({ limit: 10 });
    expect(claimed).toEqual([
      expect.objectContaining({
        ...first,
        tenantId: store.tenantId,
        endpointId: endpoint.id,
        eventType: 'order.paid',
        endpointUrl: endpoint.url,
        attemptCount: 2,
        scheduleStep: 1,
      }),
      expect.objectContaining({ ...second, attemptCount: 0, scheduleStep: 0 }),
    ]);
  });

  it('answers of a first attempt the same with and without looking its delivery up', async () => {
    const express = await store.endpoint(undefined, { lane: 'express', headers: { 'x-own': '1' } });
    await store.accept(express, 2, { deliverAt: new Date(Date.now() - 1_000) });
    await store.accept(express, 1);
    const claimOnce = async () => {
      const source = new FairClaim(store.database.pool, toAttempt('express'));
      const use = { room: 10, capacity: 10, total: 0, tenants: new Map(), endpoints: new Map() };
      const { deliveries } = await source.claim({ workerId: 'a', leaseMs: 60_000, use });
      await store.outbox.release('a', ids(deliveries));
      return deliveries.sort((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1));
    };
    const byEvent = await claimOnce();
    expect(byEvent).toHaveLength(3);
    await lookUpAll();
    expect(await claimOnce()).toEqual(byEvent);
  });

  it('claims with a workflow what its first attempt would load, where nothing can have been attempted yet', async () => {
    const own = await store.endpoint(undefined, { headers: { 'x-own': '1' } });
    await store.accept(own, 2);
    const { deliveries } = await store.claimWith({ limit: 10 });
    expect(deliveries).toHaveLength(2);
    for (const { deliveryId, firstAttempt } of deliveries) {
      const loaded = await attempts.begin({ deliveryId, number: 1, trigger: 'schedule', lane: 'durable' });
      expect(loaded).toMatchObject({ begun: true, status: 'pending', payload: expect.any(String) });
      expect(firstAttempt).toEqual({ ...loaded, scheduleStep: 0, trigger: 'schedule' });
    }
  });

  it('claims no first attempt of what was claimed for a workflow before, was handed back, or is large', async () => {
    const firsts = async () => (await store.claimWith({ limit: 10 })).deliveries.map((d) => d.firstAttempt);
    const { deliveryId } = await store.acceptOne(endpoint);
    expect(await store.claim('a', { leaseMs: 1 })).toEqual([deliveryId]);
    await eventually(async () => (await store.count(CLAIMABLE)) === 1);
    expect(await firsts()).toEqual([undefined]);
    await store.outbox.release('a', [deliveryId]);
    expect(await firsts()).toEqual([undefined]);
    await store.outbox.acknowledge('a', [deliveryId]);

    await store.acceptOne(endpoint, { dataText: JSON.stringify('x'.repeat(65_536)) });
    expect(await firsts()).toEqual([undefined]);
  });

  it('removes what succeeded although its worker could not acknowledge it', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.claim('a', { leaseMs: 1 });
    await setDelivery(deliveryId, `attempt_count = 1, status = 'succeeded'`);
    await eventually(async () => (await store.count(CLAIMABLE)) === 1);
    expect(await store.claim('b')).toEqual([]);
    expect(await store.outboxRow(deliveryId)).toBeUndefined();
  });

  it('forgets that a delivery is as it was accepted once a workflow of it may exist', async () => {
    const auto = await store.endpoint(undefined, { lane: 'auto' });
    const { deliveryId } = await store.acceptOne(auto);
    await new FairClaim(store.database.pool, toStart('auto')).claim({
      ...{ workerId: 'a', leaseMs: 60_000 },
      use: { room: 10, capacity: 10, total: 0, tenants: new Map(), endpoints: new Map() },
    });
    await store.outbox.release('a', [deliveryId], 0, true);
    expect(await store.outboxRow(deliveryId)).toMatchObject({ lane: 'auto', event_id: null });
  });

  it('gives a row to another once its lease has ended, and not before', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    expect(await store.claim('a', { leaseMs: 300 })).toEqual([deliveryId]);
    expect(await store.claim('b')).toEqual([]);
    await eventually(async () => (await store.claim('b')).includes(deliveryId));
    expect((await store.outboxRow(deliveryId))?.claimed_by).toBe('b');
  });

  it('lets only its holder acknowledge a row', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.claim('a');
    await store.outbox.acknowledge('b', [deliveryId]);
    expect(await store.outboxRow(deliveryId)).toBeDefined();
    await store.outbox.acknowledge('a', [deliveryId]);
    expect(await store.outboxRow(deliveryId)).toBeUndefined();
  });

  it('keeps a row that was handed back between claim and acknowledge', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.claim('a');
    await store.setStatus(endpoint, 'paused');
    await handBack(deliveryId);
    await store.outbox.acknowledge('a', [deliveryId]);
    expect(await store.held(endpoint)).toBe(1);
  });

  it('keeps a row that was handed back to an endpoint resumed already', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.claim('a');
    await handBack(deliveryId);
    await store.outbox.acknowledge('a', [deliveryId]);
    expect(await store.claim('b')).toEqual([deliveryId]);
  });

  describe('when the workflow is open already', () => {
    it('removes the row of a delivery that is moving', async () => {
      const [begun, waiting] = ids(await store.accept(endpoint, 2)) as [string, string];
      await store.claim('a');
      await setDelivery(begun, `status = 'in_progress', next_attempt_at = NULL`);
      await setDelivery(waiting, `status = 'retrying', next_attempt_at = now() + interval '1 hour'`);
      await store.outbox.acknowledgeOpen('a', [begun, waiting], 0);
      expect(await store.outboxRow(begun)).toBeUndefined();
      expect(await store.outboxRow(waiting)).toBeUndefined();
    });

    it('keeps the row of one handed back, whose run is about to close, and offers it again', async () => {
      const { deliveryId } = await store.acceptOne(endpoint);
      await store.claim('old');
      await handBack(deliveryId);
      expect(await store.claim('a')).toEqual([deliveryId]);
      await store.outbox.acknowledgeOpen('b', [deliveryId], 0);
      expect(await store.claim('b')).toEqual([]);
      await store.outbox.acknowledgeOpen('a', [deliveryId], 0);
      expect(await store.claim('b')).toEqual([deliveryId]);
    });
  });

  it('offers released rows at once, or after the delay asked for, and only those of the holder', async () => {
    const [first, second, other] = ids(await store.accept(endpoint, 3)) as [string, string, string];
    await store.claim('a');
    await store.outbox.release('b', [other]);
    await store.outbox.release('a', [first]);
    await store.outbox.release('a', [second], 60_000);
    expect(await store.claim('b')).toEqual([first]);
  });

  it('leaves what was claimed to its holder in a pause, and holds what nobody holds any more', async () => {
    const [started, ended] = ids(await store.accept(endpoint, 2)) as [string, string];
    await store.claim('a');
    await store.setStatus(endpoint, 'paused');
    expect(await store.held(endpoint)).toBe(0);
    await store.setStatus(endpoint, 'enabled');
    expect(await store.claim('b')).toEqual([]);
    await store.outbox.acknowledge('a', [started]);
    await store.database.pool.query(`UPDATE outbox SET claimable_at = now()`);
    await store.setStatus(endpoint, 'paused');
    expect(await store.held(endpoint)).toBe(1);
    await store.outbox.acknowledge('a', [ended]);
    expect(await store.held(endpoint)).toBe(1);
  });

  it('leaves what is due later until then', async () => {
    const { deliveryId } = await store.acceptOne(endpoint, { deliverAt: new Date(Date.now() + 60_000) });
    expect(await store.claim()).toEqual([]);
    await store.database.pool.query(`UPDATE outbox SET claimable_at = now() - interval '1 ms'`);
    expect(await store.claim()).toEqual([deliveryId]);
  });

  it('leaves what its endpoint holds, until it is resumed', async () => {
    const before = await store.acceptOne(endpoint);
    await store.setStatus(endpoint, 'paused');
    const after = await store.acceptOne(endpoint);
    expect(await store.claim()).toEqual([]);
    await store.setStatus(endpoint, 'enabled');
    expect(new Set(await store.claim())).toEqual(new Set([before.deliveryId, after.deliveryId]));
  });

  it('keeps the due time of what is held: a resume does not hasten it', async () => {
    await store.acceptOne(endpoint, { deliverAt: new Date(Date.now() + 60_000) });
    await store.setStatus(endpoint, 'paused');
    await store.setStatus(endpoint, 'enabled');
    expect(await store.claim()).toEqual([]);
  });

  it('deletes rows of final and of vanished deliveries instead of offering them', async () => {
    const deliveries = ids(await store.accept(endpoint, 5)) as [string, string, string, string, string];
    const [done, dead, cancelled, vanished, live] = deliveries;
    await setDelivery(done, `status = 'succeeded'`);
    await setDelivery(dead, `status = 'dead_letter'`);
    await setDelivery(cancelled, `status = 'cancelled'`);
    await lookUpAll();
    await store.database.pool.query('DELETE FROM deliveries WHERE id = $1', [idToUuid('delivery', vanished)]);
    expect(await store.claim()).toEqual([live]);
    expect(await store.count('SELECT count(*)::int AS n FROM outbox')).toBe(1);
  });

  it('looks the claimed deliveries up by id, however many it may claim', async () => {
    const client = await store.database.pool.connect();
    try {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN SELECT d.id FROM (SELECT delivery_id FROM outbox LIMIT 100000) c
           LEFT JOIN LATERAL (SELECT * FROM deliveries WHERE id = c.delivery_id OFFSET 0) d ON true`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain('Nested Loop');
      expect(plan).not.toContain('Hash');
    } finally {
      client.release();
    }
  });
});
