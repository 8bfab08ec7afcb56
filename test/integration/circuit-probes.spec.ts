// Real: Postgres, Temporal, the receiver, and workers as their process runs them. A worker that died is what it has left in the database.
// Proves that the probe of such a worker does not keep an endpoint back for longer than a lease.
import {
  closedCircuit,
  idToUuid,
  letTimePass,
  newId,
  takeFailures,
  uuidToId,
  type AttemptDecision,
  type AttemptOutcome,
  type CircuitState,
} from '@hookstream/domain';
import {
  AttemptsRepository,
  CircuitsRepository,
  FairClaim,
  ProbesRepository,
  toAttempt,
  toStart,
  type EndpointRecord,
} from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { PATIENCE, useWorkers } from './worker-fixture.js';

const HOUR = 3_600_000;
const LEASE_MS = 60_000;
const LANES = ['durable', 'express'] as const;
const OUTCOMES: { outcome: AttemptOutcome; decision: AttemptDecision; becomes: CircuitState }[] = [
  {
    outcome: { kind: 'succeeded', statusCode: 200, durationMs: 5 },
    decision: { next: 'succeeded' },
    becomes: 'closed',
  },
  {
    outcome: { kind: 'http_error', statusCode: 500, durationMs: 5 },
    decision: { next: 'dead_letter', reason: 'schedule_exhausted' },
    becomes: 'open',
  },
];

describe('the probe of a worker that died', () => {
  const here = useWorkers({ workers: 0 });
  beforeEach(() => here.store.database.pool.query('TRUNCATE outbox, slots'));

  const circuitOf = async ({ id }: EndpointRecord): Promise<CircuitState | undefined> =>
    (await here.store.endpoints.find(here.store.tenantId, id))?.circuitState;
  const becomes = (endpoint: EndpointRecord, state: CircuitState) =>
    eventually(async () => (await circuitOf(endpoint)) === state, PATIENCE);
  const probes = () => new ProbesRepository(here.store.database.pool);
  const answered = async ({ id }: EndpointRecord) =>
    (await probes().answered(10_000, 1_000)).filter((probe) => probe.endpointId === id);

  /** Half open after one failure; its breaker has no run, and begins with what is stored. Its probe may take two minutes. */
  const halfOpen = async (): Promise<EndpointRecord> => {
    const circuit = { failure_threshold: 1, cooldown_ms: HOUR, disable_after_ms: 24 * HOUR };
    const endpoint = await here.store.endpoint(here.url(), { circuit, timeoutMs: 60_000 });
    const at = Date.now() - HOUR;
    const opened = takeFailures(
      closedCircuit(),
      { count: 1, operational: 0, since: at, last: at },
      circuit,
      at,
    );
    const memory = letTimePass(opened.memory, circuit, Date.now());
    const key = { tenantId: here.store.tenantId, endpointId: endpoint.id };
    await new CircuitsRepository(here.store.database.pool).store(key, { seq: 1, memory, probeAt: null }, []);
    expect(await circuitOf(endpoint)).toBe('half_open');
    return endpoint;
  };
  /** As a worker does it that dies then. @returns how many it got */
  const take = async (lane: (typeof LANES)[number]): Promise<number> => {
    const { pool } = here.store.database;
    const options = {
      ...{ workerId: 'gone', leaseMs: LEASE_MS },
      use: { room: 10, capacity: 1_000, total: 0, tenants: new Map(), endpoints: new Map() },
    };
    const { deliveries } =
      lane === 'durable'
        ? await new FairClaim(pool, toStart(lane)).claim(options)
        : await new FairClaim(pool, toAttempt(lane)).claim(options);
    return deliveries.length;
  };

  it.each(OUTCOMES)(
    'decides when it was answered: $becomes after $outcome.kind',
    async ({ outcome, decision, becomes: state }) => {
      const endpoint = await halfOpen();
      const { deliveryId } = await here.store.acceptOne(endpoint);
      // what an attempt before it came to says nothing
      await here.store.database.pool.query(`UPDATE deliveries SET last_outcome = 'timeout' WHERE id = $1`, [
        idToUuid('delivery', deliveryId),
      ]);
      await take('durable');
      const attempts = new AttemptsRepository(here.store.database.pool);
      const loaded = await attempts.begin({ deliveryId, number: 1, trigger: 'schedule', lane: 'durable' });
      expect(loaded?.begun).toBe(true);
      await here.store.outbox.acknowledge('gone', [deliveryId]);
      await longAgo(endpoint);
      expect(await answered(endpoint)).toEqual([]);
      await attempts.record(
        { deliveryId, tenantId: here.store.tenantId, endpointId: endpoint.id, dueAt: new Date() },
        {
          ...{ attemptId: newId('attempt'), number: 1, trigger: 'schedule', outcome, decision },
          ...{ startedAt: new Date(), nextAttemptAt: null, requestUrl: endpoint.url, requestHeaders: {} },
        },
        1,
      );
      // whoever records it tells of it at once
      expect(await answered(endpoint)).toEqual([]);
      await longAgo(endpoint);
      expect(await answered(endpoint)).toMatchObject([{ succeeded: outcome.kind === 'succeeded' }]);
      await here.instance.startWorker();
      await becomes(endpoint, state);
      expect(here.received()).toHaveLength(0);
    },
  );

  it.each(LANES)('goes again when its lease has ended unanswered, in the %s lane', async (lane) => {
    const endpoint = await halfOpen();
    await here.store.acceptOne(endpoint, { lane });
    expect(await take(lane)).toBe(1);
    await here.store.acceptOne(endpoint, { lane });
    expect(await take(lane)).toBe(0);
    await here.store.leasesAge(LEASE_MS);
    await here.instance.startWorker();
    await becomes(endpoint, 'closed');
    await here.count(endpoint, 2);
    expect(here.received()).toHaveLength(2);
  });

  it('is not taken for answered by an earlier attempt when its slot has been cleared away unrecorded', async () => {
    const endpoint = await halfOpen();
    await here.store.acceptOne(endpoint, { lane: 'express' });
    expect(await take('express')).toBe(1);
    await here.store.database.pool.query(
      `UPDATE deliveries SET last_outcome = 'timeout' WHERE endpoint_id = $1`,
      [idToUuid('endpoint', endpoint.id)],
    );
    await longAgo(endpoint);
    await here.store.leasesAge(LEASE_MS);
    await here.store.outbox.reconcile({ olderThanMs: HOUR, limit: 1_000 });
    expect(await here.store.count('SELECT count(*)::int AS n FROM slots')).toBe(0);
    expect(await answered(endpoint)).toEqual([]);
  });

  it('is the only one while it is under way: its slot and its probe are kept with its lease, or go on with its workflow', async () => {
    const endpoint = await halfOpen();
    const { deliveryId } = await here.store.acceptOne(endpoint, { lane: 'express' });
    await here.store.acceptOne(endpoint, { lane: 'express' });
    await here.store.acceptOne(endpoint, { lane: 'durable' });
    expect(await take('express')).toBe(1);
    await here.store.outbox.keep('gone', [deliveryId], 2 * LEASE_MS);
    await here.store.leasesAge(LEASE_MS);
    expect(await take('express')).toBe(0);
    await here.store.leasesAge(LEASE_MS);
    expect(await take('durable')).toBe(1);
    const { rows } = await here.store.database.pool.query<{ delivery_id: string }>(
      `SELECT delivery_id FROM outbox WHERE lane = 'durable'`,
    );
    await here.store.outbox.acknowledge(
      'gone',
      rows.map((row) => uuidToId('delivery', row.delivery_id)),
    );
    // its endpoint may take a minute
    await here.store.leasesAge(LEASE_MS);
    expect(await take('express')).toBe(0);
  });

  /** All that has happened to it so far, by the database's clock. */
  const longAgo = async ({ id }: EndpointRecord): Promise<void> => {
    const { pool } = here.store.database;
    const uuid = idToUuid('endpoint', id);
    await pool.query(
      `UPDATE deliveries SET updated_at = updated_at - interval '1 minute' WHERE endpoint_id = $1`,
      [uuid],
    );
    await pool.query(
      `UPDATE endpoints SET circuit_changed_at = circuit_changed_at - interval '1 minute' WHERE id = $1`,
      [uuid],
    );
  };
});
