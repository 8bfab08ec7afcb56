// Real: the Temporal server, the worker, the workflow bundle, the client with its signals and its query.
// Scripted: the database; what the activities store is kept in memory.
import { newId } from '@hookstream/domain';
import { eventually } from '@hookstream/testing';
import { PATIENCE, ScriptedCircuits } from './scripted-circuits.js';
import { summariesOf, timersOf } from './scripted-deliveries.js';

const HOUR = 3_600_000;
const COOL_DOWN = 'cool-down: then one probe may go';
/** More events than a run may have. */
const SIGNALS = 1_500;

describe('endpointWorkflow', () => {
  let circuits: ScriptedCircuits;
  beforeAll(async () => {
    circuits = await ScriptedCircuits.open('circuits');
  }, 60_000);
  afterAll(() => circuits.close());

  const eventsOf = async (endpoint: Parameters<ScriptedCircuits['handle']>[0]) =>
    (await circuits.handle(endpoint).fetchHistory()).events ?? [];

  it('opens after five failures in a row, however they are told, and waits for the cool-down', async () => {
    const endpoint = circuits.endpoint();
    await circuits.fail(endpoint, 1);
    await circuits.fail(endpoint, 3);
    await circuits.shows(endpoint, ({ consecutiveFailures }) => consecutiveFailures === 4);
    expect(endpoint.stored.memory.state).toBe('closed');
    await circuits.fail(endpoint, 1);
    const { memory } = await circuits.stores(endpoint, 'open');
    const view = await circuits.shows(endpoint, ({ state }) => state === 'open');
    expect(view).toMatchObject({
      consecutiveFailures: 5,
      openedAt: new Date(memory.openedAt ?? 0).toISOString(),
    });
    expect(Date.parse(view.nextProbeAt ?? '') - (memory.trippedAt ?? 0)).toBe(600_000);
    // the state shows at once, the timer's command comes with the task that ends after it
    await eventually(async () => summariesOf(await eventsOf(endpoint)).includes(COOL_DOWN));
    const timer = timersOf(await eventsOf(endpoint)).at(-1) ?? 0;
    expect(timer).toBeGreaterThan(590_000);
    expect(timer).toBeLessThanOrEqual(600_000);
    expect(endpoint.told).toEqual(['opened']);
  });

  it('tells the database of the first failure, so that a success on another worker is told too', async () => {
    const endpoint = circuits.endpoint();
    await circuits.fail(endpoint, 1);
    await eventually(() => endpoint.stored.memory.failingSince !== null);
    expect(endpoint.states).toEqual(['closed']);
  });

  it('is half open after the cool-down, opens for twice as long when the probe fails, and closes when it succeeds', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: 150 });
    await circuits.fail(endpoint, 5);
    const first = await circuits.stores(endpoint, 'half_open', 1);
    await circuits.fail(endpoint, 1, first.memory.turn);
    const again = await circuits.stores(endpoint, 'open', 2);
    expect(Date.parse(endpoint.projections.at(-1)?.probeAt ?? '') - (again.memory.trippedAt ?? 0)).toBe(300);
    const second = await circuits.stores(endpoint, 'half_open', 2);
    await circuits.succeed(endpoint, second.memory.turn);
    await circuits.stores(endpoint, 'closed');
    expect(endpoint.states.filter((state, i, all) => state !== all[i - 1])).toEqual([
      ...['open', 'half_open', 'open', 'half_open', 'closed'],
    ]);
    expect(endpoint.told).toEqual(['opened', 'closed', 'recovered']);
  });

  it('lets only the probe decide while half open', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: 100 });
    await circuits.fail(endpoint, 5);
    const { memory } = await circuits.stores(endpoint, 'half_open');
    await circuits.fail(endpoint, 2);
    await circuits.fail(endpoint, 1, memory.turn - 2);
    await circuits.shows(
      endpoint,
      ({ state, consecutiveFailures }) => state === 'half_open' && consecutiveFailures === 8,
    );
    await circuits.succeed(endpoint);
    await circuits.shows(
      endpoint,
      ({ state, failingSince }) => state === 'half_open' && failingSince === null,
    );
  });

  it('closes at a reset, also when no run is open', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: HOUR });
    await circuits.fail(endpoint, 5);
    await circuits.stores(endpoint, 'open');
    await circuits.workflows.reset(endpoint.target);
    await circuits.stores(endpoint, 'closed');

    await circuits.fail(endpoint, 5);
    await circuits.stores(endpoint, 'open');
    await circuits.handle(endpoint).terminate('by a test');
    expect(await circuits.workflows.state(endpoint.id)).toEqual({ kind: 'not_found' });
    await circuits.workflows.reset(endpoint.target);
    await circuits.stores(endpoint, 'closed');
  });

  it('goes on from what is stored when its run was terminated', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: 500 });
    await circuits.fail(endpoint, 5);
    await circuits.stores(endpoint, 'open');
    await circuits.handle(endpoint).terminate('by a test');
    await circuits.workflows.revive(endpoint.target);
    const { memory } = await circuits.stores(endpoint, 'half_open');
    expect(memory).toMatchObject({ trips: 1, turn: 2 });
  });

  it('takes a changed policy at once', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: HOUR });
    await circuits.fail(endpoint, 5);
    await circuits.stores(endpoint, 'open');
    endpoint.stored.policy = { ...endpoint.stored.policy, cooldown_ms: 100 };
    expect(await circuits.workflows.changed(endpoint.id)).toBe(true);
    await circuits.stores(endpoint, 'half_open');
    endpoint.stored.policy = { ...endpoint.stored.policy, failure_threshold: 0 };
    await circuits.workflows.changed(endpoint.id);
    await circuits.stores(endpoint, 'closed');
    expect(await circuits.workflows.changed(newId('endpoint'))).toBe(false);
  });

  it('disables the endpoint that only failed for long enough, and forgets', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: HOUR, disable_after_ms: 400 });
    await circuits.fail(endpoint, 5);
    await circuits.stores(endpoint, 'open');
    await eventually(() => endpoint.status === 'disabled');
    const view = await circuits.shows(endpoint, ({ state }) => state === 'closed');
    expect(view).toMatchObject({ consecutiveFailures: 0, failingSince: null });
    expect(endpoint.disables).toHaveLength(1);
    expect(endpoint.disables[0]).toMatchObject({ announce: true });
    expect(summariesOf(await eventsOf(endpoint))).toContain('only failures: then the endpoint is disabled');
  });

  it('does not disable when a success came in between', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: HOUR, disable_after_ms: 700 });
    await circuits.fail(endpoint, 5);
    await circuits.stores(endpoint, 'open');
    await circuits.succeed(endpoint);
    await circuits.shows(endpoint, ({ disableAt }) => disableAt === null);
    // the timer set for it may still go off; nothing follows
    await eventually(async () =>
      (await eventsOf(endpoint)).some(
        (event) => event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes,
      ),
    );
    expect(endpoint.disables).toEqual([]);
    expect(endpoint.status).toBe('enabled');
  });

  it('starts the clock anew for an endpoint that was paused when it ran out', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: HOUR, disable_after_ms: 300 });
    endpoint.status = 'paused';
    await circuits.fail(endpoint, 5);
    await eventually(() => endpoint.disables.length === 1);
    await circuits.shows(endpoint, ({ state }) => state === 'open');
    endpoint.status = 'enabled';
    await eventually(() => endpoint.disables.length >= 2 && endpoint.stored.memory.state === 'closed');
  });

  it('takes up where somebody else stored something later', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: HOUR });
    await circuits.fail(endpoint, 1);
    await eventually(() => endpoint.projections.length === 1);
    endpoint.stored = { ...endpoint.stored, seq: endpoint.stored.seq + 7 };
    await circuits.fail(endpoint, 4);
    const { seq } = await circuits.stores(endpoint, 'open');
    expect(seq).toBe(9);
    expect(endpoint.told).toEqual(['opened']);
  });

  it('ends when nothing was to remember for a while', async () => {
    const endpoint = circuits.endpoint({}, { quietMs: 300 });
    await circuits.fail(endpoint, 2);
    await circuits.shows(endpoint, ({ consecutiveFailures }) => consecutiveFailures === 2);
    expect((await circuits.handle(endpoint).describe()).status.name).toBe('RUNNING');
    await circuits.succeed(endpoint);
    // what is stored least urgently is stored before it ends
    expect(await circuits.ends(endpoint)).toBe('COMPLETED');
    expect(endpoint.stored.memory.failingSince).toBeNull();
  }, 20_000);

  it('ends when the endpoint is deleted', async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: HOUR });
    await circuits.fail(endpoint, 5);
    await circuits.stores(endpoint, 'open');
    endpoint.status = 'deleted';
    await circuits.workflows.changed(endpoint.id);
    expect(await circuits.ends(endpoint)).toBe('COMPLETED');
  });

  it('continues as new before its history is long, and counts every signal', async () => {
    const endpoint = circuits.endpoint({ failure_threshold: 1_000_000 });
    await circuits.fail(endpoint, 1);
    const { runId } = await circuits.handle(endpoint).describe();
    let sent = 1;
    const send = async (): Promise<void> => {
      while (sent < SIGNALS) {
        sent += 1;
        await circuits.fail(endpoint, 1);
      }
    };
    await Promise.all(Array.from({ length: 40 }, send));
    const counted = await circuits.shows(endpoint, ({ consecutiveFailures }) => consecutiveFailures === sent);
    expect(counted.failingSince).not.toBeNull();
    await eventually(async () => (await circuits.handle(endpoint).describe()).runId !== runId);
    await circuits.shows(endpoint, ({ consecutiveFailures }) => consecutiveFailures === sent);
  }, 120_000);

  it('loses no signal that comes while it ends', async () => {
    const endpoint = circuits.endpoint({ failure_threshold: 1_000 }, { quietMs: 0 });
    const tell = async (roundTripsLater: number): Promise<void> => {
      for (let i = 0; i < roundTripsLater; i++) await circuits.handle(endpoint).describe();
      for (let i = 0; i < 7; i++) await circuits.fail(endpoint, 1);
    };
    const runs = new Set<string>();
    let refused = 0;
    // until signals have come both between two runs and while the task that ended one was under way, which the server refuses then
    for (let round = 0; runs.size < 3 || refused === 0; round++) {
      let telling: Promise<void> | undefined;
      // with the reset stored nothing is to remember: the run ends in its next task
      endpoint.onStored = ({ memory }) => {
        if (memory.failures === 0) telling ??= tell(round % 8);
      };
      await circuits.workflows.reset(endpoint.target);
      await eventually(() => telling !== undefined, PATIENCE);
      await telling;
      const { consecutiveFailures } = await circuits.shows(endpoint, (view) => view.consecutiveFailures >= 7);
      expect(consecutiveFailures).toBe(7);
      runs.add((await circuits.handle(endpoint).describe()).runId);
      refused += (await eventsOf(endpoint)).filter((event) => event.workflowTaskFailedEventAttributes).length;
    }
  });

  it('takes signals sent before its first task in the order in which they were sent', async () => {
    const [failing, well] = [circuits.endpoint(), circuits.endpoint()];
    await circuits.stopWorker();
    await circuits.succeed(failing);
    await circuits.fail(failing, 3);
    await circuits.fail(well, 3);
    await circuits.succeed(well);
    await circuits.fail(well, 1);
    await circuits.startWorker();
    await circuits.shows(failing, ({ consecutiveFailures }) => consecutiveFailures === 3);
    await circuits.shows(well, ({ consecutiveFailures }) => consecutiveFailures === 1);
  });
});
