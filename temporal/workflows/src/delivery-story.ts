import type { LastOutcome } from '@hookstream/contracts';
import type { AttemptDecision } from '@hookstream/domain';

export interface AttemptStory {
  /** Over the delivery's whole life, 1-based. */
  attemptNumber: number;
  /** Within the current schedule, 1-based: differs from the number after a replay. */
  scheduleStep: number;
  scheduleLength?: number;
  outcome: LastOutcome;
  decision: AttemptDecision;
  /** RFC 3339 UTC */
  nextAttemptAt: string | null;
}

const DEAD_LETTER_REASON = {
  schedule_exhausted: 'schedule exhausted',
  not_retryable: 'not worth retrying',
  gone: 'the receiver said 410 Gone',
} as const;

/** One line for the Web UI, e.g. "attempt 3 of 5: 503 in 120 ms, next at 2026-05-04 10:00:30 UTC". */
export function tellAttempt(story: AttemptStory): string {
  return `${which(story)}: ${what(story.outcome)} in ${story.outcome.durationMs} ms${after(story)}`;
}

/** Of a run that begins after attempts that the express lane made. */
export function tellTakeOver(attemptsMade: number, nextAttemptAt: string): string {
  return `attempt ${attemptsMade} failed in the express lane, next at ${readableTime(nextAttemptAt)}`;
}

function which({ attemptNumber, scheduleStep, scheduleLength }: AttemptStory): string {
  const of = scheduleLength === undefined ? '' : ` of ${scheduleLength}`;
  if (attemptNumber === scheduleStep) return `attempt ${attemptNumber}${of}`;
  return `attempt ${attemptNumber} (${scheduleStep}${of} since the replay)`;
}

function what(outcome: LastOutcome): string {
  if (outcome.statusCode !== undefined && ['succeeded', 'http_error'].includes(outcome.kind)) {
    return String(outcome.statusCode);
  }
  return outcome.kind.replaceAll('_', ' ');
}

function after({ decision, nextAttemptAt }: AttemptStory): string {
  switch (decision.next) {
    case 'succeeded':
      return '';
    case 'retry':
      return nextAttemptAt === null ? '' : `, next at ${readableTime(nextAttemptAt)}`;
    case 'dead_letter':
      return `, dead letter: ${DEAD_LETTER_REASON[decision.reason]}`;
    case 'cancelled':
      return ', the test failed';
  }
}

/** Seconds are exact enough for a person. */
function readableTime(rfc3339: string): string {
  return `${rfc3339.slice(0, 10)} ${rfc3339.slice(11, 19)} UTC`;
}
