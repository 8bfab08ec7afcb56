/** An endpoint is given starts this much faster than its answers make room, so that the pace itself keeps no slot free for long. */
const HEADROOM = 1.1;
/** What a start was late by is made up for, up to this, in milliseconds: timers and claims are late, and that must not add up. */
const MADE_UP_FOR_MS = 50;
/** Starts that are due within this are made together, in milliseconds: a claim costs about the same for one as for several. */
const TOGETHER_MS = 20;
/** The part of the newest answer in the average. */
const NEWEST_ANSWER = 1 / 8;

export interface PaceRules {
  /** An endpoint whose answers take at least this long, in milliseconds, is started on evenly. */
  slowMs: number;
  /** How many may be under way to an endpoint whose answers nobody has timed yet. */
  untimedInFlight: number;
}

/** What a worker knows of an endpoint's answers. */
export interface AnswerTimes {
  /** A moving average, in milliseconds; undefined before the first answer. */
  averageMs: number | undefined;
  /** For how long attempts have been under way without any answer, in milliseconds. */
  unansweredMs: number;
}

export interface Pace {
  /** How many may start now; Infinity where there is nothing to spread. */
  most: number;
  /** When one more may start if all of these do, in milliseconds; null: that depends on an answer, or on nothing. */
  nextInMs: number | null;
  /** The next answer may let more start. */
  awaitsAnswer: boolean;
}

export const UNPACED: Pace = { most: Infinity, nextInMs: null, awaitsAnswer: false };

export function averageWith(averageMs: number | undefined, answerMs: number): number {
  return averageMs === undefined ? answerMs : averageMs + (answerMs - averageMs) * NEWEST_ANSWER;
}

/**
 * The time between two starts that keeps `limit` attempts under way where each takes as long as answers do; 0 where they are fast.
 * An endpoint that falls silent counts as slow before its first late answer, one that has not answered yet as just slow.
 */
export function startSpacingMs(times: AnswerTimes, limit: number, rules: PaceRules): number {
  const { averageMs, unansweredMs } = times;
  const takesMs = averageMs === undefined ? rules.slowMs : Math.max(averageMs, unansweredMs);
  return takesMs < rules.slowMs ? 0 : takesMs / mostInFlight(times, limit, rules) / HEADROOM;
}

/**
 * How many attempts to an endpoint may start now. Started all at once, attempts that take seconds also end all at once: the worker and
 * Temporal would have nothing to do for seconds and then everything, and every other delivery would wait behind that wave. Spaced by
 * their duration over their number they come evenly, and just as many.
 *
 * @param endpoint `dueAt`: when its next start is due, on the clock of `now`; `inFlight`: started or under way
 */
export function paceOf(
  endpoint: { times: AnswerTimes; limit: number; spacingMs: number; dueAt: number; inFlight: number },
  now: number,
  rules: PaceRules,
): Pace {
  const { times, limit, spacingMs, dueAt, inFlight } = endpoint;
  const awaitsAnswer = times.averageMs === undefined;
  const room = awaitsAnswer ? Math.max(0, mostInFlight(times, limit, rules) - inFlight) : Infinity;
  if (spacingMs === 0) return { most: room, nextInMs: null, awaitsAnswer };
  const late = now - countedFrom(dueAt, now);
  const even = late < 0 ? 0 : Math.floor(late / spacingMs) + 1;
  return {
    most: Math.min(room, even),
    nextInMs: even >= room ? null : Math.max(TOGETHER_MS, Math.ceil(even * spacingMs - late)),
    awaitsAnswer,
  };
}

/** When the next start is due after one at `now`. */
export function nextStartDueAt(dueAt: number, spacingMs: number, now: number): number {
  return countedFrom(dueAt, now) + spacingMs;
}

function mostInFlight({ averageMs }: AnswerTimes, limit: number, { untimedInFlight }: PaceRules): number {
  return averageMs === undefined ? Math.min(limit, untimedInFlight) : limit;
}

function countedFrom(dueAt: number, now: number): number {
  return Math.max(dueAt, now - MADE_UP_FOR_MS);
}
