// Real: the whole instance as npm start runs it, killed with SIGKILL in parts and as a whole while it delivers, and a receiver
// on loopback that keeps some requests unanswered, so that attempts are surely under way at the kill.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { idToUuid, uuidToId } from '@hookstream/domain';
import { eventually, TestReceiver, type ReceivedRequest, type ReceiverBehaviour } from '@hookstream/testing';
import pg from 'pg';
import { createEndpoint, type DeliveryObject, type Page } from './api-objects.js';
import { EventPoster } from './event-poster.js';
import { makeDataDirectory, StandaloneInstance, type ProcessName } from './standalone-instance.js';

const EVENTS = 300;
const POSTED_BEFORE = 200;
/** Of them, so many have been accepted after the first ones arrived and before the kill: it also falls into accepting. */
const ACCEPTED_AMID = 10;
const RECEIVED_BEFORE = 60;
const HOLD_EVERY = 10;
const HELD = RECEIVED_BEFORE / HOLD_EVERY;
/** The product's promise: after the restart, what was in flight is sent again within this time. */
const SENT_AGAIN_WITHIN_MS = 15_000;
const TEST_MS = 150_000;
const ALL: ProcessName[] = ['postgres', 'temporal', 'api', 'worker'];

/** Keeps every tenth request unanswered until it is released, and answers the others. */
class HoldingScript {
  readonly held: ReceivedRequest[] = [];
  private holding = true;
  private readonly waiting: (() => void)[] = [];

  readonly answer = (request: ReceivedRequest): ReceiverBehaviour | Promise<ReceiverBehaviour> => {
    if (!this.holding || request.number % HOLD_EVERY !== 0 || request.number > RECEIVED_BEFORE) return {};
    this.held.push(request);
    return new Promise((resolve) => this.waiting.push(() => resolve({})));
  };

  holdNoMore(): void {
    this.holding = false;
  }

  release(): void {
    for (const answer of this.waiting) answer();
  }
}

/** Unix ms. */
interface Restart {
  /** instance.json names the new process. */
  aliveAt: number;
  /** It can do its work. */
  readyAt: number;
  /** Ids of the events whose deliveries were recorded as succeeded once it was dead. Absent where the database died too. */
  recordedBefore?: ReadonlySet<string>;
}

const idOf = (request: ReceivedRequest): string => request.headers['webhook-id'] as string;

describe('after kill -9 in the middle of 300 deliveries, everything accepted arrives', () => {
  let dataDir: string;
  let instance: StandaloneInstance;
  let receiver: TestReceiver;
  const abandoned: StandaloneInstance[] = [];

  beforeAll(async () => {
    dataDir = makeDataDirectory();
    receiver = await TestReceiver.start();
    instance = await StandaloneInstance.start({ dataDir });
  }, TEST_MS);
  afterAll(async () => {
    await instance?.stop();
    for (const killed of abandoned) await killed.stop();
    await receiver?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }, TEST_MS);

  async function killAmid(
    path: string,
    kill: () => Promise<Restart>,
    workerDies: boolean,
    settings: { lane?: 'durable' | 'express'; max_in_flight?: number } = {},
  ): Promise<void> {
    const script = new HoldingScript();
    receiver.on(path, script.answer);
    const endpoint = await createEndpoint(instance, receiver.url(path), {
      timeout_ms: 60_000,
      lane: 'durable',
      ...settings,
    });
    const poster = new EventPoster(() => instance, endpoint.id);

    await poster.post(POSTED_BEFORE);
    await receiver.waitForRequests(path, RECEIVED_BEFORE, 30_000);
    const rest = poster.post(EVENTS - POSTED_BEFORE);
    await eventually(() => poster.accepted.size >= POSTED_BEFORE + ACCEPTED_AMID, { intervalMs: 1 });
    const inFlight = script.held.map(idOf);
    const receivedAtKill = receiver.webhookIds(path).size;
    script.holdNoMore();
    const killedAt = Date.now();
    const restart = await kill();
    script.release();

    const throughAt = workerDies ? sentAgain(path, inFlight, killedAt) : succeeded(endpoint.id, inFlight);
    const [lastThroughAt] = await Promise.all([throughAt, rest]);
    await everythingArrived(path, poster.accepted);
    await nothingIsUnfinished(endpoint.id);

    expect(poster.accepted.size).toBe(EVENTS);
    expect(receivedAtKill).toBeLessThan(EVENTS);
    expect(inFlight).toHaveLength(HELD);
    duplicatesAreMarked(path);
    expect(await lanesOf(endpoint.id)).toEqual([settings.lane ?? 'durable']);
    nothingRecordedCameAgain(path, restart.recordedBefore);
    report(path, receivedAtKill, killedAt, restart, lastThroughAt);
    expect(lastThroughAt - restart.readyAt).toBeLessThanOrEqual(SENT_AGAIN_WITHIN_MS);
  }

  /** When the last of them came a second time. */
  async function sentAgain(path: string, ids: string[], killedAt: number): Promise<number> {
    const again = (id: string): ReceivedRequest | undefined =>
      receiver.requestsTo(path).find((request) => request.receivedAt >= killedAt && idOf(request) === id);
    await receiver.waitFor(() => ids.every(again), 60_000);
    return Math.max(...ids.map((id) => again(id)?.receivedAt ?? Infinity));
  }

  /** When the last of them was recorded as succeeded: its request was never broken off, so the answer to it counts. */
  async function succeeded(endpointId: string, ids: string[]): Promise<number> {
    const times = ids.map((id) =>
      eventually(
        async () => {
          const query = `/deliveries?endpoint_id=${endpointId}&event_id=${id}`;
          const { body } = await instance.call<Page<DeliveryObject>>('GET', query);
          return body.data[0]?.status === 'succeeded' && Date.parse(body.data[0].completed_at ?? '');
        },
        { timeoutMs: 60_000, intervalMs: 100 },
      ),
    );
    return Math.max(...(await Promise.all(times)));
  }

  async function everythingArrived(path: string, accepted: ReadonlySet<string>): Promise<void> {
    await receiver
      .waitFor(() => receiver.webhookIds(path).size >= accepted.size, 60_000)
      .catch(() => undefined);
    const received = receiver.webhookIds(path);
    expect([...accepted].filter((id) => !received.has(id))).toEqual([]);
    expect([...received].filter((id) => !accepted.has(id))).toEqual([]);
  }

  async function nothingIsUnfinished(endpointId: string): Promise<void> {
    for (const status of ['pending', 'in_progress', 'retrying']) {
      await eventually(
        async () => {
          const query = `/deliveries?endpoint_id=${endpointId}&status=${status}`;
          const { body } = await instance.call<Page<DeliveryObject>>('GET', query);
          if (body.data.length > 0) throw new Error(`still ${status}: ${JSON.stringify(body.data[0])}`);
          return true;
        },
        { timeoutMs: 30_000, intervalMs: 100 },
      );
    }
  }

  /** A duplicate has the id of the first, and our own failure is no attempt of the endpoint's. */
  function duplicatesAreMarked(path: string): void {
    const ids = new Map<string, Set<string>>();
    for (const { headers } of receiver.requestsTo(path)) {
      const deliveryId = headers['hookstream-delivery-id'] as string;
      ids.set(deliveryId, (ids.get(deliveryId) ?? new Set()).add(headers['webhook-id'] as string));
    }
    expect([...ids.values()].filter((of) => of.size !== 1)).toEqual([]);
    expect(ids.size).toBe(EVENTS);
    expect(new Set(receiver.requestsTo(path).map((r) => r.headers['hookstream-attempt']))).toEqual(
      new Set(['1']),
    );
  }

  /** What comes twice is what was in flight: sent and not yet recorded. */
  function nothingRecordedCameAgain(path: string, recorded: ReadonlySet<string> | undefined): void {
    if (recorded === undefined) return;
    expect(recorded.size).toBeGreaterThan(0);
    const twice = receiver.requestsTo(path).filter((request, i, all) => {
      return recorded.has(idOf(request)) && all.findIndex((other) => idOf(other) === idOf(request)) !== i;
    });
    expect(twice.map(idOf)).toEqual([]);
  }

  async function lanesOf(endpointId: string): Promise<string[]> {
    const uuid = idToUuid('endpoint', endpointId);
    const rows = await query<{ lane: string }>(
      'SELECT DISTINCT lane FROM deliveries WHERE endpoint_id = $1',
      [uuid],
    );
    return rows.map(({ lane }) => lane);
  }

  /** By itself, so that it is one look at everything. */
  async function query<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: instance.file.database_url });
    await client.connect();
    try {
      return (await client.query<T>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  function report(
    path: string,
    receivedAtKill: number,
    killedAt: number,
    { aliveAt, readyAt }: Restart,
    throughAt: number,
  ): void {
    process.stderr.write(
      `kill -9${path.replaceAll('/', ' ')} at ${receivedAtKill} of ${EVENTS} received: alive again after ${aliveAt - killedAt} ms, ` +
        `ready after ${readyAt - killedAt} ms; in flight through ${throughAt - killedAt} ms after the kill, ` +
        `${throughAt - aliveAt} ms after alive, ${throughAt - readyAt} ms after ready; ` +
        `${receiver.requestsTo(path).length - EVENTS} duplicates\n`,
    );
  }

  /** Kills them all at once. Answers when the last of them runs again, alive and able to work. */
  async function killProcesses(names: ProcessName[]): Promise<Restart> {
    const workersBefore = workersRun();
    const before = names.map((name) => instance.kill(name));
    const recordedBefore =
      names.includes('worker') && !names.includes('postgres') ? await recorded() : undefined;
    await eventually(() => names.every((name, i) => instance.file.processes[name] !== before[i]), {
      timeoutMs: 60_000,
      intervalMs: 5,
    });
    const aliveAt = Date.now();
    if (names.includes('worker')) {
      await eventually(() => workersRun() > workersBefore, { timeoutMs: 60_000, intervalMs: 5 });
    }
    return { aliveAt, readyAt: Date.now(), ...(recordedBefore && { recordedBefore }) };
  }

  async function recorded(): Promise<Set<string>> {
    const rows = await query<{ event_id: string }>(
      `SELECT event_id FROM deliveries WHERE status = 'succeeded'`,
    );
    return new Set(rows.map(({ event_id }) => uuidToId('event', event_id)));
  }

  /** How many worker processes have said in the log that they run. */
  function workersRun(): number {
    return readFileSync(join(dataDir, 'logs', 'worker.log'), 'utf8').split('"worker running"').length - 1;
  }

  it.each<ProcessName>(['worker', 'api', 'temporal', 'postgres'])(
    'of the %s',
    (name) => killAmid(`/${name}`, () => killProcesses([name]), name === 'worker'),
    TEST_MS,
  );

  it(
    'of the worker, in the express lane, with as many under way as the endpoint takes',
    () =>
      killAmid('/express/worker', () => killProcesses(['worker']), true, {
        lane: 'express',
        max_in_flight: HELD,
      }),
    TEST_MS,
  );

  it(
    'of the postgres, in the express lane',
    () => killAmid('/express/postgres', () => killProcesses(['postgres']), false, { lane: 'express' }),
    TEST_MS,
  );

  it('of all four at once', () => killAmid('/all/four', () => killProcesses(ALL), true), TEST_MS);

  it(
    'of all four and the supervisor, with a start by hand after it',
    () =>
      killAmid(
        '/supervisor/and/all/four',
        async () => {
          const killed = instance;
          const supervisor = killed.killSupervisor();
          for (const name of ALL) killed.kill(name);
          await supervisor;
          abandoned.push(killed);
          instance = await StandaloneInstance.start({ dataDir });
          const readyAt = Date.now();
          return { aliveAt: readyAt, readyAt };
        },
        true,
      ),
    TEST_MS,
  );
});
