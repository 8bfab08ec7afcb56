import type { DeliveryState } from '@hookstream/contracts';
import type { DeliveryRecord, StoredAttempt } from '@hookstream/persistence';
import type { AttemptAnswer, DeliveryAnswer, DeliveryStateAnswer } from './dto/delivery.dto.js';

export function presentDelivery(delivery: DeliveryRecord): DeliveryAnswer {
  return {
    id: delivery.id,
    event_id: delivery.eventId,
    endpoint_id: delivery.endpointId,
    event_type: delivery.eventType,
    status: delivery.status,
    lane: delivery.lane,
    attempt_count: delivery.attemptCount,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    last_outcome: delivery.lastOutcome,
    last_status_code: delivery.lastStatusCode,
    last_error: delivery.lastError,
    created_at: delivery.createdAt.toISOString(),
    completed_at: delivery.completedAt?.toISOString() ?? null,
  };
}

/** Headers were redacted before they were stored. */
export function presentAttempt(attempt: StoredAttempt): AttemptAnswer {
  return {
    id: attempt.id,
    number: attempt.number,
    started_at: attempt.startedAt.toISOString(),
    duration_ms: attempt.durationMs,
    outcome: attempt.outcome,
    status_code: attempt.statusCode,
    error: attempt.error,
    request: { url: attempt.requestUrl, headers: attempt.requestHeaders },
    response:
      attempt.responseHeaders === null
        ? null
        : {
            headers: attempt.responseHeaders,
            body: attempt.responseBody ?? '',
            truncated: attempt.responseTruncated ?? false,
          },
    next_attempt_at: attempt.nextAttemptAt?.toISOString() ?? null,
    trigger: attempt.trigger,
  };
}

export function presentLiveState(state: DeliveryState): DeliveryStateAnswer {
  const { lastOutcome } = state;
  return {
    status: state.status,
    attempts: state.attempts,
    next_attempt_at: state.nextAttemptAt === null ? null : new Date(state.nextAttemptAt).toISOString(),
    last_outcome: lastOutcome && {
      kind: lastOutcome.kind,
      status_code: lastOutcome.statusCode ?? null,
      error: lastOutcome.error ?? null,
      duration_ms: Math.round(lastOutcome.durationMs),
      at: new Date(lastOutcome.at).toISOString(),
    },
    lane: state.lane,
    source: 'workflow',
  };
}

/** The same picture from what is stored. */
export function presentStoredState(
  delivery: DeliveryRecord,
  last: StoredAttempt | undefined,
): DeliveryStateAnswer {
  return {
    status: delivery.status,
    attempts: delivery.attemptCount,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    last_outcome:
      last === undefined
        ? null
        : {
            kind: last.outcome,
            status_code: last.statusCode,
            error: last.error,
            duration_ms: last.durationMs,
            at: last.startedAt.toISOString(),
          },
    lane: delivery.lane,
    source: 'record',
  };
}
