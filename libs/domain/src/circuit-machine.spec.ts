// Pure.
import {
  closedCircuit,
  cooldownMs,
  enabledAgain,
  isAtRest,
  isDisableDue,
  letTimePass,
  nextWake,
  probeTime,
  resetCircuit,
  restartClock,
  takeFailures,
  takePolicy,
  takeSuccess,
  type CircuitMemory,
  type FailureReport,
} from './circuit-machine.js';
import { DEFAULT_CIRCUIT, type CircuitPolicy } from './endpoint-policy.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const T0 = Date.UTC(2026, 4, 4, 10);

/** What befalls a circuit, at minutes after T0. */
type Happens =
  | { min: number; fails: number; probe?: boolean; operational?: number }
  | { min: number; succeeds: true; probe?: boolean }
  | { min: number; resets: true }
  | { min: number; enabled: true }
  | { min: number; policy: Partial<CircuitPolicy> }
  | { min: number };

interface Played {
  memory: CircuitMemory;
  told: string[];
  policy: CircuitPolicy;
}

function play(story: Happens[], first: Partial<CircuitPolicy> = {}): Played {
  const played: Played = { memory: closedCircuit(), told: [], policy: { ...DEFAULT_CIRCUIT, ...first } };
  for (const one of story) {
    const now = T0 + one.min * MINUTE;
    played.memory = letTimePass(played.memory, played.policy, now);
    if ('policy' in one) played.policy = { ...played.policy, ...one.policy };
    const { memory, happened } = next(played, one, now);
    played.memory = memory;
    played.told.push(...happened.map(({ kind }) => kind));
  }
  return played;
}

function next({ memory, policy }: Played, one: Happens, now: number) {
  const probeOfTurn = 'probe' in one && one.probe ? memory.turn : undefined;
  if ('fails' in one) {
    const report: FailureReport = {
      ...{ count: one.fails, operational: one.operational ?? 0, since: now, last: now, probeOfTurn },
    };
    return takeFailures(memory, report, policy, now);
  }
  if ('succeeds' in one) return takeSuccess(memory, { at: now, probeOfTurn }, now);
  if ('resets' in one) return resetCircuit(memory, now);
  if ('enabled' in one) return enabledAgain(memory, now);
  if ('policy' in one) return takePolicy(memory, policy, now);
  return { memory, happened: [] };
}

describe('the circuit', () => {
  it.each<[string, Happens[], Partial<CircuitMemory>, string[], Partial<CircuitPolicy>?]>([
    ['stays closed below the threshold', [{ min: 0, fails: 4 }], { state: 'closed', failures: 4 }, []],
    [
      'opens at the threshold',
      [
        { min: 0, fails: 4 },
        { min: 1, fails: 1 },
      ],
      { state: 'open', trips: 1, trippedAt: T0 + MINUTE, failingSince: T0, recovering: true },
      ['opened'],
    ],
    [
      'counts in a row only',
      [
        { min: 0, fails: 4 },
        { min: 1, succeeds: true },
        { min: 2, fails: 4 },
      ],
      { state: 'closed', failures: 4, failingSince: T0 + 2 * MINUTE },
      [],
    ],
    [
      'takes more than the threshold at once',
      [{ min: 0, fails: 40 }],
      { state: 'open', trips: 1 },
      ['opened'],
    ],
    [
      'never opens when switched off',
      [{ min: 0, fails: 99 }],
      { state: 'closed', failures: 99 },
      [],
      { failure_threshold: 0 },
    ],
    [
      'stays open when attempts that were under way fail',
      [
        { min: 0, fails: 5 },
        { min: 5, fails: 20 },
      ],
      { state: 'open', trips: 1, trippedAt: T0, failures: 25 },
      ['opened'],
    ],
    [
      'stays open when one that was under way succeeds, and the clock stops',
      [
        { min: 0, fails: 5 },
        { min: 1, succeeds: true },
      ],
      { state: 'open', failingSince: null, failures: 0 },
      ['opened'],
    ],
    [
      'is open to the end of the cool-down',
      [{ min: 0, fails: 5 }, { min: 9.99 }],
      { state: 'open' },
      ['opened'],
    ],
    [
      'is half open after it',
      [{ min: 0, fails: 5 }, { min: 10 }],
      { state: 'half_open', turn: 2 },
      ['opened'],
    ],
    [
      'closes when the probe succeeds',
      [{ min: 0, fails: 5 }, { min: 10 }, { min: 11, succeeds: true, probe: true }],
      { ...closedCircuit(3) },
      ['opened', 'closed', 'recovered'],
    ],
    [
      'opens again when the probe fails, for twice as long',
      [{ min: 0, fails: 5 }, { min: 10 }, { min: 11, fails: 1, probe: true }],
      { state: 'open', trips: 2, openedAt: T0, trippedAt: T0 + 11 * MINUTE, failures: 6 },
      ['opened'],
    ],
    [
      'waits for the probe whatever older attempts come to: failures',
      [{ min: 0, fails: 5 }, { min: 10 }, { min: 11, fails: 3 }],
      { state: 'half_open', failures: 8 },
      ['opened'],
    ],
    [
      'waits for the probe whatever older attempts come to: a success',
      [{ min: 0, fails: 5 }, { min: 10 }, { min: 11, succeeds: true }],
      { state: 'half_open' },
      ['opened'],
    ],
    [
      'starts with the short cool-down after it was closed',
      [
        { min: 0, fails: 5 },
        { min: 10, fails: 1, probe: true },
        { min: 30, succeeds: true, probe: true },
        { min: 31, fails: 5 },
      ],
      { state: 'open', trips: 1, openedAt: T0 + 31 * MINUTE },
      ['opened', 'closed', 'recovered', 'opened'],
    ],
    [
      'is closed by hand; the first success after it tells of the recovery',
      [
        { min: 0, fails: 5 },
        { min: 1, resets: true },
        { min: 2, succeeds: true },
      ],
      { ...closedCircuit(2) },
      ['opened', 'closed', 'recovered'],
    ],
    [
      'opens anew after a reset that changed nothing at the endpoint',
      [
        { min: 0, fails: 5 },
        { min: 1, resets: true },
        { min: 2, fails: 5 },
      ],
      { state: 'open', trips: 1 },
      ['opened', 'closed', 'opened'],
    ],
    [
      'forgets failures at a reset',
      [
        { min: 0, fails: 4 },
        { min: 1, resets: true },
      ],
      { ...closedCircuit() },
      [],
    ],
    [
      'tells of the recovery of an endpoint that was disabled',
      [
        { min: 0, enabled: true },
        { min: 1, succeeds: true },
        { min: 2, succeeds: true },
      ],
      { ...closedCircuit() },
      ['recovered'],
    ],
    [
      'closes when it is switched off, and goes on with the clock',
      [
        { min: 0, fails: 5 },
        { min: 1, policy: { failure_threshold: 0 } },
      ],
      { state: 'closed', failures: 5, failingSince: T0 },
      ['opened', 'closed'],
    ],
    [
      'takes a new threshold from the next failure on',
      [
        { min: 0, fails: 4 },
        { min: 1, policy: { failure_threshold: 2 } },
      ],
      { state: 'closed' },
      [],
    ],
    [
      'takes a new cool-down at once',
      [{ min: 0, fails: 5 }, { min: 1, policy: { cooldown_ms: 2 * MINUTE } }, { min: 2 }],
      { state: 'half_open' },
      ['opened'],
    ],
    [
      'tells nobody when only operational events failed',
      [
        { min: 0, fails: 5, operational: 5 },
        { min: 10, succeeds: true, probe: true },
      ],
      { ...closedCircuit(3) },
      [],
    ],
    [
      'tells when one ordinary attempt is among them',
      [
        { min: 0, fails: 4, operational: 4 },
        { min: 1, fails: 1 },
      ],
      { state: 'open', announced: true },
      ['opened'],
    ],
    [
      'forgets failures after the time that would have disabled the endpoint',
      [
        { min: 0, fails: 4 },
        { min: 5 * 24 * 60, fails: 1 },
      ],
      { state: 'closed', failures: 1, failingSince: T0 + 5 * DAY },
      [],
    ],
  ])('%s', (_what, story, memory, told, policy = {}) => {
    const played = play(story, policy);
    expect(played.memory).toMatchObject(memory);
    expect(played.told).toEqual(told);
  });

  it.each([
    [1, 10 * MINUTE],
    [2, 20 * MINUTE],
    [3, 40 * MINUTE],
    [4, 80 * MINUTE],
    [5, 2 * HOUR],
    [500, 2 * HOUR],
  ])('cools down after opening %i times in a row for %i ms', (trips, expected) => {
    expect(cooldownMs(trips, DEFAULT_CIRCUIT)).toBe(expected);
  });

  it('keeps a cool-down above the cap as it is', () => {
    expect(
      [1, 2, 3].map((trips) => cooldownMs(trips, { ...DEFAULT_CIRCUIT, cooldown_ms: 3 * HOUR })),
    ).toEqual([3 * HOUR, 3 * HOUR, 3 * HOUR]);
  });

  it('takes clocks of workers that run ahead for now', () => {
    const report = { count: 1, operational: 0, since: T0 + HOUR, last: T0 + HOUR };
    expect(takeFailures(closedCircuit(), report, DEFAULT_CIRCUIT, T0).memory).toMatchObject({
      failingSince: T0,
      lastFailureAt: T0,
    });
  });
});

describe('the clock that disables', () => {
  const at = (days: number, story: Happens[]) => {
    const { memory, policy } = play(story);
    return isDisableDue(memory, policy, T0 + days * DAY);
  };
  const daily = (days: number[], probe: boolean): Happens[] =>
    days.map((day) => ({ min: day * 24 * 60, fails: 1, probe }));

  it.each<[string, number, Happens[], boolean]>([
    ['runs out while the circuit is open', 5, [{ min: 0, fails: 5 }], true],
    ['does not before', 4.99, [{ min: 0, fails: 5 }], false],
    ['runs over probes that fail', 5, [{ min: 0, fails: 5 }, ...daily([1, 2, 3, 4, 4.9], true)], true],
    [
      'is stopped by a success',
      5,
      [
        { min: 0, fails: 5 },
        { min: 60, succeeds: true },
      ],
      false,
    ],
    ['takes silence for nothing: closed', 6, [{ min: 0, fails: 1 }], false],
    ['takes silence for nothing: half open', 9, [{ min: 0, fails: 5 }, { min: 10 }], false],
    ['runs out at a failure when closed', 5, daily([0, 2, 4, 5], false), true],
  ])('%s', (_what, days, story, due) => {
    expect(at(days, story)).toBe(due);
  });

  it('starts anew where the endpoint was not let try', () => {
    const { memory, policy } = play([{ min: 0, fails: 5 }]);
    const restarted = restartClock(memory, T0 + 5 * DAY);
    expect(isDisableDue(restarted, policy, T0 + 9 * DAY)).toBe(false);
    expect(isDisableDue(restarted, policy, T0 + 10 * DAY)).toBe(true);
  });
});

describe('what happens next by itself', () => {
  it.each<[string, Happens[], ReturnType<typeof nextWake>, Partial<CircuitPolicy>?]>([
    ['nothing, with nothing to remember', [], null],
    ['open: half open', [{ min: 0, fails: 5 }], { at: T0 + 10 * MINUTE, why: 'half_open' }],
    [
      'open: disabled, where that is sooner',
      [{ min: 0, fails: 5 }],
      { at: T0 + 2 * MINUTE, why: 'disable' },
      { disable_after_ms: 2 * MINUTE },
    ],
    ['half open: nothing', [{ min: 0, fails: 5 }, { min: 10 }], null],
    [
      'closed with failures: they are forgotten',
      [
        { min: 0, fails: 1 },
        { min: 1, fails: 1 },
      ],
      { at: T0 + MINUTE + 5 * DAY, why: 'forget' },
    ],
  ])('%s', (_what, story, wake, policy = {}) => {
    const played = play(story, policy);
    expect(nextWake(played.memory, played.policy)).toEqual(wake);
  });

  it('knows when nothing is to remember', () => {
    expect(isAtRest(play([]).memory)).toBe(true);
    expect(isAtRest(play([{ min: 0, fails: 1 }]).memory)).toBe(false);
    expect(isAtRest(play([{ min: 0, fails: 5 }]).memory)).toBe(false);
    expect(isAtRest(play([{ min: 0, fails: 1 }, { min: 5 * 24 * 60 }]).memory)).toBe(true);
  });

  it('lets a probe go from an open circuit only', () => {
    expect(probeTime(play([{ min: 0, fails: 4 }]).memory, DEFAULT_CIRCUIT)).toBeNull();
    expect(probeTime(play([{ min: 0, fails: 5 }, { min: 10 }]).memory, DEFAULT_CIRCUIT)).toBeNull();
  });
});
