// Real: Postgres. What attempts leave in the statistics, against what the attempts themselves say.
import {
  idToUuid,
  newId,
  noCounts,
  addCounts,
  percentile,
  SYSTEM_ACTOR,
  type AttemptDecision,
  type AttemptOutcomeKind,
  type StatsCounts,
  type StatsWindow,
} from '@hookstream/domain';
import {
  AttemptsRepository,
  DeliveriesRepository,
  inTransaction,
  StatsRepository,
  type AttemptRecord,
  type EndpointRecord,
} from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { StoredDeliveries } from './stored-deliveries.js';

/** Half past ten on a day that has partitions. */
const START = Math.floor(Date.now() / 86_400_000) * 86_400_000 + 10.5 * 3_600_000;
const [SINCE, UNTIL] = [new Date(START - 172_800_000), new Date(START + 172_800_000)];

describe('statistics', () => {
  let store: StoredDeliveries;
  let stats: StatsRepository;
  let attempts: AttemptsRepository;
  let endpoint: EndpointRecord;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    stats = new StatsRepository(store.database.pool);
    attempts = new AttemptsRepository(store.database.pool);
  });
  beforeEach(async () => {
    endpoint = await store.endpoint();
  });
  afterAll(() => store.drop());

  const attempt = (
    outcome: AttemptOutcomeKind,
    durationMs: number,
    overrides: Partial<AttemptRecord> = {},
  ): AttemptRecord => {
    const decision: AttemptDecision =
      outcome === 'succeeded' ? { next: 'succeeded' } : { next: 'retry', delayMs: 1_000 };
    return {
      attemptId: newId('attempt'),
      number: 1,
      trigger: 'schedule',
      outcome: { kind: outcome, durationMs },
      decision,
      startedAt: new Date(START),
      nextAttemptAt: null,
      requestUrl: 'https://receiver.test/',
      requestHeaders: {},
      ...overrides,
    };
  };
  const deliveryOf = (deliveryId: string, dueAt = new Date(START)) => ({
    deliveryId,
    tenantId: store.tenantId,
    endpointId: endpoint.id,
    dueAt,
  });
  const foldAll = async (): Promise<void> => {
    while ((await stats.fold(1_000)) > 0);
  };
  const summed = async (window: StatsWindow, id = endpoint.id): Promise<StatsCounts> => {
    const total = noCounts();
    const points = id.startsWith('ep_')
      ? await stats.ofEndpoint(id, window, SINCE, UNTIL)
      : await stats.ofTenant(id, window, SINCE, UNTIL);
    for (const point of points) addCounts(total, point);
    return total;
  };
  const recorded = async (
    outcome: AttemptOutcomeKind,
    durationMs: number,
    overrides: Partial<AttemptRecord> = {},
  ): Promise<string> => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await attempts.record(deliveryOf(deliveryId), attempt(outcome, durationMs, overrides), 1);
    return deliveryId;
  };

  it('say of minutes, hours, days, endpoint and tenant what the attempts say, percentiles within 5 %', async () => {
    const other = await store.endpoint();
    const outcomes: AttemptOutcomeKind[] = ['succeeded', 'succeeded', 'succeeded', 'timeout', 'http_error'];
    const deliveries = await store.accept(endpoint, 600);
    await Promise.all(
      deliveries.map(({ deliveryId }, i) => {
        const outcome = outcomes[i % outcomes.length] ?? 'succeeded';
        const startedAt = new Date(START + (i % 7) * 41_000);
        const accepted = new Date(startedAt.getTime() - ((i * 97) % 5_000));
        const durationMs = 3 + ((i * i * 31) % 2_000);
        const record = attempt(outcome, durationMs, { startedAt });
        const owner = {
          ...deliveryOf(deliveryId, accepted),
          endpointId: i % 3 === 0 ? other.id : endpoint.id,
        };
        return attempts.record(owner, record, 1);
      }),
    );
    await foldAll();
    const { rows } = await store.database.pool.query<{ outcome: string; n: number; p: number[] }>(
      `SELECT outcome, count(*)::int AS n FROM attempts WHERE endpoint_id = $1 GROUP BY 1`,
      [idToUuid('endpoint', endpoint.id)],
    );
    const exact = await store.database.pool.query<{ p: number[] }>(
      `SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms) AS p FROM attempts WHERE endpoint_id = $1`,
      [idToUuid('endpoint', endpoint.id)],
    );
    for (const window of ['minute', 'hour', 'day'] as const) {
      const own = await summed(window);
      expect(own.attempts).toMatchObject(Object.fromEntries(rows.map((row) => [row.outcome, row.n])));
      expect(own.deliveries.succeeded).toBe(own.attempts.succeeded);
      [0.5, 0.95, 0.99].forEach((share, i) => {
        const should = exact.rows[0]?.p[i] ?? Number.NaN;
        const is = percentile(own.durations, share) ?? Number.NaN;
        expect([window, share, Math.abs(is - should) / should <= 0.05]).toEqual([window, share, true]);
      });
      const whole = noCounts();
      addCounts(whole, own);
      addCounts(whole, await summed(window, other.id));
      const tenant = await summed(window, store.tenantId);
      expect(tenant.attempts).toEqual(whole.attempts);
      expect(tenant.durations).toEqual(whole.durations);
      expect(tenant.latencies).toEqual(whole.latencies);
    }
    const minutes = await stats.ofEndpoint(endpoint.id, 'minute', SINCE, UNTIL);
    const { rows: byMinute } = await store.database.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM attempts WHERE endpoint_id = $1
        GROUP BY date_trunc('minute', started_at + duration_ms * interval '1 ms') ORDER BY min(started_at)`,
      [idToUuid('endpoint', endpoint.id)],
    );
    expect(minutes.map((point) => Object.values(point.attempts).reduce((total, n) => total + n, 0))).toEqual(
      byMinute.map(({ n }) => n),
    );
  });

  it('count an attempt once, however often it is stored', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    const one = attempt('succeeded', 10);
    await attempts.record(deliveryOf(deliveryId), one, 1);
    await attempts.record(deliveryOf(deliveryId), one, 1);
    await foldAll();
    expect(await summed('hour')).toMatchObject({ attempts: { succeeded: 1 }, deliveries: { succeeded: 1 } });
  });

  it('count a dead letter, and the failure that ended it', async () => {
    await recorded('http_error', 10, { decision: { next: 'dead_letter', reason: 'schedule_exhausted' } });
    await recorded('timeout', 10);
    await foldAll();
    expect(await summed('day')).toMatchObject({
      attempts: { http_error: 1, timeout: 1, succeeded: 0 },
      deliveries: { dead_letter: 1, succeeded: 0, cancelled: 0 },
    });
  });

  it('leave tests out', async () => {
    await recorded('succeeded', 10, { trigger: 'test' });
    await recorded('timeout', 10, {
      trigger: 'test',
      decision: { next: 'cancelled', reason: 'test_failed' },
    });
    await foldAll();
    expect(await summed('day')).toEqual(noCounts());
  });

  it('take the time from accept to success of first schedules alone, as a replay may come days later', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    const failed = attempt('http_error', 10, {
      decision: { next: 'dead_letter', reason: 'schedule_exhausted' },
    });
    await attempts.record(deliveryOf(deliveryId), failed, 1);
    const replayed = attempt('succeeded', 10, { number: 2, trigger: 'replay' });
    await attempts.record(deliveryOf(deliveryId, new Date(START - 86_400_000)), replayed, 1);
    const { deliveryId: second } = await store.acceptOne(endpoint);
    await attempts.record(deliveryOf(second), attempt('timeout', 10), 1);
    await attempts.record(
      deliveryOf(second, new Date(START - 400)),
      attempt('succeeded', 10, { number: 2 }),
      2,
    );
    await foldAll();
    const { latencies, deliveries } = await summed('hour');
    expect(deliveries).toEqual({ succeeded: 2, dead_letter: 1, cancelled: 0 });
    expect(latencies.reduce((total, n) => total + n, 0)).toBe(1);
    expect(Math.abs((percentile(latencies, 1) ?? 0) - 410)).toBeLessThanOrEqual(410 * 0.05);
  });

  it('count what is cancelled, by whichever way', async () => {
    const deliveries = new DeliveriesRepository(store.database);
    const by = { actor: SYSTEM_ACTOR, action: 'delivery.cancelled' } as const;
    const [waiting, unfinished, running, deleted] = await store.accept(endpoint, 4);
    await deliveries.cancelWaiting(store.tenantId, waiting?.deliveryId ?? '', by);
    await deliveries.cancelUnfinished(store.tenantId, unfinished?.deliveryId ?? '', by);
    await attempts.cancel(running?.deliveryId ?? '');
    await attempts.cancel(running?.deliveryId ?? '');
    await foldAll();
    expect((await summed('hour')).deliveries.cancelled).toBe(3);
    // ended while an attempt was under way: it stays cancelled and counts no second time
    await attempts.record(
      deliveryOf(running?.deliveryId ?? ''),
      attempt('http_error', 10, { decision: { next: 'dead_letter', reason: 'schedule_exhausted' } }),
      1,
    );
    expect(deleted).toBeDefined();
    await store.endpoints.delete(store.tenantId, endpoint.id, SYSTEM_ACTOR);
    await foldAll();
    expect(await summed('hour')).toMatchObject({
      attempts: { http_error: 1 },
      deliveries: { cancelled: 4, dead_letter: 0 },
    });
  });

  it('count exactly once when several processes fold at the same time', async () => {
    const deliveries = await store.accept(endpoint, 300);
    const work = deliveries.map(({ deliveryId }) =>
      attempts.record(deliveryOf(deliveryId), attempt('succeeded', 20), 1),
    );
    let open = true;
    const folder = async (): Promise<void> => {
      while (open) await stats.fold(7);
    };
    const folders = [folder(), folder(), folder()];
    await Promise.all(work);
    open = false;
    await Promise.all(folders);
    await foldAll();
    expect((await summed('minute')).attempts.succeeded).toBe(300);
  });

  it('lose and double nothing when a process dies in the middle of folding', async () => {
    await recorded('succeeded', 20);
    await foldAll();
    await Promise.all(Array.from({ length: 20 }, () => recorded('succeeded', 20)));
    await inTransaction(store.database.pool, async (blocker) => {
      await blocker.query('SELECT 1 FROM stats WHERE subject_id = $1 FOR UPDATE', [
        idToUuid('endpoint', endpoint.id),
      ]);
      const dying = stats.fold(1_000).then(
        () => 'folded',
        () => 'died',
      );
      await eventually(async () => {
        const { rowCount } = await store.database.pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INTO stats (%'`,
        );
        return rowCount === 1;
      });
      expect(await dying).toBe('died');
    });
    expect((await summed('hour')).attempts.succeeded).toBe(1);
    await foldAll();
    expect((await summed('hour')).attempts.succeeded).toBe(21);
    expect(await store.count('SELECT count(*)::int AS n FROM stats_queue')).toBe(0);
  });
});
