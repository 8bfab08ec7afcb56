// Pure: what is told to breakers, without Temporal; the clock is real and the interval short.
import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptReport } from '@hookstream/activities';
import { createLogger } from '@hookstream/observability';
import type { AttemptsFailed, AttemptSucceeded } from '@hookstream/contracts';
import { CircuitReporter, type CircuitReporterOptions } from './circuit-reporter.js';

const CLEAN = {
  state: 'closed',
  turn: 0,
  failingSince: null,
  recovering: false,
  failureThreshold: 5,
} as const;

async function eventually(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error('not so within 10 s');
    await delay(5);
  }
}

interface Told {
  endpointId: string;
  failed?: AttemptsFailed;
  succeeded?: AttemptSucceeded;
}

describe('the circuit reporter', () => {
  let told: Told[];
  let away: boolean;
  let asked: number;
  let release: (() => void) | undefined;

  beforeEach(() => {
    told = [];
    away = false;
    asked = 0;
    release = undefined;
  });

  const tell = async (what: Told): Promise<void> => {
    asked += 1;
    if (release !== undefined) await new Promise<void>((resolve) => (release = resolve));
    if (away) throw new Error('Temporal is away');
    told.push(what);
  };
  const reporter = (options: CircuitReporterOptions = {}) =>
    new CircuitReporter(
      {
        workflows: {
          failed: ({ endpointId }, failed) => tell({ endpointId, failed }),
          succeeded: ({ endpointId }, succeeded) => tell({ endpointId, succeeded }),
        },
        logger: createLogger({ name: 'test', level: 'silent' }),
        now: Date.now,
      },
      { intervalMs: 100_000, ...options },
    );
  const attempt = (succeeded: boolean, overrides: Partial<AttemptReport> = {}): AttemptReport => ({
    tenantId: 'tnt_1',
    endpointId: 'ep_1',
    endpointUrl: 'https://api.example.com/hooks',
    succeeded,
    at: new Date(),
    operational: false,
    circuit: CLEAN,
    ...overrides,
  });
  const counts = () => told.map(({ failed, succeeded }) => failed?.count ?? (succeeded ? 'success' : 0));

  it('tells the first failure and the one at the threshold at once, the others together', async () => {
    const circuits = reporter();
    circuits.onAttempt(attempt(false));
    await eventually(() => told.length === 1);
    for (let i = 0; i < 3; i++) circuits.onAttempt(attempt(false));
    circuits.onAttempt(attempt(false));
    await eventually(() => told.length === 2);
    for (let i = 0; i < 500; i++) circuits.onAttempt(attempt(false));
    await circuits.stop();
    expect(counts()).toEqual([1, 4, 500]);
  });

  it('goes on telling in intervals', async () => {
    const circuits = reporter({ intervalMs: 20 });
    circuits.onAttempt(attempt(false));
    await eventually(() => told.length === 1);
    circuits.onAttempt(attempt(false));
    circuits.onAttempt(attempt(false));
    await eventually(() => told.length === 2);
    expect(counts()).toEqual([1, 2]);
    await circuits.stop();
  });

  it('remembers nothing of endpoints that work, and tells nothing', async () => {
    const circuits = reporter();
    for (let i = 0; i < 100; i++) circuits.onAttempt(attempt(true, { endpointId: `ep_${i}` }));
    expect(circuits.size).toBe(0);
    await circuits.stop();
    expect(asked).toBe(0);
  });

  it('tells a success after failures that it told, once', async () => {
    const circuits = reporter();
    circuits.onAttempt(attempt(false));
    await eventually(() => told.length === 1);
    circuits.onAttempt(attempt(true));
    circuits.onAttempt(attempt(true));
    await circuits.stop();
    expect(counts()).toEqual([1, 'success']);
  });

  it.each([
    ['its circuit is open', { ...CLEAN, state: 'open' }],
    ['it failed on another worker', { ...CLEAN, failingSince: new Date() }],
    ['it recovers', { ...CLEAN, recovering: true }],
  ] as const)('tells a success of an endpoint of which the database says that %s', async (_what, circuit) => {
    const circuits = reporter();
    circuits.onAttempt(attempt(true, { circuit }));
    await circuits.stop();
    expect(counts()).toEqual(['success']);
    expect(circuits.size).toBe(0);
  });

  it('tells what a probe came to at once, and whose it was', async () => {
    const circuits = reporter();
    const circuit = { ...CLEAN, state: 'half_open', turn: 4 } as const;
    circuits.onAttempt(attempt(false));
    await eventually(() => told.length === 1);
    circuits.onAttempt(attempt(false, { circuit }));
    await eventually(() => told.length === 2);
    circuits.onAttempt(attempt(true, { circuit: { ...circuit, turn: 6 } }));
    await eventually(() => told.length === 3);
    expect(told.map(({ failed, succeeded }) => (failed ?? succeeded)?.probeOfTurn)).toEqual([
      undefined,
      4,
      6,
    ]);
    await circuits.stop();
  });

  it('forgets failures that a success made meaningless before they were told', async () => {
    const circuits = reporter();
    circuits.onAttempt(attempt(false));
    await eventually(() => told.length === 1);
    circuits.onAttempt(attempt(false));
    circuits.onAttempt(attempt(true));
    circuits.onAttempt(attempt(false));
    await circuits.stop();
    expect(counts()).toEqual([1, 'success', 1]);
  });

  it('loses no count while Temporal is away, and tells all of it once it is back', async () => {
    const circuits = reporter({ intervalMs: 10 });
    away = true;
    circuits.onAttempt(attempt(false));
    await eventually(() => asked === 1);
    for (let i = 0; i < 9; i++) circuits.onAttempt(attempt(false));
    away = false;
    await eventually(() => told.length > 0);
    await circuits.stop();
    expect(told.reduce((sum, { failed }) => sum + (failed?.count ?? 0), 0)).toBe(10);
  });

  it('leaves a success told and its failures untold where only the second call fails', async () => {
    const circuits = reporter({ intervalMs: 10 });
    circuits.onAttempt(attempt(false));
    await eventually(() => told.length === 1);
    circuits.onAttempt(attempt(true));
    circuits.onAttempt(attempt(false));
    await eventually(() => told.length >= 2);
    away = true;
    circuits.onAttempt(attempt(false));
    await eventually(() => asked > told.length);
    away = false;
    await circuits.stop();
    expect(counts().filter((count) => count === 'success')).toHaveLength(1);
    expect(told.reduce((sum, { failed }) => sum + (failed?.count ?? 0), 0)).toBe(3);
  });

  it('keeps a bounded number of endpoints in mind', async () => {
    const circuits = reporter({ maxEndpoints: 10 });
    away = true;
    for (let i = 0; i < 1_000; i++) circuits.onAttempt(attempt(false, { endpointId: `ep_${i}` }));
    expect(circuits.size).toBe(10);
    away = false;
    await circuits.stop();
    expect(told).toHaveLength(10);
  });

  it('does not keep a worker from stopping when Temporal hangs', async () => {
    const circuits = reporter({ stopWithinMs: 20 });
    release = () => undefined;
    circuits.onAttempt(attempt(false));
    await eventually(() => asked === 1);
    await circuits.stop();
    expect(told).toEqual([]);
  });
});
