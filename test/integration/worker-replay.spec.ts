// Real: API on a socket, workers as their processes run them, Postgres, Temporal and the receiver.
// Proves that many deliveries go out again by every way of asking, once each, under the event's own webhook-id, and that people can steer it.
import { idToUuid, newId } from '@hookstream/domain';
import { eventually, TestReceiver } from '@hookstream/testing';
import type { HookstreamWorker } from '@hookstream/worker';
import { startTestApi, type TestApi, type TestTenant } from './api-fixture.js';
import { startApiWorker } from './api-worker.js';

const PATIENCE = { timeoutMs: 45_000 };
const PAGES = { HOOKSTREAM_REPLAY_PAGE_SIZE: '5', HOOKSTREAM_REPLAY_WAITING_MAX: '10' };
const LONG_AGO = '2026-01-01T00:00:00Z';

interface Replay {
  id: string;
  status: string;
  total: number;
  done: number;
  failed: number;
  completed_at: string | null;
}

describe('a replay of many deliveries', () => {
  let api: TestApi;
  let worker: HookstreamWorker;
  let receiver: TestReceiver;
  let tenant: TestTenant;
  let path: string;

  beforeAll(async () => {
    [api, receiver] = await Promise.all([startTestApi(), TestReceiver.start()]);
    worker = await startApiWorker(api, PAGES);
  });
  beforeEach(async () => {
    tenant = await api.createTenant();
    path = `/${newId('event')}`;
  });
  afterAll(async () => {
    await worker.stop();
    await receiver.close();
    await api.close();
  });

  const call = (method: string, route: string, body?: unknown) =>
    api.call(method, route, { token: tenant.key, body });
  /** Without a circuit: its receiver fails at first, and what it has failed is what is replayed. */
  const endpoint = async (settings: object = {}): Promise<string> =>
    (
      await call('POST', '/endpoints', {
        url: receiver.url(path),
        retry: { delays_ms: [] },
        circuit: { failure_threshold: 0 },
        ...settings,
      })
    ).body.id as string;
  const accept = async (endpointId: string, count: number): Promise<void> => {
    const event = { type: 'order.paid', data: { n: 1 }, endpoint_ids: [endpointId] };
    await call(
      'POST',
      '/events/batch',
      Array.from({ length: count }, () => event),
    );
  };
  const withStatus = async (endpointId: string, status: string): Promise<number> =>
    (await api.rows<{ n: number }>('SELECT count(*)::int AS n FROM deliveries WHERE endpoint_id = $1 AND status = $2', [idToUuid('endpoint', endpointId), status]))[0]?.n ?? 0; // prettier-ignore
  const settled = (endpointId: string, status: string, count: number) =>
    eventually(async () => (await withStatus(endpointId, status)) === count, PATIENCE);
  const asked = async (route: string, body?: unknown): Promise<Replay> => {
    const answer = await call('POST', route, body);
    expect(answer.status).toBe(202);
    return answer.body as Replay;
  };
  const ended = (id: string): Promise<Replay> =>
    eventually(async () => {
      const replay = (await call('GET', `/replays/${id}`)).body as Replay;
      return replay.completed_at !== null && replay;
    }, PATIENCE);
  const workflowOf = (id: string) => api.temporal.client.workflow.getHandle(id);

  /** How often each event came to the receiver, and with which numbers of attempts. */
  const received = () => {
    const byId = new Map<string, string[]>();
    for (const { headers } of receiver.requestsTo(path)) {
      const id = headers['webhook-id'] as string;
      byId.set(id, [...(byId.get(id) ?? []), headers['hookstream-attempt'] as string]);
    }
    return byId;
  };

  it('delivers dead letters again through their open workflows, and recovers an endpoint', async () => {
    receiver.on(path, { status: 500 });
    const id = await endpoint();
    await accept(id, 23);
    await settled(id, 'dead_letter', 23);
    receiver.on(path, { status: 200 });
    const replay = await asked(`/endpoints/${id}/recover`, { since: LONG_AGO });
    expect(replay).toMatchObject({
      status: 'counting',
      done: 0,
      filter: { endpoint_id: id, status: 'dead_letter' },
    });
    expect(await ended(replay.id)).toMatchObject({ status: 'completed', total: 23, done: 23, failed: 0 });
    await settled(id, 'succeeded', 23);
    expect([...received().values()]).toEqual(Array(23).fill(['1', '2']));
    const [delivery] = (await call('GET', `/deliveries?endpoint_id=${id}&limit=1`)).body.data as {
      id: string;
    }[];
    const { attempts } = (await call('GET', `/deliveries/${delivery?.id ?? ''}`)).body;
    expect(attempts).toMatchObject([
      { trigger: 'schedule' },
      { number: 2, trigger: 'replay', outcome: 'succeeded' },
    ]);
    // the attempt is on record a moment before its workflow hears of it
    expect(await workflowOf(delivery?.id as string).result()).toEqual({ status: 'succeeded', attempts: 2 });
  });

  it('delivers again what had succeeded, in a new run, under the same webhook-id', async () => {
    const id = await endpoint();
    await accept(id, 12);
    await settled(id, 'succeeded', 12);
    const replay = await asked('/deliveries/replay', { endpoint_id: id, since: LONG_AGO });
    expect(await ended(replay.id)).toMatchObject({ total: 12, done: 12 });
    await receiver.waitForRequests(path, 24, PATIENCE.timeoutMs);
    await settled(id, 'succeeded', 12);
    expect([...received().values()]).toEqual(Array(12).fill(['1', '2']));
  });

  it('replays all dead letters of the tenant and nobody else’s', async () => {
    receiver.on(path, { status: 500 });
    const first = await endpoint();
    await accept(first, 7);
    await settled(first, 'dead_letter', 7);
    const owner = tenant;
    tenant = await api.createTenant();
    const second = await endpoint();
    await accept(second, 7);
    await settled(second, 'dead_letter', 7);
    receiver.on(path, { status: 200 });
    expect(await ended((await asked('/dead-letter/replay')).id)).toMatchObject({ total: 7, done: 7 });
    await settled(second, 'succeeded', 7);
    expect(await withStatus(first, 'dead_letter')).toBe(7);
    tenant = owner;
    expect((await call('GET', '/replays')).body.data).toEqual([]);
  });

  it('goes through the schedule anew where it fails again, and comes to a dead letter once more', async () => {
    receiver.on(path, { status: 500 });
    const id = await endpoint({ retry: { delays_ms: [50], jitter: 0 } });
    await accept(id, 3);
    await settled(id, 'dead_letter', 3);
    await ended((await asked('/dead-letter/replay', { endpoint_id: id })).id);
    await receiver.waitForRequests(path, 12, PATIENCE.timeoutMs);
    await settled(id, 'dead_letter', 3);
    expect([...received().values()]).toEqual(Array(3).fill(['1', '2', '3', '4']));
  });

  it('keeps no more waiting than it may, pauses, resumes and is cancelled', async () => {
    const id = await endpoint();
    await accept(id, 60);
    await settled(id, 'succeeded', 60);
    await worker.stop();
    // Two attempts at a time, and the receiver answers none: the rest waits.
    worker = await startApiWorker(api, { ...PAGES, HOOKSTREAM_MAX_CONCURRENT_ATTEMPTS: '2' });
    receiver.on(path, { kind: 'hang' });
    const replay = await asked('/deliveries/replay', { endpoint_id: id });
    const waiting = async () =>
      (await api.rows<{ n: number }>(`SELECT count(*)::int AS n FROM outbox WHERE trigger = 'replay'`))[0]
        ?.n ?? 0;
    await eventually(async () => (await waiting()) > 5, PATIENCE);
    expect(await waiting()).toBeLessThanOrEqual(10);
    const paused = await asked(`/replays/${replay.id}/pause`);
    expect(paused).toMatchObject({ status: 'paused', total: 60 });
    expect((await asked(`/replays/${replay.id}/pause`)).status).toBe('paused');
    receiver.on(path, { status: 200 });
    await worker.stop();
    worker = await startApiWorker(api, PAGES);
    await eventually(async () => (await waiting()) === 0, PATIENCE);
    await eventually(async () => (await withStatus(id, 'succeeded')) === 60, PATIENCE);
    const { done } = (await call('GET', `/replays/${replay.id}`)).body as Replay;
    expect(done).toBe(paused.done);
    expect(done).toBeLessThan(60);
    expect((await asked(`/replays/${replay.id}/resume`)).status).toBe('running');
    expect(await ended(replay.id)).toMatchObject({ status: 'completed', done: 60 });
    await settled(id, 'succeeded', 60);
    expect((await call('POST', `/replays/${replay.id}/cancel`)).status).toBe(409);
    for (const attempts of received().values()) expect(new Set(attempts)).toEqual(new Set(['1', '2']));
  });

  it('ends when it is cancelled: what is queued goes out, nothing else', async () => {
    const id = await endpoint();
    await accept(id, 30);
    await settled(id, 'succeeded', 30);
    // Held, so that nothing that is queued counts as waiting and the pages would run through: paused before the first.
    await call('POST', `/endpoints/${id}/pause`);
    const replay = await asked('/deliveries/replay', { endpoint_id: id });
    const cancelled = await asked(`/replays/${replay.id}/cancel`);
    expect(cancelled).toMatchObject({ status: 'cancelled', done: expect.any(Number) as number });
    expect((await asked(`/replays/${replay.id}/cancel`)).status).toBe('cancelled');
    expect((await call('POST', `/replays/${replay.id}/resume`)).status).toBe(409);
    await eventually(
      async () => (await workflowOf(replay.id).describe()).status.name === 'COMPLETED',
      PATIENCE,
    );
    await call('POST', `/endpoints/${id}/resume`);
    await receiver.waitForRequests(path, 30 + cancelled.done, PATIENCE.timeoutMs);
    await settled(id, 'succeeded', 30);
    expect(receiver.requestsTo(path)).toHaveLength(30 + cancelled.done);
  });

  it('begins although Temporal was away when it was asked for', async () => {
    const id = await endpoint();
    await accept(id, 4);
    await settled(id, 'succeeded', 4);
    // As the API leaves it when its call to Temporal fails: stored, without a workflow, untouched for a while.
    const { ReplaysRepository } = await import('@hookstream/persistence');
    const replay = await new ReplaysRepository(api.database).create(
      tenant.id,
      { endpointId: id },
      { kind: 'operator' },
    );
    await api.rows(`UPDATE replays SET updated_at = now() - interval '1 minute' WHERE id = $1`, [
      idToUuid('replay', replay?.id as string),
    ]);
    expect(await ended(replay?.id as string)).toMatchObject({ status: 'completed', done: 4 });
    await receiver.waitForRequests(path, 8, PATIENCE.timeoutMs);
  });

  it('says what is wrong with a request', async () => {
    const id = await endpoint();
    const fields = async (route: string, body: unknown) => {
      const answer = await call('POST', route, body);
      return [
        answer.status,
        (answer.body as { errors?: { field: string }[] }).errors?.map(({ field }) => field),
      ];
    };
    expect((await call('POST', '/deliveries/replay', {})).status).toBe(422);
    expect(await fields('/deliveries/replay', { status: 'pending' })).toEqual([422, ['status']]);
    expect(await fields('/deliveries/replay', { endpoint_id: newId('endpoint') })).toEqual([
      422,
      ['endpoint_id'],
    ]);
    expect(await fields('/deliveries/replay', { event_id: newId('event') })).toEqual([422, ['event_id']]);
    expect(await fields(`/endpoints/${id}/recover`, {})).toEqual([422, ['since']]);
    expect(await fields(`/endpoints/${id}/recover`, { since: LONG_AGO, until: LONG_AGO })).toEqual([
      422,
      ['until'],
    ]);
    expect((await call('POST', `/endpoints/${newId('endpoint')}/recover`, { since: LONG_AGO })).status).toBe(
      404,
    );
    expect((await call('POST', `/replays/${newId('replay')}/pause`)).status).toBe(404);
    expect((await call('GET', '/replays')).body.data).toEqual([]);
  });
});
