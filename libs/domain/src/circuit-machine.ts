import type { CircuitPolicy } from './endpoint-policy.js';
import { MAX_CIRCUIT_DOUBLED_COOLDOWN_MS } from './policy-limits.js';
import type { CircuitState } from './states.js';

/**
 * All that an endpoint's breaker remembers. Times are unix milliseconds. Plain data, so that it travels through histories and
 * the database unchanged.
 */
export interface CircuitMemory {
  state: CircuitState;
  /** Counts changes of `state`. The probe of a half-open circuit is told from older attempts by it. */
  turn: number;
  /** Failed attempts in a row since the last success. */
  failures: number;
  /** Those of them that were not deliveries of operational events. */
  ordinaryFailures: number;
  /** The first failure since the last success: the clock that disables the endpoint runs from here. */
  failingSince: number | null;
  lastFailureAt: number | null;
  /** How many times it has opened since it was last closed. */
  trips: number;
  /** When it first opened since it was last closed. */
  openedAt: number | null;
  /** When it last opened: the cool-down runs from here. */
  trippedAt: number | null;
  /** It was open, or the endpoint disabled, and no success has been seen since. */
  recovering: boolean;
  /** Whether anybody is told about this opening and what follows from it. */
  announced: boolean;
}

/** Failed attempts of one endpoint as one worker saw them. Times in unix milliseconds. */
export interface FailureReport {
  count: number;
  /** How many of them were deliveries of operational events. */
  operational: number;
  /** The first and the last of them. */
  since: number;
  last: number;
  /** The turn whose probe is among them. */
  probeOfTurn?: number | undefined;
}

export interface SuccessReport {
  at: number;
  /** The turn whose probe it was. */
  probeOfTurn?: number | undefined;
}

export type CircuitClosedBy = 'probe' | 'reset' | 'policy';

/** What is worth telling others. Times in unix milliseconds. */
export type CircuitHappening =
  | { kind: 'opened'; at: number; failures: number; failingSince: number; probeAt: number }
  | { kind: 'closed'; at: number; openedAt: number; by: CircuitClosedBy }
  | { kind: 'recovered'; at: number };

export interface CircuitStep {
  memory: CircuitMemory;
  happened: CircuitHappening[];
}

/** When the circuit changes by itself, and how. `forget`: old failures count no more. */
export interface CircuitWake {
  at: number;
  why: 'half_open' | 'disable' | 'forget';
}

/** A circuit that knows of no failure. */
export function closedCircuit(turn = 0, recovering = false): CircuitMemory {
  return {
    state: 'closed',
    turn,
    failures: 0,
    ordinaryFailures: 0,
    failingSince: null,
    lastFailureAt: null,
    trips: 0,
    openedAt: null,
    trippedAt: null,
    recovering,
    announced: false,
  };
}

/**
 * Counts failed attempts. Closed, it opens at the threshold; half open, only the probe of this turn opens it again, so that an attempt
 * that began long before decides nothing; open, they only feed the clock.
 */
export function takeFailures(
  memory: CircuitMemory,
  report: FailureReport,
  policy: CircuitPolicy,
  now: number,
): CircuitStep {
  const before = isStale(memory, policy, report.since) ? forgotten(memory) : memory;
  const counted: CircuitMemory = {
    ...before,
    failures: before.failures + report.count,
    ordinaryFailures: before.ordinaryFailures + report.count - report.operational,
    failingSince: before.failingSince ?? Math.min(report.since, now),
    lastFailureAt: Math.max(before.lastFailureAt ?? 0, Math.min(report.last, now)),
  };
  if (policy.failure_threshold === 0) return { memory: counted, happened: [] };
  const opens = counted.state === 'closed' && counted.failures >= policy.failure_threshold;
  const opensAgain = counted.state === 'half_open' && report.probeOfTurn === counted.turn;
  return opens || opensAgain ? open(counted, policy, now) : { memory: counted, happened: [] };
}

/** A success ends the row of failures and stops the clock. It closes a half-open circuit when it is this turn's probe. */
export function takeSuccess(memory: CircuitMemory, report: SuccessReport, now: number): CircuitStep {
  if (memory.state === 'closed') {
    const { turn, recovering, announced } = memory;
    const tells = recovering && announced;
    return { memory: closedCircuit(turn), happened: tells ? [{ kind: 'recovered', at: now }] : [] };
  }
  if (memory.state === 'half_open' && report.probeOfTurn === memory.turn) {
    const closed = close(memory, 'probe', now);
    const recovered = takeSuccess(closed.memory, report, now);
    return { memory: recovered.memory, happened: [...closed.happened, ...recovered.happened] };
  }
  // An attempt that began before it opened: news for the clock, not for the state.
  return { memory: forgotten(memory), happened: [] };
}

/** Half open once the cool-down is over; closed, what failed too long ago counts no more. */
export function letTimePass(memory: CircuitMemory, policy: CircuitPolicy, now: number): CircuitMemory {
  const probeAt = probeTime(memory, policy);
  if (probeAt !== null && now >= probeAt) return { ...memory, state: 'half_open', turn: memory.turn + 1 };
  return isStale(memory, policy, now) ? forgotten(memory) : memory;
}

/** Closed and without a memory of failures, whatever it was. The first success after it still tells of the recovery. */
export function resetCircuit(memory: CircuitMemory, now: number): CircuitStep {
  return memory.state === 'closed'
    ? {
        memory: { ...closedCircuit(memory.turn, memory.recovering), announced: memory.announced },
        happened: [],
      }
    : close(memory, 'reset', now);
}

/** As {@link resetCircuit}, of an endpoint that was disabled: its first success tells of the recovery. */
export function enabledAgain(memory: CircuitMemory, now: number): CircuitStep {
  const { memory: closed, happened } = resetCircuit(memory, now);
  return { memory: { ...closed, recovering: true, announced: true }, happened };
}

/** What a changed policy means at once: switched off, it is closed. Other changes count from the next failure or timer on. */
export function takePolicy(memory: CircuitMemory, policy: CircuitPolicy, now: number): CircuitStep {
  if (policy.failure_threshold > 0 || memory.state === 'closed') return { memory, happened: [] };
  const { memory: closed, happened } = close(memory, 'policy', now);
  const { failures, ordinaryFailures, failingSince, lastFailureAt } = memory;
  return { memory: { ...closed, failures, ordinaryFailures, failingSince, lastFailureAt }, happened };
}

/** How long it stays open after this many trips in a row: doubled each time, up to the cap. Milliseconds. */
export function cooldownMs(trips: number, policy: CircuitPolicy): number {
  const cap = Math.max(policy.cooldown_ms, MAX_CIRCUIT_DOUBLED_COOLDOWN_MS);
  return Math.min(cap, policy.cooldown_ms * 2 ** Math.max(0, trips - 1));
}

/** When an open circuit lets a probe go; null in every other state. */
export function probeTime(memory: CircuitMemory, policy: CircuitPolicy): number | null {
  if (memory.state !== 'open' || memory.trippedAt === null) return null;
  return memory.trippedAt + cooldownMs(memory.trips, policy);
}

/**
 * Whether there was nothing but failures for as long as the policy bears. Silence is no evidence: unless the circuit itself keeps
 * attempts away, the clock is read at the last failure.
 */
export function isDisableDue(memory: CircuitMemory, policy: CircuitPolicy, now: number): boolean {
  if (memory.failingSince === null || memory.lastFailureAt === null) return false;
  const evidenceUntil = memory.state === 'open' ? now : memory.lastFailureAt;
  return evidenceUntil - memory.failingSince >= policy.disable_after_ms;
}

/** The clock runs from now on: what went before is no evidence, because the endpoint was not let try. */
export function restartClock(memory: CircuitMemory, now: number): CircuitMemory {
  return { ...memory, failingSince: now, lastFailureAt: now };
}

/** What happens next by itself; null: nothing. */
export function nextWake(memory: CircuitMemory, policy: CircuitPolicy): CircuitWake | null {
  const probeAt = probeTime(memory, policy);
  if (probeAt !== null) {
    const disableAt = memory.failingSince === null ? Infinity : memory.failingSince + policy.disable_after_ms;
    return disableAt < probeAt ? { at: disableAt, why: 'disable' } : { at: probeAt, why: 'half_open' };
  }
  if (memory.state !== 'closed' || memory.lastFailureAt === null) return null;
  return { at: memory.lastFailureAt + policy.disable_after_ms, why: 'forget' };
}

/** Whether nothing would be lost by forgetting it altogether. */
export function isAtRest(memory: CircuitMemory): boolean {
  return memory.state === 'closed' && memory.failures === 0;
}

function open(memory: CircuitMemory, policy: CircuitPolicy, now: number): CircuitStep {
  const first = memory.trips === 0;
  const opened: CircuitMemory = {
    ...memory,
    state: 'open',
    turn: memory.turn + 1,
    trips: memory.trips + 1,
    openedAt: memory.openedAt ?? now,
    trippedAt: now,
    recovering: true,
    announced: first ? memory.ordinaryFailures > 0 : memory.announced,
  };
  if (!first || !opened.announced) return { memory: opened, happened: [] };
  const { failures, failingSince } = opened;
  const probeAt = now + cooldownMs(1, policy);
  return {
    memory: opened,
    happened: [{ kind: 'opened', at: now, failures, failingSince: failingSince ?? now, probeAt }],
  };
}

function close(memory: CircuitMemory, by: CircuitClosedBy, now: number): CircuitStep {
  const { turn, recovering, announced, openedAt } = memory;
  return {
    memory: { ...closedCircuit(turn + 1, recovering), announced },
    happened: announced ? [{ kind: 'closed', at: now, openedAt: openedAt ?? now, by }] : [],
  };
}

function isStale(memory: CircuitMemory, policy: CircuitPolicy, now: number): boolean {
  if (memory.state !== 'closed' || memory.lastFailureAt === null) return false;
  return now - memory.lastFailureAt >= policy.disable_after_ms;
}

function forgotten(memory: CircuitMemory): CircuitMemory {
  return { ...memory, failures: 0, ordinaryFailures: 0, failingSince: null, lastFailureAt: null };
}
