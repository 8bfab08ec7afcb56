import type { AttemptOutcome } from './attempt.js';
import { type AttemptDecisionInput, decideAfterAttempt, isSuccess } from './attempt-decision.js';
import { ATTEMPT_OUTCOMES, type AttemptOutcomeKind } from './states.js';

const decide = (outcome: Partial<AttemptOutcome>, input: Partial<AttemptDecisionInput> = {}) =>
  decideAfterAttempt({
    outcome: { kind: 'http_error', durationMs: 1, ...outcome },
    policy: { preset: 'standard', jitter: 0 },
    scheduleStep: 0,
    trigger: 'schedule',
    retryAfterCapMs: 3_600_000,
    random: () => 0.5,
    ...input,
  });
const no4xx = { preset: 'standard', jitter: 0, retry_4xx: false } as const;
const retry = { next: 'retry', delayMs: 30_000 };

describe('decideAfterAttempt', () => {
  it('ends with a success, whatever the trigger and step', () => {
    expect(decide({ kind: 'succeeded', statusCode: 204 })).toEqual({ next: 'succeeded' });
    expect(decide({ kind: 'succeeded' }, { trigger: 'test', scheduleStep: 99 })).toEqual({
      next: 'succeeded',
    });
  });

  const failures = ATTEMPT_OUTCOMES.filter((kind) => kind !== 'succeeded');
  it.each(failures)('retries %s', (kind: AttemptOutcomeKind) => {
    expect(isSuccess({ kind })).toBe(false);
    expect(decide({ kind })).toEqual(retry);
    expect(decide({ kind }, { policy: no4xx })).toEqual(retry);
  });

  it.each([
    [301, retry, retry],
    [400, retry, { next: 'dead_letter', reason: 'not_retryable' }],
    [404, retry, { next: 'dead_letter', reason: 'not_retryable' }],
    [408, retry, retry],
    [410, { next: 'dead_letter', reason: 'gone' }, { next: 'dead_letter', reason: 'gone' }],
    [425, retry, retry],
    [429, retry, retry],
    [499, retry, { next: 'dead_letter', reason: 'not_retryable' }],
    [500, retry, retry],
    [503, retry, retry],
  ])('status %i', (statusCode, byDefault, without4xx) => {
    expect(decide({ statusCode })).toEqual(byDefault);
    expect(decide({ statusCode }, { policy: no4xx })).toEqual(without4xx);
  });

  it('does not take a 410 for gone when its answer never ended', () => {
    expect(decide({ kind: 'timeout', statusCode: 410 })).toEqual(retry);
  });

  it.each(['schedule', 'replay', 'retry_now'] as const)('exhausts the schedule after %s', (trigger) => {
    expect(decide({ statusCode: 500 }, { trigger, scheduleStep: 3 })).toEqual({
      next: 'retry',
      delayMs: 7_200_000,
    });
    expect(decide({ statusCode: 500 }, { trigger, scheduleStep: 4 })).toEqual({
      next: 'dead_letter',
      reason: 'schedule_exhausted',
    });
  });

  it('lets Retry-After postpone, never hasten, and only up to the cap', () => {
    expect(decide({ statusCode: 503, retryAfterMs: 60_000 })).toEqual({ next: 'retry', delayMs: 60_000 });
    expect(decide({ statusCode: 503, retryAfterMs: 1_000 })).toEqual(retry);
    expect(decide({ statusCode: 503, retryAfterMs: 0 })).toEqual(retry);
    expect(decide({ statusCode: 429, retryAfterMs: 9e15 })).toEqual({ next: 'retry', delayMs: 3_600_000 });
    expect(decide({ statusCode: 503, retryAfterMs: 60_000 }, { scheduleStep: 4 })).toMatchObject({
      reason: 'schedule_exhausted',
    });
  });

  it('follows a failed test with nothing, not even for 410', () => {
    for (const statusCode of [410, 500]) {
      expect(decide({ statusCode }, { trigger: 'test' })).toEqual({
        next: 'cancelled',
        reason: 'test_failed',
      });
    }
  });
});
