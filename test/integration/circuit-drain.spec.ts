// Real: workers as their process runs them, Postgres, Temporal and the receiver, as which the test sees what goes out.
import { idToUuid, uuidToId, type RunLane } from '@hookstream/domain';
import type { EndpointRecord } from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { PATIENCE, useWorkers } from './worker-fixture.js';

const LANES = ['durable', 'express'] as const;
const HOUR = 3_600_000;
const WORKERS = 3;
const THRESHOLD = 5;
const IN_FLIGHT = 20;
const BACKLOG = 80;
/** The last of them succeeds. */
const PROBES = 2;

describe('a dead endpoint', () => {
  const here = useWorkers({
    workers: WORKERS,
    // answers are held back here, which is not to make an endpoint slow
    settings: () => ({ HOOKSTREAM_DISPATCH_SLOW_ANSWER_MS: '10000' }),
  });

  const circuitOf = async ({ id }: EndpointRecord) =>
    (await here.store.endpoints.find(here.store.tenantId, id))?.circuitState;
  const waiting = ({ id }: EndpointRecord) =>
    here.store.count(
      `SELECT count(*)::int AS n FROM outbox WHERE endpoint_id = $1 AND claimable_at < 'infinity'`,
      [idToUuid('endpoint', id)],
    );
  /** Its attempts fail: the first ones at once, the others no sooner than the circuit is open. */
  const deadEndpoint = async (lane: RunLane, cooldownMs: number): Promise<EndpointRecord> => {
    const endpoint = await here.store.endpoint(here.url(), {
      lane,
      circuit: { failure_threshold: THRESHOLD, cooldown_ms: cooldownMs, disable_after_ms: HOUR },
      ...{ maxInFlight: IN_FLIGHT, timeoutMs: 60_000 },
      retry: { delays_ms: Array.from({ length: 20 }, () => 300), jitter: 0 },
    });
    let opened: Promise<boolean> | undefined;
    here.answer(async ({ number }) => {
      opened ??= eventually(async () => (await circuitOf(endpoint)) === 'open', PATIENCE);
      if (number > THRESHOLD) await opened;
      return { status: 503 };
    });
    return endpoint;
  };
  /** Its circuit has opened, and each is in the outbox, back from the few attempts that were made: nothing is lost. */
  const comesToRest = async (endpoint: EndpointRecord, count: number): Promise<void> => {
    await eventually(async () => (await circuitOf(endpoint)) === 'open', PATIENCE);
    expect(here.received().length).toBeLessThanOrEqual(THRESHOLD + IN_FLIGHT);
    await eventually(async () => (await waiting(endpoint)) === count, PATIENCE);
  };

  it.each(LANES)(
    'is left alone while its circuit is open, keeps its backlog in the outbox, and gets all of it when it is back, in the %s lane',
    async (lane) => {
      const endpoint = await deadEndpoint(lane, 1_000);
      const deliveries = await here.store.accept(endpoint, BACKLOG);
      await comesToRest(endpoint, BACKLOG);
      // a probe fails; then the receiver is back
      await here.receives(here.received().length + 1);
      here.answer({ status: 200 });
      await here.count(endpoint, BACKLOG);
      expect(here.webhookIds.size).toBe(BACKLOG);
      expect(await circuitOf(endpoint)).toBe('closed');
      // waiting has used up nothing: attempts made are attempts that went out
      const attempts = await Promise.all(deliveries.map(({ deliveryId }) => here.store.delivery(deliveryId)));
      expect(attempts.reduce((sum, { attempt_count }) => sum + attempt_count, 0)).toBe(
        here.received().length,
      );
      // those that were never attempted while it was dead have kept their lane
      expect(new Set(attempts.map((delivery) => delivery.lane)).has(lane)).toBe(true);
    },
    120_000,
  );

  it.each(LANES)(
    'gets one probe at a time, whichever of three workers sends it, in the %s lane',
    async (lane) => {
      const endpoint = await deadEndpoint(lane, 500);
      const beacon = await here.store.endpoint(here.url('/beacon'), { lane });
      // most of them wait where the first probe may come from any worker
      await here.store.accept(endpoint, 60);
      await comesToRest(endpoint, 60);

      const probes: { together: number; circuit: string | undefined; isTheProbe: boolean }[] = [];
      let underWay = 0;
      let answered = 0;
      here.answer(async ({ headers }) => {
        if (answered === PROBES) return {};
        underWay += 1;
        const together = underWay;
        const isTheProbe = (await probeOf(endpoint)) === headers['hookstream-delivery-id'];
        probes.push({ together, circuit: await circuitOf(endpoint), isTheProbe });
        await everyWorkerDispatches(beacon);
        underWay -= 1;
        answered += 1;
        return { status: answered < PROBES ? 500 : 200 };
      });
      await here.count(endpoint, 60);
      expect(probes).toEqual(Array(PROBES).fill({ together: 1, circuit: 'half_open', isTheProbe: true }));
    },
    120_000,
  );

  const probeOf = async ({ id }: EndpointRecord): Promise<string | undefined> => {
    const { rows } = await here.store.database.pool.query<{ probe: string | null }>(
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
        await here.store.acceptOne(beacon);
        return (
          (await here.store.count('SELECT count(*)::int AS n FROM workers WHERE last_dispatch_at > $1', [
            since,
          ])) === WORKERS
        );
      },
      { ...PATIENCE, intervalMs: 100 },
    );
  };
});
