// Real: API on a socket, Postgres, Temporal, workers and a receiver. Statistics as a dashboard reads them.
import { idToUuid } from '@hookstream/domain';
import { TestReceiver, eventually } from '@hookstream/testing';
import type { HookstreamWorker } from '@hookstream/worker';
import { startTestApi, type TestApi, type TestTenant } from './api-fixture.js';
import { startApiWorker } from './api-worker.js';

const PATIENCE = { timeoutMs: 30_000 };

describe('the statistics of the API', () => {
  let api: TestApi;
  let receiver: TestReceiver;
  let tenant: TestTenant;
  let worker: HookstreamWorker | undefined;

  beforeAll(async () => {
    [api, receiver] = [await startTestApi(), await TestReceiver.start()];
    receiver.on('/failing', { status: 500 });
    receiver.on('/slow', { delayMs: 300 });
  });
  beforeEach(async () => {
    tenant = await api.createTenant();
    worker ??= await startApiWorker(api);
  });
  afterAll(async () => {
    await worker?.stop();
    await receiver.close();
    await api.close();
  });

  const call = (method: string, path: string, body?: unknown) =>
    api.call(method, path, { token: tenant.key, body });
  /** Without a circuit, which would hold back what goes to a failing receiver. */
  const endpoint = async (path: string, delays: number[] = []): Promise<string> => {
    const { body } = await call('POST', '/endpoints', {
      url: receiver.url(path),
      retry: { delays_ms: delays, jitter: 0 },
      circuit: { failure_threshold: 0 },
    });
    return body.id as string;
  };
  const send = (endpointId: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, () =>
        call('POST', '/events', { type: 'a', data: 1, endpoint_ids: [endpointId] }),
      ),
    );
  const statsOf = async (path: string) => (await call('GET', path)).body;
  const whenTotal = (path: string, deliveries: number) =>
    eventually(async () => {
      const stats = await statsOf(path);
      return stats.totals.deliveries.total === deliveries ? stats : false;
    }, PATIENCE);

  it('count what happened, in all and in each step', async () => {
    const [good, bad] = [await endpoint('/slow'), await endpoint('/failing', [10])];
    await Promise.all([send(good, 20), send(bad, 5)]);
    const ofGood = await whenTotal(`/endpoints/${good}/stats`, 20);
    expect(ofGood.totals).toMatchObject({
      attempts: { total: 20, by_outcome: { succeeded: 20, timeout: 0 }, success_rate: 1 },
      deliveries: { total: 20, by_status: { succeeded: 20 }, success_rate: 1 },
    });
    for (const { p50, p99 } of [ofGood.totals.attempts.duration_ms, ofGood.totals.deliveries.latency_ms]) {
      expect(p50).toBeGreaterThan(300 * 0.95);
      expect(p99).toBeGreaterThanOrEqual(p50);
    }
    const ofBad = await whenTotal(`/endpoints/${bad}/stats?window=minute`, 5);
    expect(ofBad.totals).toMatchObject({
      attempts: { total: 10, by_outcome: { http_error: 10, succeeded: 0 }, success_rate: 0 },
      deliveries: { total: 5, by_status: { dead_letter: 5 }, success_rate: 0, latency_ms: null },
    });
    expect(ofBad.series).toHaveLength(60);
    const inSteps = (ofBad.series as { attempts: { total: number } }[]).map(({ attempts }) => attempts.total);
    expect(inSteps.reduce((total, n) => total + n, 0)).toBe(10);
    for (const [window, steps] of [
      ['minute', 60],
      ['hour', 24],
      ['day', 30],
    ] as const) {
      const whole = await statsOf(`/stats?window=${window}`);
      expect(whole).toMatchObject({ window, totals: { attempts: { total: 30, success_rate: 0.6666 } } });
      expect(whole.totals.deliveries).toMatchObject({ total: 25, success_rate: 0.8 });
      expect(whole.series).toHaveLength(steps);
      expect(whole.series.at(-1).starts_at < whole.until).toBe(true);
    }
  });

  it('go on where they were when workers stop and start', async () => {
    const id = await endpoint('/');
    await send(id, 30);
    await eventually(() => receiver.requestsTo('/').length > 5, PATIENCE);
    await worker?.stop();
    worker = await startApiWorker(api);
    await whenTotal(`/endpoints/${id}/stats?window=minute`, 30);
    await send(id, 10);
    const stats = await whenTotal(`/endpoints/${id}/stats?window=day`, 40);
    const attempts = await api.rows('SELECT 1 FROM attempts WHERE endpoint_id = $1', [
      idToUuid('endpoint', id),
    ]);
    expect(stats.totals.attempts.total).toBe(attempts.length);
  });

  it('leave out tests of an endpoint', async () => {
    const id = await endpoint('/');
    expect((await call('POST', `/endpoints/${id}/test`)).body.outcome).toBe('succeeded');
    await send(id, 1);
    expect((await whenTotal(`/endpoints/${id}/stats`, 1)).totals.attempts.total).toBe(1);
  });

  it('are empty, not missing, where nothing happened', async () => {
    const id = await endpoint('/');
    const stats = await statsOf(`/endpoints/${id}/stats`);
    expect(stats.totals).toMatchObject({
      attempts: { total: 0, success_rate: null, duration_ms: null },
      deliveries: { total: 0, success_rate: null, latency_ms: null },
    });
    expect(stats.series).toHaveLength(24);
  });

  it.each([
    ['window=week', 'window'],
    ['since=yesterday', 'since'],
    ['since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z', 'since'],
    [`window=minute&since=${new Date(Date.now() - 47 * 3_600_000).toISOString()}`, 'since'],
    ['step=5', 'step'],
  ])('refuse %s', async (query, field) => {
    const answer = await call('GET', `/stats?${query}`);
    expect([answer.status, answer.body.errors?.[0]?.field]).toEqual([422, field]);
  });
});
