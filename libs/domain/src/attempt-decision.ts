import type { AttemptDecision, AttemptOutcome } from './attempt.js';
import type { RetryPolicy } from './endpoint-policy.js';
import { nextDelayMs } from './retry-schedule.js';
import type { AttemptTrigger } from './states.js';

/** 24 hours: a receiver may postpone its retry by `Retry-After` no further, unless configured otherwise. */
export const DEFAULT_RETRY_AFTER_CAP_MS = 24 * 3_600_000;

/** 4xx answers that say "later", not "never": always retried. */
const ALWAYS_RETRIED_4XX: ReadonlySet<number> = new Set([408, 425, 429]);
const GONE = 410;

export interface AttemptDecisionInput {
  outcome: AttemptOutcome;
  policy: RetryPolicy;
  /** Attempts of this schedule used up before this one. */
  scheduleStep: number;
  trigger: AttemptTrigger;
  /** The most that `Retry-After` may postpone, in milliseconds. */
  retryAfterCapMs: number;
  /** A number in [0, 1); for the jitter. */
  random: () => number;
}

/** Whether the attempt delivered the message. */
export function isSuccess(outcome: Pick<AttemptOutcome, 'kind'>): boolean {
  return outcome.kind === 'succeeded';
}

/**
 * What follows an attempt. Every failure of the receiver's side is retried, whatever its kind (a blocked address
 * too: the operator may allow it, or the name may move), except 410 and, by `retry_4xx: false`, other 4xx.
 * `Retry-After` postpones the scheduled retry and never hastens it.
 */
export function decideAfterAttempt(input: AttemptDecisionInput): AttemptDecision {
  const { outcome, policy, scheduleStep, trigger, retryAfterCapMs, random } = input;
  if (isSuccess(outcome)) return { next: 'succeeded' };
  if (trigger === 'test') return { next: 'cancelled', reason: 'test_failed' };
  if (outcome.kind === 'http_error' && outcome.statusCode !== undefined) {
    if (outcome.statusCode === GONE) return { next: 'dead_letter', reason: 'gone' };
    if (isFinal4xx(outcome.statusCode, policy)) return { next: 'dead_letter', reason: 'not_retryable' };
  }
  const scheduled = nextDelayMs(policy, scheduleStep, random);
  if (scheduled === null) return { next: 'dead_letter', reason: 'schedule_exhausted' };
  const asked = Math.min(outcome.retryAfterMs ?? 0, retryAfterCapMs);
  return { next: 'retry', delayMs: Math.max(scheduled, asked) };
}

function isFinal4xx(status: number, policy: RetryPolicy): boolean {
  return policy.retry_4xx === false && status >= 400 && status < 500 && !ALWAYS_RETRIED_4XX.has(status);
}
