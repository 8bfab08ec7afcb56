import type { RetryPolicy, RetryPreset } from './endpoint-policy.js';
import { MAX_RETRY_ATTEMPTS, MAX_RETRY_DELAY_MS, MAX_RETRY_DELAYS } from './policy-limits.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Milliseconds before the 2nd, 3rd, … attempt; the first goes at once. */
export const RETRY_PRESETS: Readonly<Record<RetryPreset, readonly number[]>> = {
  standard: [30 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR],
  // the schedule that Standard Webhooks 1.0.0 recommends
  'standard-webhooks': [
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
  ],
  fast: [3 * SECOND, 9 * SECOND, 27 * SECOND, 81 * SECOND, 243 * SECOND],
};

export const DEFAULT_JITTER = 0.1;
export const DEFAULT_EXPONENTIAL_FACTOR = 2;
export const DEFAULT_LINEAR_FACTOR = 1;

type StrategyPolicy = Extract<RetryPolicy, { strategy: string }>;

/** The i-th delay (from 0) of a strategy, before its cap. */
function strategyDelay(policy: StrategyPolicy, i: number): number {
  const { base_ms: base } = policy;
  // 0 × Infinity would be NaN for a steep factor
  if (base === 0) return 0;
  switch (policy.strategy) {
    case 'fixed':
      return base;
    case 'linear':
      return base * (1 + (policy.factor ?? DEFAULT_LINEAR_FACTOR) * i);
    case 'exponential':
      return base * (policy.factor ?? DEFAULT_EXPONENTIAL_FACTOR) ** i;
  }
}

/**
 * The delays of a policy in milliseconds, without jitter: before the 2nd, 3rd, … attempt.
 * `exponential` is base·factorⁱ (factor 2), `linear` base·(1 + factor·i) (factor 1: base, 2·base, 3·base, …),
 * `fixed` always base; each capped by `max_delay_ms`. Empty means a single attempt.
 */
export function delays(policy: RetryPolicy): number[] {
  if ('preset' in policy) return [...RETRY_PRESETS[policy.preset]];
  if ('delays_ms' in policy) return policy.delays_ms.slice(0, MAX_RETRY_DELAYS).map((ms) => bounded(ms));
  const count = Math.max(0, Math.min(policy.max_attempts, MAX_RETRY_ATTEMPTS) - 1);
  return Array.from({ length: count }, (_, i) => bounded(strategyDelay(policy, i), policy.max_delay_ms));
}

/** All attempts of one walk through the schedule, the first included. */
export function maxAttempts(policy: RetryPolicy): number {
  return delays(policy).length + 1;
}

/**
 * Milliseconds to wait after a failed attempt, or null when the schedule is exhausted.
 * Jitter comes after the cap, so that endpoints sitting at their cap do not all return at the same moment.
 * @param step attempts of this schedule used up before the one that failed; 0 for its first.
 * @param random a number in [0, 1), as Math.random gives.
 */
export function nextDelayMs(policy: RetryPolicy, step: number, random: () => number): number | null {
  const delay = delays(policy)[step];
  if (delay === undefined) return null;
  const jitter = Math.min(1, Math.max(0, policy.jitter ?? DEFAULT_JITTER));
  return Math.round(delay * (1 + jitter * (2 * random() - 1)));
}

function bounded(ms: number, cap: number = MAX_RETRY_DELAY_MS): number {
  return Math.round(Math.max(0, Math.min(ms, cap, MAX_RETRY_DELAY_MS)));
}
