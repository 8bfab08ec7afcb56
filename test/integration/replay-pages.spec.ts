// Real: Postgres. The steps of a replay as its activities take them, without Temporal.
// Proves that a replay queues each delivery once, whatever is repeated or breaks off, and only what it is about.
import { idToUuid, newId, uuidToId, type AuditActor, type DeliveryStatus } from '@hookstream/domain';
import {
  inTransaction,
  ReplaysRepository,
  ReplayStepsRepository,
  type EndpointRecord,
  type ReplayFilter,
  type ReplayRecord,
} from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { StoredDeliveries } from './stored-deliveries.js';

const BOUNDS = { pageSize: 10, scanLimit: 1_000, waitingMax: 1_000_000 };
const ACTOR: AuditActor = { kind: 'operator' };

describe('a replay', () => {
  let store: StoredDeliveries;
  let replays: ReplaysRepository;
  let steps: ReplayStepsRepository;
  let endpoint: EndpointRecord;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    replays = new ReplaysRepository(store.database);
    steps = new ReplayStepsRepository(store.database.pool);
  });
  beforeEach(async () => {
    endpoint = await store.endpoint();
  });
  afterEach(async () => {
    await store.database.pool.query('DELETE FROM outbox');
    await store.database.pool.query('DELETE FROM deliveries');
    await store.database.pool.query('DELETE FROM replays');
  });
  afterAll(() => store.drop());

  /** Deliveries that have come to that status after one attempt, oldest first. */
  async function ended(
    count: number,
    status: DeliveryStatus = 'dead_letter',
    of: EndpointRecord = endpoint,
    type = 'order.paid',
  ): Promise<string[]> {
    const ids = (await store.accept(of, count, { type })).map(({ deliveryId }) => deliveryId).sort();
    const uuids = ids.map((id) => idToUuid('delivery', id));
    await store.database.pool.query('DELETE FROM outbox WHERE delivery_id = ANY($1)', [uuids]);
    await store.database.pool.query(
      `UPDATE deliveries SET status = $2, attempt_count = 1, schedule_step = 1, completed_at = now() WHERE id = ANY($1)`,
      [uuids, status],
    );
    return ids;
  }

  const create = async (filter: ReplayFilter = { endpointId: endpoint.id }): Promise<ReplayRecord> => {
    const replay = await replays.create(store.tenantId, filter, ACTOR);
    if (replay === null) throw new Error('too many replays');
    return replay;
  };

  async function runToEnd(id: string, bounds = BOUNDS): Promise<number> {
    while ((await steps.count(id, bounds.scanLimit)).status === 'counting');
    for (let pages = 1; ; pages++) {
      const { status } = await steps.page(id, bounds);
      if (status !== 'running') return pages;
    }
  }

  const queued = async (): Promise<string[]> =>
    (
      await store.database.pool.query<{ id: string }>(
        `SELECT delivery_id AS id FROM outbox WHERE trigger = 'replay' ORDER BY 1`,
      )
    ).rows.map(({ id }) => uuidToId('delivery', id));

  const find = async (id: string): Promise<ReplayRecord> => {
    const replay = await replays.find(store.tenantId, id);
    if (replay === null) throw new Error('no replay');
    return replay;
  };

  it('counts, then queues page by page with a fresh schedule, oldest first', async () => {
    const ids = await ended(25);
    const { id } = await create();
    expect(await steps.count(id, 10)).toEqual({ status: 'counting', total: 10, done: 0, failed: 0 });
    expect(await steps.count(id, 10)).toMatchObject({ status: 'counting', total: 20 });
    expect(await steps.count(id, 10)).toMatchObject({ status: 'running', total: 25 });
    expect(await steps.page(id, BOUNDS)).toEqual({
      status: 'running',
      total: 25,
      done: 10,
      failed: 0,
      full: false,
    });
    expect(await queued()).toEqual(ids.slice(0, 10));
    await steps.page(id, BOUNDS);
    expect(await steps.page(id, BOUNDS)).toMatchObject({ status: 'completed', done: 25 });
    expect(await queued()).toEqual(ids);
    expect((await find(id)).completedAt).toBeInstanceOf(Date);
    for (const delivery of await Promise.all(ids.map((one) => store.delivery(one))))
      expect(delivery).toMatchObject({
        status: 'retrying',
        attempt_count: 1,
        schedule_step: 0,
        completed_at: null,
      });
    const { deliveries: claimed } = await store.claimWith();
    expect(claimed.map(({ trigger }) => trigger)).toEqual(Array(25).fill('replay'));
    expect(claimed[0]).toMatchObject({ deliveryId: ids[0], attemptCount: 1, scheduleStep: 0 });
  });

  it('reads no more rows a step than it may, however few of them match', async () => {
    await ended(30, 'succeeded');
    const rare = await ended(2, 'succeeded', endpoint, 'order.refunded');
    await ended(10, 'succeeded');
    const { id } = await create({ endpointId: endpoint.id, eventType: 'order.refunded' });
    const bounds = { ...BOUNDS, scanLimit: 8 };
    expect(await steps.count(id, 8)).toMatchObject({ status: 'counting', total: 0 });
    expect(await runToEnd(id, bounds)).toBe(Math.ceil(43 / 8));
    expect(await queued()).toEqual(rare);
    expect(await find(id)).toMatchObject({ status: 'completed', total: 2, done: 2 });
  });

  it('queues nothing twice when a page is repeated, by one worker after the other or by two at once', async () => {
    const ids = await ended(60);
    const { id } = await create();
    await steps.count(id, 1_000);
    const handOuts = new Map<string, number>();
    // What a page has queued is taken away, so that a second queueing would show.
    const take = async () => {
      for (const one of await store.claim()) handOuts.set(one, (handOuts.get(one) ?? 0) + 1);
      await store.database.pool.query('DELETE FROM outbox');
      await store.database.pool.query(`UPDATE deliveries SET status = 'dead_letter' WHERE endpoint_id = $1`, [
        idToUuid('endpoint', endpoint.id),
      ]);
    };
    for (let round = 0; round < 4; round++) {
      await Promise.all([steps.page(id, BOUNDS), steps.page(id, BOUNDS), steps.page(id, BOUNDS)]);
      await take();
    }
    expect([...handOuts.keys()].sort()).toEqual(ids);
    expect([...handOuts.values()]).toEqual(Array(60).fill(1));
    expect(await find(id)).toMatchObject({ status: 'completed', total: 60, done: 60, failed: 0 });
  });

  it('keeps neither half when a worker dies between the page and its record', async () => {
    const ids = await ended(20);
    const { id } = await create();
    await steps.count(id, 1_000);
    // The record of the page cannot be written: what the connection of a killed worker leaves behind.
    await store.database.pool.query(
      `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
       CREATE TRIGGER die BEFORE UPDATE ON replays FOR EACH ROW EXECUTE FUNCTION die()`,
    );
    await expect(steps.page(id, BOUNDS)).rejects.toThrow(/terminat/i);
    await store.database.pool.query('DROP TRIGGER die ON replays; DROP FUNCTION die()');
    expect(await queued()).toEqual([]);
    expect(await find(id)).toMatchObject({ status: 'running', done: 0 });
    expect((await store.delivery(ids[0] as string)).status).toBe('dead_letter');
    await runToEnd(id);
    expect(await queued()).toEqual(ids);
    expect(await find(id)).toMatchObject({ status: 'completed', done: 20 });
  });

  it('is about what its filter says and leaves alone what is on its way by itself', async () => {
    const other = await store.endpoint();
    const [succeeded] = await ended(1, 'succeeded');
    const [dead] = await ended(1, 'dead_letter');
    const [retrying] = await ended(1, 'retrying');
    const [cancelled] = await ended(1, 'cancelled');
    await ended(1, 'in_progress');
    await ended(1, 'pending');
    await ended(1, 'succeeded', endpoint, 'endpoint.test');
    const [elsewhere] = await ended(1, 'dead_letter', other);
    const [refund] = await ended(1, 'dead_letter', endpoint, 'order.refunded');
    const about = async (filter: ReplayFilter) => {
      const { id } = await create(filter);
      await runToEnd(id);
      const ids = await queued();
      await store.database.pool.query('DELETE FROM outbox');
      for (const [status, one] of [
        ['succeeded', succeeded],
        ['dead_letter', dead],
        ['retrying', retrying],
        ['cancelled', cancelled],
        ['dead_letter', elsewhere],
        ['dead_letter', refund],
      ] as const)
        // prettier-ignore
        await store.database.pool.query('UPDATE deliveries SET status = $1 WHERE id = $2', [
          status,
          idToUuid('delivery', one as string),
        ]);
      expect(await find(id)).toMatchObject({ total: ids.length, done: ids.length });
      return ids;
    };
    const mine = { endpointId: endpoint.id };
    expect(await about(mine)).toEqual([succeeded, dead, retrying, refund]);
    expect(await about({ ...mine, status: 'cancelled' })).toEqual([cancelled]);
    expect(await about({ ...mine, status: 'dead_letter' })).toEqual([dead, refund]);
    expect(await about({ status: 'dead_letter', eventType: 'order.paid' })).toEqual([dead, elsewhere]);
    const { rows } = await store.database.pool.query<{ event_id: string; created_at: Date }>(
      'SELECT event_id, created_at FROM deliveries WHERE id = $1',
      [idToUuid('delivery', refund as string)],
    );
    expect(await about({ eventId: uuidToId('event', rows[0]?.event_id as string) })).toEqual([refund]);
    expect(await about({ ...mine, until: new Date(0) })).toEqual([]);
    expect(await about({ ...mine, since: new Date(Date.now() + 60_000) })).toEqual([]);
  });

  it('is not about what is accepted after it was asked for', async () => {
    const ids = await ended(3);
    const { id } = await create();
    await store.database.pool.query(
      `UPDATE replays SET before_id = (SELECT id FROM deliveries WHERE id > $1 ORDER BY id LIMIT 1)`,
      [idToUuid('delivery', ids[1] as string)],
    ); // the clock of ids is milliseconds: as if the third had come one later
    await runToEnd(id);
    expect(await queued()).toEqual(ids.slice(0, 2));
  });

  it('counts as failed what cannot go out again, with the reason', async () => {
    const gone = await store.endpoint();
    const [, withoutPayload] = await ended(2);
    await ended(3, 'succeeded', gone);
    await store.endpoints.delete(store.tenantId, gone.id, ACTOR);
    await store.database.pool.query(
      'DELETE FROM events WHERE id = (SELECT event_id FROM deliveries WHERE id = $1)',
      [idToUuid('delivery', withoutPayload as string)],
    );
    const since = new Date((await store.delivery(withoutPayload as string)).created_at.getTime() - 1);
    const { id } = await create({ since });
    await runToEnd(id);
    expect(await find(id)).toMatchObject({
      status: 'completed',
      total: 5,
      done: 1,
      failed: 4,
      failures: { endpoint_deleted: 3, payload_expired: 1 },
    });
    expect((await store.delivery(withoutPayload as string)).status).toBe('dead_letter');
  });

  it('lets an endpoint that is paused hold what is queued, and its resume release it', async () => {
    await ended(3);
    await store.setStatus(endpoint, 'paused');
    const { id } = await create();
    await runToEnd(id);
    expect(await store.held(endpoint)).toBe(3);
    expect(await store.claim()).toEqual([]);
    await store.setStatus(endpoint, 'enabled');
    expect(await store.claim()).toHaveLength(3);
  });

  it('may run beside another over the same range: a delivery that waits is not queued a second time', async () => {
    const ids = await ended(30);
    const [one, two] = [await create(), await create()];
    await Promise.all([runToEnd(one.id), runToEnd(two.id)]);
    expect(await queued()).toEqual(ids);
    expect(await store.claim()).toHaveLength(30);
    for (const { id } of [one, two]) expect((await find(id)).status).toBe('completed');
  });

  it('waits while as many wait for their turn as may, and not for those that wait for something else', async () => {
    const [paused, broken] = [await store.endpoint(), await store.endpoint()];
    await ended(10, 'dead_letter', paused);
    await ended(10, 'dead_letter', broken);
    await store.setStatus(paused, 'paused');
    await store.database.pool.query(`UPDATE endpoints SET circuit_state = 'open' WHERE id = $1`, [
      idToUuid('endpoint', broken.id),
    ]);
    await ended(30);
    const { id } = await create({ status: 'dead_letter' });
    await steps.count(id, 1_000);
    const bounds = { ...BOUNDS, waitingMax: 25 };
    for (const done of [10, 20, 30, 40])
      expect(await steps.page(id, bounds)).toMatchObject({ done, full: false });
    expect(await steps.page(id, bounds)).toMatchObject({ status: 'running', done: 40, full: true });
    await store.database.pool.query(
      'DELETE FROM outbox WHERE delivery_id IN (SELECT delivery_id FROM outbox WHERE endpoint_id = $1 LIMIT 5)',
      [idToUuid('endpoint', endpoint.id)],
    );
    expect(await steps.page(id, bounds)).toMatchObject({ done: 50, full: false });
  });

  it('makes what waits in the outbox already go as a replay, and steals no claim', async () => {
    const [waiting, held] = await ended(2, 'retrying');
    await store.database.pool.query(
      `INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at)
       SELECT id, tenant_id, endpoint_id, now() + interval '1 hour', CASE WHEN id = $2 THEN 'infinity' ELSE now() + interval '1 hour' END
         FROM deliveries WHERE id IN ($1, $2)`,
      [idToUuid('delivery', waiting as string), idToUuid('delivery', held as string)],
    );
    const { id } = await create();
    await runToEnd(id);
    expect(await find(id)).toMatchObject({ done: 2 });
    expect(await store.claim()).toEqual([waiting]);
    expect(await store.held(endpoint)).toBe(1);
  });

  it('leaves alone what begins an attempt between being read and being queued', async () => {
    const [busy, free] = await ended(2);
    const { id } = await create();
    await steps.count(id, 1_000);
    // The attempt has its row before the page does, so that the page waits for it and then finds it changed.
    const page = await inTransaction(store.database.pool, async (client) => {
      await client.query(`UPDATE deliveries SET status = 'in_progress' WHERE id = $1`, [
        idToUuid('delivery', busy as string),
      ]);
      const waiting = steps.page(id, BOUNDS);
      await blocked();
      return { waiting };
    });
    expect(await page.waiting).toMatchObject({ status: 'completed', total: 1, done: 1, failed: 0 });
    expect(await queued()).toEqual([free]);
  });

  const blocked = () =>
    eventually(
      async () =>
        (await store.count(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )) > 0,
    );

  describe('in the hands of people', () => {
    const change = (id: string, wish: 'pause' | 'resume' | 'cancel') =>
      replays.change(store.tenantId, id, wish, ACTOR);

    it('is paused and goes on where it was, in the count as in the queueing', async () => {
      await ended(15);
      const { id } = await create();
      await steps.count(id, 10);
      expect(await change(id, 'pause')).toMatchObject({ status: 'paused', total: 10 });
      expect(await steps.count(id, 10)).toMatchObject({ status: 'paused', total: 10 });
      expect(await change(id, 'resume')).toMatchObject({ status: 'counting' });
      expect(await steps.count(id, 10)).toMatchObject({ status: 'running', total: 15 });
      await steps.page(id, BOUNDS);
      await change(id, 'pause');
      expect(await steps.page(id, BOUNDS)).toMatchObject({ status: 'paused', done: 10 });
      expect(await change(id, 'resume')).toMatchObject({ status: 'running' });
      expect(await steps.page(id, BOUNDS)).toMatchObject({ status: 'completed', done: 15 });
    });

    it('is cancelled: what is queued stays queued, the rest stays as it is', async () => {
      const ids = await ended(15);
      const { id } = await create();
      await steps.count(id, 1_000);
      await steps.page(id, BOUNDS);
      expect(await change(id, 'cancel')).toMatchObject({ status: 'cancelled', done: 10 });
      expect(await steps.page(id, BOUNDS)).toMatchObject({ status: 'cancelled', done: 10 });
      expect(await queued()).toEqual(ids.slice(0, 10));
      expect((await store.delivery(ids[14] as string)).status).toBe('dead_letter');
      expect(await change(id, 'resume')).toMatchObject({ status: 'cancelled' });
      expect((await find(id)).completedAt).toBeInstanceOf(Date);
    });

    it('is in the audit log: once for each change, whoever else brings the same wish', async () => {
      const { id } = await create({ endpointId: endpoint.id, status: 'dead_letter' });
      await change(id, 'pause');
      await steps.change(id, 'pause');
      await change(id, 'resume');
      await steps.change(id, 'cancel');
      const { rows } = await store.database.pool.query(
        'SELECT action, actor_kind, changes FROM audit_log WHERE object_id = $1 ORDER BY id',
        [id],
      );
      expect(rows).toEqual([
        {
          action: 'replay.created',
          actor_kind: 'operator',
          changes: { endpoint_id: { to: endpoint.id }, status: { to: 'dead_letter' } },
        },
        { action: 'replay.paused', actor_kind: 'operator', changes: null },
        { action: 'replay.resumed', actor_kind: 'operator', changes: null },
        { action: 'replay.cancelled', actor_kind: 'system', changes: null },
      ]);
    });

    it('is one of a bounded number a tenant', async () => {
      for (let i = 0; i < 20; i++) await create();
      expect(await replays.create(store.tenantId, {}, ACTOR)).toBeNull();
      const [newest] = (await replays.list(store.tenantId, { limit: 1 })).data;
      await change(newest?.id as string, 'cancel');
      expect(await replays.create(store.tenantId, {}, ACTOR)).not.toBeNull();
    });

    it('ends with its tenant, and is nothing once its row is deleted', async () => {
      await ended(3);
      const { id } = await create();
      await store.database.pool.query('UPDATE tenants SET deleted_at = now()');
      expect(await steps.count(id, 10)).toMatchObject({ status: 'cancelled' });
      await store.database.pool.query('UPDATE tenants SET deleted_at = NULL');
      expect(await steps.page(newId('replay'), BOUNDS)).toMatchObject({ status: 'cancelled', done: 0 });
    });
  });
});
