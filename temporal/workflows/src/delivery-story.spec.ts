// Pure: the lines a person reads in Temporal's Web UI.
import { tellAttempt, type AttemptStory } from './delivery-story.js';

const failed: AttemptStory = {
  attemptNumber: 3,
  scheduleStep: 3,
  scheduleLength: 5,
  outcome: { kind: 'http_error', statusCode: 503, durationMs: 120, at: '2026-05-04T10:00:00.000Z' },
  decision: { next: 'retry', delayMs: 30_000 },
  nextAttemptAt: '2026-05-04T10:00:30.123Z',
};

describe('tellAttempt', () => {
  it.each<[string, Partial<AttemptStory>, string]>([
    ['a retry', {}, 'attempt 3 of 5: 503 in 120 ms, next at 2026-05-04 10:00:30 UTC'],
    [
      'a schedule of unknown length',
      { scheduleLength: undefined as never },
      'attempt 3: 503 in 120 ms, next at 2026-05-04 10:00:30 UTC',
    ],
    [
      'a time-out',
      { outcome: { kind: 'timeout', durationMs: 15_000, at: '' } },
      'attempt 3 of 5: timeout in 15000 ms, next at 2026-05-04 10:00:30 UTC',
    ],
    [
      'a success after a replay',
      {
        attemptNumber: 6,
        scheduleStep: 1,
        outcome: { kind: 'succeeded', statusCode: 200, durationMs: 9, at: '' },
        decision: { next: 'succeeded' },
        nextAttemptAt: null,
      },
      'attempt 6 (1 of 5 since the replay): 200 in 9 ms',
    ],
    [
      'an exhausted schedule',
      {
        attemptNumber: 5,
        scheduleStep: 5,
        decision: { next: 'dead_letter', reason: 'schedule_exhausted' },
        nextAttemptAt: null,
      },
      'attempt 5 of 5: 503 in 120 ms, dead letter: schedule exhausted',
    ],
    [
      'a failed test',
      {
        attemptNumber: 1,
        scheduleStep: 1,
        decision: { next: 'cancelled', reason: 'test_failed' },
        nextAttemptAt: null,
      },
      'attempt 1 of 5: 503 in 120 ms, the test failed',
    ],
  ])('tells %s', (_name, change, line) => {
    expect(tellAttempt({ ...failed, ...change })).toBe(line);
  });
});
