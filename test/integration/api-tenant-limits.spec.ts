// Real: API on a socket (two of them on one database where it says so), Postgres. Rates are so low that nothing is refilled meanwhile.
import { createApi } from '@hookstream/api';
import { idToUuid } from '@hookstream/domain';
import { createLogger } from '@hookstream/observability';
import { AcceptBudgetsRepository } from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { OPERATOR_TOKEN, startTestApi, type TestApi, type TestTenant } from './api-fixture.js';

const SLOW = 0.001;
const event = { type: 'a', data: 1 };

describe('limits of tenants', () => {
  let api: TestApi;
  let tenant: TestTenant;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    tenant = await api.createTenant();
  });

  const limit = (limits: object, id = tenant.id) =>
    api.call('PATCH', `/tenants/${id}`, { token: OPERATOR_TOKEN, body: { limits } });
  const post = (body: unknown = event, path = '/events', token = tenant.key) =>
    api.call('POST', path, { token, body });
  const statuses = async (count: number): Promise<number[]> =>
    (await Promise.all(Array.from({ length: count }, () => post()))).map((answer) => answer.status).sort();
  const secondApi = async () => {
    const app = await createApi({
      config: api.config,
      database: api.database,
      temporal: api.temporal,
      logger: createLogger({ name: 'second', level: 'fatal' }),
    });
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const status = async (): Promise<number> => {
      const response = await fetch(`${url}/api/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/json' },
        body: JSON.stringify(event),
      });
      await response.arrayBuffer();
      return response.status;
    };
    return { status, close: () => app.close() };
  };

  it('are set, shown, changed one by one and taken away', async () => {
    const none = { events_per_second: null, burst: null, max_pending: null, max_in_flight: null, weight: 1 };
    const made = await api.call('POST', '/tenants', {
      token: OPERATOR_TOKEN,
      body: { name: 'Limited', limits: { events_per_second: 2.5, weight: 4 } },
    });
    expect(made.body.limits).toEqual({ ...none, events_per_second: 2.5, weight: 4 });
    const id = made.body.id as string;
    await limit({ max_pending: 1_000, max_in_flight: 50, burst: 10 }, id);
    const changed = await limit({ events_per_second: null, weight: 0.5 }, id);
    const expected = { ...none, burst: 10, max_pending: 1_000, max_in_flight: 50, weight: 0.5 };
    expect(changed.body.limits).toEqual(expected);
    const shown = await api.call('GET', `/tenants/${id}`, { token: OPERATOR_TOKEN });
    expect(shown.body.limits).toEqual(expected);
    const [entry] = await api.rows<{ changes: object }>(
      'SELECT changes FROM audit_log WHERE object_id = $1 ORDER BY id DESC LIMIT 1',
      [id],
    );
    expect(entry?.changes).toEqual({
      events_per_second: { from: 2.5 },
      dispatch_weight: { from: 4, to: 0.5 },
    });
    expect((await api.call('GET', `/tenants/${tenant.id}`, { token: OPERATOR_TOKEN })).body.limits).toEqual(
      none,
    );
  });

  it.each([
    [{ events_per_second: 0 }, 'limits.events_per_second'],
    [{ events_per_second: -1 }, 'limits.events_per_second'],
    [{ burst: 0 }, 'limits.burst'],
    [{ burst: 1.5 }, 'limits.burst'],
    [{ max_pending: 0 }, 'limits.max_pending'],
    [{ max_in_flight: 0 }, 'limits.max_in_flight'],
    [{ weight: 0 }, 'limits.weight'],
    [{ weight: null }, 'limits.weight'],
    [{ colour: 'red' }, 'limits.colour'],
  ])('are refused when they are not valid: %j', async (limits, field) => {
    const answer = await limit(limits);
    expect([answer.status, answer.body.errors[0].field]).toEqual([422, field]);
  });

  describe('by the rate of events', () => {
    it('let the burst through and say when to come again', async () => {
      await limit({ events_per_second: SLOW, burst: 3 });
      const first = await post();
      expect(first.status).toBe(202);
      expect([first.headers.get('ratelimit-limit'), first.headers.get('ratelimit-remaining')]).toEqual([
        '3',
        '2',
      ]);
      expect(await statuses(5)).toEqual([202, 202, 429, 429, 429]);
      const refused = await post();
      expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
      const wait = Number(refused.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(900);
      expect(wait).toBeLessThanOrEqual(1_000);
      expect(refused.headers.get('ratelimit-remaining')).toBe('0');
      expect(refused.headers.get('ratelimit-reset')).toBe(String(wait));
      expect(
        await api.rows('SELECT 1 FROM events WHERE tenant_id = $1', [idToUuid('tenant', tenant.id)]),
      ).toHaveLength(3);
    });

    it('are exact over two API processes', async () => {
      await limit({ events_per_second: SLOW, burst: 60 });
      const other = await secondApi();
      try {
        const answers = await Promise.all([
          ...Array.from({ length: 80 }, async () => (await post()).status),
          ...Array.from({ length: 80 }, () => other.status()),
        ]);
        expect(answers.filter((status) => status === 202)).toHaveLength(60);
        expect(answers.filter((status) => status === 429)).toHaveLength(100);
      } finally {
        await other.close();
      }
    });

    it('count each event of a batch, the first first', async () => {
      await limit({ events_per_second: SLOW, burst: 3 });
      const answer = await post([event, { type: 'not valid!' }, event, event, event], '/events/batch');
      expect(answer.status).toBe(202);
      expect(answer.body.data).toMatchObject([
        { status: 202 },
        { status: 422 },
        { status: 202 },
        { status: 429, error: { code: 'rate_limited' } },
        { status: 429, error: { code: 'rate_limited' } },
      ]);
    });

    it('touch nobody else and nothing but events', async () => {
      await limit({ events_per_second: SLOW, burst: 1 });
      const other = await api.createTenant();
      expect(await statuses(3)).toEqual([202, 429, 429]);
      expect((await post(event, '/events', other.key)).status).toBe(202);
      expect((await api.call('GET', '/events', { token: tenant.key })).status).toBe(200);
    });

    it('change within a second, and at once in full', async () => {
      await limit({ events_per_second: SLOW, burst: 1 });
      expect(await statuses(2)).toEqual([202, 429]);
      await limit({ events_per_second: 100_000, burst: 100_000 });
      await eventually(async () => (await post()).status === 202);
      await limit({ events_per_second: SLOW, burst: 1 });
      await eventually(async () => (await post()).status === 429);
      await limit({ events_per_second: null, burst: null });
      await eventually(async () => (await post()).headers.get('ratelimit-limit') === null);
      expect((await post()).status).toBe(202);
    });

    it('are counted as the rate says', async () => {
      const budgets = new AcceptBudgetsRepository(api.database);
      const take = (perSecond: number, wanted: number) =>
        budgets.take(tenant.id, { perSecond, burst: 10 }, wanted);
      expect(await take(SLOW, 4)).toMatchObject({ granted: 4, remaining: 6, waitMs: 0 });
      expect(await take(SLOW, 10)).toMatchObject({ granted: 6, remaining: 0 });
      expect((await take(SLOW, 1)).waitMs).toBeGreaterThan(900_000);
      // a hundred seconds of an event in ten seconds later
      await api.rows(`UPDATE accept_budgets SET tat = clock_timestamp() WHERE tenant_id = $1`, [
        idToUuid('tenant', tenant.id),
      ]);
      expect(await take(0.1, 20)).toMatchObject({ granted: 10 });
      await api.rows(`UPDATE accept_budgets SET tat = tat - interval '35 seconds' WHERE tenant_id = $1`, [
        idToUuid('tenant', tenant.id),
      ]);
      expect(await take(0.1, 20)).toMatchObject({ granted: 3 });
    });
  });

  describe('by the pending deliveries', () => {
    // counting takes its share of the time only: on a busy machine the next count may be a while away
    const counted = { timeoutMs: 60_000 };
    const refusedOnceCounted = () => eventually(async () => (await post()).status === 429, counted);

    it('stop a tenant that has too many, until they are finished', async () => {
      await api.call('POST', '/endpoints', { token: tenant.key, body: { url: 'https://example.com' } });
      await api.call('POST', '/endpoints', { token: tenant.key, body: { url: 'https://example.org' } });
      await limit({ max_pending: 6 });
      await refusedOnceCounted();
      const refused = await post();
      expect([refused.status, refused.body.code]).toEqual([429, 'pending_quota_exceeded']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      const batch = await post([event, event], '/events/batch');
      expect(batch.body.data).toMatchObject([{ status: 429 }, { status: 429 }]);
      const other = await secondApi();
      try {
        await eventually(async () => (await other.status()) === 429, counted);
      } finally {
        await other.close();
      }
      await api.rows(`UPDATE deliveries SET status = 'succeeded' WHERE tenant_id = $1`, [
        idToUuid('tenant', tenant.id),
      ]);
      await eventually(async () => (await post()).status === 202, counted);
    });

    it('count what this process accepts before it is counted for all', async () => {
      await api.call('POST', '/endpoints', { token: tenant.key, body: { url: 'https://example.com' } });
      await limit({ max_pending: 5 });
      // within one count and one look at the policies no more than the quota gets in
      await refusedOnceCounted();
      const before = await api.rows('SELECT 1 FROM deliveries WHERE tenant_id = $1', [
        idToUuid('tenant', tenant.id),
      ]);
      expect(before.length).toBeGreaterThanOrEqual(5);
      expect(await statuses(10)).toEqual(Array.from({ length: 10 }, () => 429));
    });
  });

  it('come from the deployment where a tenant has none of its own', async () => {
    const limited = await startTestApi({
      tenantLimits: { eventsPerSecond: SLOW, burst: 2, maxPending: null, pendingCountIntervalMs: 100 },
    });
    try {
      const [plain, own] = [await limited.createTenant(), await limited.createTenant()];
      await limited.call('PATCH', `/tenants/${own.id}`, {
        token: OPERATOR_TOKEN,
        body: { limits: { events_per_second: 5_000 } },
      });
      const burst = async (token: string): Promise<number> => {
        const call = () => limited.call('POST', '/events', { token, body: event });
        const answers = await Promise.all(Array.from({ length: 5 }, call));
        return answers.filter((answer) => answer.status === 202).length;
      };
      expect([await burst(plain.key), await burst(own.key)]).toEqual([2, 5]);
    } finally {
      await limited.close();
    }
  });
});
