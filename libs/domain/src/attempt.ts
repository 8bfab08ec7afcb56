import type { AttemptOutcomeKind } from './states.js';

/**
 * What one try to hand a message to a destination came to. Not HTTP-shaped at its core: `statusCode` and
 * `response` are there only where the destination speaks HTTP.
 */
export interface AttemptOutcome {
  kind: AttemptOutcomeKind;
  /** Milliseconds from the start of the try to its end. */
  durationMs: number;
  statusCode?: number;
  /** For a person: what went wrong and, where a setting caused it, the setting's name. */
  error?: string;
  /** The receiver's `Retry-After`, as milliseconds from now, uncapped. */
  retryAfterMs?: number;
  response?: { headers: Record<string, string>; body: string; truncated: boolean };
}

/** What follows an attempt, decided by {@link decideAfterAttempt}. */
export type AttemptDecision =
  | { next: 'succeeded' }
  | { next: 'retry'; delayMs: number }
  | { next: 'dead_letter'; reason: 'schedule_exhausted' | 'not_retryable' | 'gone' }
  /** A test or verification that failed: nothing follows, and it is not a dead letter. */
  | { next: 'cancelled'; reason: 'test_failed' };
