// Real: workers as their process runs them, Postgres, Temporal and the receiver, as which the test sees what goes out.
import { newId } from '@hookstream/domain';
import type { EndpointRecord } from '@hookstream/persistence';
import { eventually, TestReceiver } from '@hookstream/testing';
import type { StoredDeliveries } from './stored-deliveries.js';
import { WorkerInstance } from './worker-instance.js';

const PATIENCE = { timeoutMs: 60_000 };
const HOUR = 3_600_000;
const PROBE_MS = 1_200;

describe('a dead endpoint', () => {
  let instance: WorkerInstance;
  let store: StoredDeliveries;
  let receiver: TestReceiver;
  let path: string;

  beforeAll(async () => {
    [instance, receiver] = await Promise.all([WorkerInstance.create(), TestReceiver.start()]);
    store = instance.store;
    for (let i = 0; i < 3; i++) await instance.startWorker();
  }, 90_000);
  beforeEach(() => {
    path = `/${newId('event')}`;
  });
  afterAll(async () => {
    await instance.stop();
    await receiver.close();
  });

  const circuitOf = async ({ id }: EndpointRecord) =>
    (await store.endpoints.find(store.tenantId, id))?.circuitState;
  const waiting = ({ id }: EndpointRecord) =>
    store.count(
      `SELECT count(*)::int AS n FROM outbox o JOIN endpoints e ON e.id = o.endpoint_id
        WHERE e.description = $1 AND o.claimable_at < 'infinity'`,
      [id],
    );
  const endpointOf = async (circuit: EndpointRecord['circuit'], maxInFlight = 20) => {
    const endpoint = await store.endpoint(receiver.url(path), {
      ...{ circuit, maxInFlight, retry: { delays_ms: Array.from({ length: 20 }, () => 300), jitter: 0 } },
    });
    await store.endpoints.update(
      store.tenantId,
      endpoint.id,
      { description: endpoint.id },
      { kind: 'system' },
    );
    return endpoint;
  };

  it('is left alone while its circuit is open, keeps its backlog in the outbox, and gets all of it when it is back', async () => {
    receiver.on(path, { status: 503 });
    const endpoint = await endpointOf({ failure_threshold: 5, cooldown_ms: 4_000, disable_after_ms: HOUR });
    const deliveries = await store.accept(endpoint, 200);
    await eventually(async () => (await circuitOf(endpoint)) === 'open', PATIENCE);
    // nothing is lost: each is in the outbox, back from the few attempts that were made
    await eventually(async () => (await waiting(endpoint)) === 200, PATIENCE);
    const soFar = receiver.requestsTo(path).length;
    expect(soFar).toBeLessThan(100);
    // the first probe fails; then the receiver is back
    await receiver.waitForRequests(path, soFar + 1, PATIENCE.timeoutMs);
    receiver.on(path, { status: 200 });
    await eventually(async () => (await store.withStatus(endpoint, 'succeeded')) === 200, PATIENCE);
    expect(receiver.webhookIds(path).size).toBe(200);
    expect(await circuitOf(endpoint)).toBe('closed');
    // waiting has used up nothing: attempts made are attempts that went out
    const attempts = await Promise.all(deliveries.map(({ deliveryId }) => store.delivery(deliveryId)));
    expect(attempts.reduce((sum, { attempt_count }) => sum + attempt_count, 0)).toBe(
      receiver.requestsTo(path).length,
    );
  }, 120_000);

  it('gets one probe at a time, whichever of three workers sends it', async () => {
    receiver.on(path, { status: 500 });
    const endpoint = await endpointOf({ failure_threshold: 5, cooldown_ms: 1_000, disable_after_ms: HOUR });
    // most of them wait where the first probe may come from any worker
    await store.accept(endpoint, 60);
    await eventually(async () => (await circuitOf(endpoint)) === 'open', PATIENCE);
    await eventually(async () => (await waiting(endpoint)) === 60, PATIENCE);
    // A probe is under way for longer than each worker takes to look for work several times.
    const before = receiver.requestsTo(path).length;
    receiver.on(path, [
      { status: 500, delayMs: PROBE_MS },
      { status: 500, delayMs: PROBE_MS },
      { status: 200, delayMs: PROBE_MS },
      { status: 200 },
    ]);
    await eventually(async () => (await store.withStatus(endpoint, 'succeeded')) === 60, PATIENCE);
    const times = receiver
      .requestsTo(path)
      .slice(before)
      .map(({ receivedAt }) => receivedAt);
    const gaps = times.slice(1, 4).map((time, i) => time - (times[i] ?? 0));
    for (const gap of gaps) expect(gap).toBeGreaterThan(PROBE_MS - 50);
    expect(times).toHaveLength(62);
  }, 120_000);
});
