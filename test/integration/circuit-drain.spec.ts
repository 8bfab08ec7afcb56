// Real: workers as their process runs them, Postgres, Temporal and the receiver, as which the test sees what goes out.
import { idToUuid, newId, uuidToId } from '@hookstream/domain';
import type { EndpointRecord } from '@hookstream/persistence';
import { eventually, TestReceiver } from '@hookstream/testing';
import type { StoredDeliveries } from './stored-deliveries.js';
import { WorkerInstance } from './worker-instance.js';

const PATIENCE = { timeoutMs: 60_000 };
const HOUR = 3_600_000;
const WORKERS = 3;

describe('a dead endpoint', () => {
  let instance: WorkerInstance;
  let store: StoredDeliveries;
  let receiver: TestReceiver;
  let path: string;

  beforeAll(async () => {
    [instance, receiver] = await Promise.all([WorkerInstance.create(), TestReceiver.start()]);
    store = instance.store;
    for (let i = 0; i < WORKERS; i++) await instance.startWorker();
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
      ...{
        circuit,
        maxInFlight,
        timeoutMs: 60_000,
        retry: { delays_ms: Array.from({ length: 20 }, () => 300), jitter: 0 },
      },
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
    const beacon = await store.endpoint(receiver.url(`${path}/beacon`));
    // most of them wait where the first probe may come from any worker
    await store.accept(endpoint, 60);
    await eventually(async () => (await circuitOf(endpoint)) === 'open', PATIENCE);
    await eventually(async () => (await waiting(endpoint)) === 60, PATIENCE);

    const probes: { together: number; circuit: string | undefined; isTheProbe: boolean }[] = [];
    let underWay = 0;
    let answered = 0;
    receiver.on(path, async ({ headers }) => {
      if (answered === 3) return {};
      underWay += 1;
      const together = underWay;
      const isTheProbe = (await probeOf(endpoint)) === headers['hookstream-delivery-id'];
      probes.push({ together, circuit: await circuitOf(endpoint), isTheProbe });
      await everyWorkerDispatches(beacon);
      underWay -= 1;
      answered += 1;
      return { status: answered < 3 ? 500 : 200 };
    });
    await eventually(async () => (await store.withStatus(endpoint, 'succeeded')) === 60, PATIENCE);
    const one = { together: 1, circuit: 'half_open', isTheProbe: true };
    expect(probes).toEqual([one, one, one]);
  }, 120_000);

  const probeOf = async ({ id }: EndpointRecord): Promise<string | undefined> => {
    const { rows } = await store.database.pool.query<{ probe: string | null }>(
      'SELECT probe_delivery_id AS probe FROM endpoint_gates WHERE endpoint_id = $1',
      [idToUuid('endpoint', id)],
    );
    return rows[0]?.probe ? uuidToId('delivery', rows[0].probe) : undefined;
  };
  /** Returns when each worker has looked for work from now on: all of them look at every endpoint that has something to go. */
  const everyWorkerDispatches = async (beacon: EndpointRecord): Promise<void> => {
    const since = new Date();
    await eventually(
      async () => {
        await store.acceptOne(beacon);
        return (
          (await store.count('SELECT count(*)::int AS n FROM workers WHERE last_dispatch_at > $1', [
            since,
          ])) === WORKERS
        );
      },
      { ...PATIENCE, intervalMs: 100 },
    );
  };
});
