// Real: workers as their processes run them, Postgres, Temporal (behind a connection that can be severed) and the receiver.
// Proves what only the express lane does, and when the lane auto takes which way.
import { idToUuid, type RunLane } from '@hookstream/domain';
import type { EndpointRecord } from '@hookstream/persistence';
import { eventually, testTemporalOptions } from '@hookstream/testing';
import { SeveredConnection } from './severed-connection.js';
import { PATIENCE, useWorkers } from './worker-fixture.js';

const BURST = 150;
/** Attempts that the worker makes at once in the durable lane. */
const DURABLE_ROOM = 4;
const MAX_LAG_MS = 100;
/** For this long nothing may have waited before auto is durable again. */
const HOLD_MS = 1_000;

describe('the lanes of deliveries', () => {
  let temporal: SeveredConnection;
  beforeAll(async () => {
    temporal = await SeveredConnection.before(testTemporalOptions().address);
  });
  const here = useWorkers({
    settings: () => ({
      TEMPORAL_ADDRESS: temporal.address,
      HOOKSTREAM_AUTO_MAX_LAG_MS: String(MAX_LAG_MS),
      HOOKSTREAM_MAX_CONCURRENT_ATTEMPTS: String(DURABLE_ROOM),
      // answers are held back here, which is not to make an endpoint slow
      HOOKSTREAM_DISPATCH_SLOW_ANSWER_MS: '10000',
      // a start that Temporal refuses is given up after some six seconds: while that lasts the row must be its own
      HOOKSTREAM_DISPATCH_LEASE_MS: '10000',
    }),
  });
  afterEach(() => temporal.restore());
  afterAll(() => temporal.close());

  /** Sends one after the other until one takes the durable lane. */
  const oneRunsDurable = (endpoint: EndpointRecord) =>
    eventually(
      async () => {
        const delivery = await here.store.acceptOne(endpoint);
        return (await here.settled(delivery.deliveryId, 'succeeded')).lane === 'durable' && delivery;
      },
      { timeoutMs: 90_000 },
    );
  /** First attempts by when they began, which is told since 1970 and since their acceptance. */
  const startsOf = async (deliveries: readonly { deliveryId: string }[]) => {
    const { rows } = await here.store.database.pool.query<{
      lane: RunLane;
      startedMs: number;
      waitedMs: number;
    }>(
      `SELECT d.lane, (extract(epoch FROM a.started_at) * 1000)::float8 AS "startedMs",
              (extract(epoch FROM a.started_at - d.created_at) * 1000)::float8 AS "waitedMs"
         FROM deliveries d JOIN attempts a ON a.delivery_id = d.id AND a.number = 1
        WHERE d.id = ANY($1) ORDER BY a.started_at`,
      [deliveries.map(({ deliveryId }) => idToUuid('delivery', deliveryId))],
    );
    return rows;
  };

  it('express asks nothing of Temporal where the first attempt succeeds', async () => {
    const endpoint = await here.store.endpoint(here.url(), { lane: 'express' });
    const { deliveryId } = await here.store.acceptOne(endpoint);
    expect(await here.settled(deliveryId, 'succeeded')).toMatchObject({ lane: 'express', attempt_count: 1 });
    expect(await here.store.outboxRow(deliveryId)).toBeUndefined();
    expect(await here.store.count('SELECT count(*)::int AS n FROM slots')).toBe(0);
    expect(await here.instance.starter.state(deliveryId)).toEqual({ kind: 'not_found' });
  });

  it('an event can ask for another lane than its endpoint', async () => {
    const endpoint = await here.store.endpoint(here.url(), { lane: 'express' });
    const { deliveryId } = await here.store.acceptOne(endpoint, { lane: 'durable' });
    expect(await here.settled(deliveryId, 'succeeded')).toMatchObject({ lane: 'durable' });
  });

  it('express goes on as a workflow of the same id that begins with the wait for the second attempt', async () => {
    here.answer([{ status: 503 }, { status: 200 }]);
    const endpoint = await here.store.endpoint(here.url(), {
      lane: 'express',
      retry: { delays_ms: [3_600_000], jitter: 0 },
    });
    const { deliveryId, eventId } = await here.store.acceptOne(endpoint);
    const { next_attempt_at } = await here.settled(deliveryId, 'retrying');
    const state = await eventually(async () => {
      const answer = await here.instance.starter.state(deliveryId);
      return answer.kind === 'state' && answer.state;
    }, PATIENCE);
    expect(state).toMatchObject({
      ...{ status: 'retrying', attempts: 1, lane: 'express' },
      nextAttemptAt: next_attempt_at?.toISOString(),
    });
    await here.leavesOutbox(deliveryId);
    expect(here.received()).toHaveLength(1);
    expect(await here.instance.starter.retryNow(deliveryId)).toBe(true);
    expect(await here.settled(deliveryId, 'succeeded')).toMatchObject({ lane: 'express', attempt_count: 2 });
    const requests = here.received();
    expect(requests.map(({ headers }) => headers['hookstream-attempt'])).toEqual(['1', '2']);
    expect([...here.webhookIds]).toEqual([eventId]);
  });

  it('a replay asked for while the express attempt is under way goes out after it', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    let requests = 0;
    here.answer(async () => {
      requests += 1;
      if (requests === 1) await answered;
      return { status: 200 };
    });
    const endpoint = await here.store.endpoint(here.url(), { lane: 'express' });
    const { deliveryId } = await here.store.acceptOne(endpoint);
    await here.receives(1);
    expect(
      await here.store.deliveries.pullForward(here.store.tenantId, deliveryId, 'replay', {
        actor: { kind: 'operator' },
        action: 'delivery.replayed',
      }),
    ).toBe('pulled');
    answer();
    await here.receives(2);
    await eventually(async () => (await here.store.attempts(deliveryId)).length === 2, PATIENCE);
    expect((await here.store.attempts(deliveryId)).map(({ trigger }) => trigger)).toEqual([
      'schedule',
      'replay',
    ]);
    expect(await here.settled(deliveryId, 'succeeded')).toMatchObject({ attempt_count: 2, schedule_step: 1 });
  });

  it('auto takes by the express lane what has no room in the durable one, and is durable again after the burst', async () => {
    const endpoint = await here.store.endpoint(here.url(), { lane: 'auto', timeoutMs: 60_000 });
    await oneRunsDurable(endpoint);
    const before = await here.store.withStatus(endpoint, 'succeeded');
    // what the durable lane has taken stays there until the rest is through: alone it would keep all that it has no room for
    let restIsThrough: () => void;
    const rest = new Promise<void>((resolve) => (restIsThrough = resolve));
    here.answer(async ({ headers }) => {
      // the row of what goes express stands until its end
      const row = await here.store.outboxRow(headers['hookstream-delivery-id'] as string);
      if (row?.lane !== 'express') await rest;
      return { status: 200 };
    });
    const burst = await here.store.accept(endpoint, BURST);
    await eventually(async () => {
      const through = (await here.store.withStatus(endpoint, 'succeeded')) - before;
      return through >= BURST - DURABLE_ROOM && (restIsThrough(), true);
    }, PATIENCE);
    await here.count(endpoint, before + BURST);

    const starts = await startsOf(burst);
    const [first, ...more] = starts.filter(({ lane }) => lane === 'express');
    expect(starts.length - more.length - 1).toBeGreaterThan(0);
    expect(starts.length - more.length - 1).toBeLessThanOrEqual(DURABLE_ROOM);
    // not before something had waited too long
    expect(first?.waitedMs).toBeGreaterThanOrEqual(MAX_LAG_MS - 1);

    here.answer({ status: 200 });
    const back = await oneRunsDurable(endpoint);
    const [then] = await startsOf([back]);
    expect((then?.startedMs ?? 0) - (first?.startedMs ?? 0) + (first?.waitedMs ?? 0)).toBeGreaterThanOrEqual(
      MAX_LAG_MS + HOLD_MS - 1,
    );
  }, 120_000);

  it('what has waited for Temporal goes on when it is back', async () => {
    here.answer([{ status: 500 }, { status: 200 }]);
    const endpoint = await here.store.endpoint(here.url(), { lane: 'express' });
    temporal.sever();
    const { deliveryId } = await here.store.acceptOne(endpoint);
    await here.settled(deliveryId, 'retrying');
    temporal.restore();
    expect(await here.settled(deliveryId, 'succeeded')).toMatchObject({ lane: 'express', attempt_count: 2 });
    await here.leavesOutbox(deliveryId);
  });

  it.each(['express', 'auto'] as const)(
    'in the lane %s first attempts go on while Temporal is away, and what fails waits for it',
    async (lane) => {
      const [good, bad] = await Promise.all([
        here.store.endpoint(here.url(), { lane }),
        here.store.endpoint(here.url('/failing'), { lane }),
      ]);
      // known to be fast: an endpoint whose answers nobody has timed is sent one after the other
      for (const endpoint of [good, bad])
        await here.settled((await here.store.acceptOne(endpoint)).deliveryId, 'succeeded');
      here.answer({ status: 500 }, '/failing');
      temporal.sever();
      const { deliveryId } = await here.store.acceptOne(bad);
      await here.store.accept(good, 20);
      await here.count(good, 21);
      await here.settled(deliveryId, 'retrying');
      expect(await here.store.outboxRow(deliveryId)).toMatchObject({ lane: 'workflow' });
      expect(here.received('/failing')).toHaveLength(2);
    },
  );
});
