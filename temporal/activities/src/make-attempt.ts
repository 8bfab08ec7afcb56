import type { AttemptDeliveryInput } from '@hookstream/contracts';
import {
  decideAfterAttempt,
  isOperationalEventType,
  newId,
  redactHeaders,
  type RunLane,
} from '@hookstream/domain';
import { traceIdOf } from '@hookstream/observability';
import type { AttemptRecord, LoadedDelivery, LoadedEndpoint, MadeAttempt } from '@hookstream/persistence';
import { attemptRequest } from './attempt-request.js';
import type { DeliveryActivityDeps } from './delivery-activity-deps.js';

/** A delivery that may go now. */
export type ReadyDelivery = LoadedDelivery & { endpoint: LoadedEndpoint; payload: string };

/** Which attempt it is, and what it is due to. */
export type AttemptPlace = Pick<
  AttemptDeliveryInput,
  'attemptNumber' | 'scheduleStep' | 'trigger' | 'replays'
>;

/**
 * Signs, sends and decides what follows: one attempt of either lane, made and not yet recorded. Throws only for our own failures (keys,
 * proxy) and when `signal` aborts; the same attempt may be made again then, of the delivery loaded anew: its payload is taken out of it.
 */
export async function makeAttempt(
  deps: Pick<
    DeliveryActivityDeps,
    'decrypt' | 'signer' | 'userAgent' | 'now' | 'egress' | 'retryAfterCapMs' | 'random' | 'tracing'
  >,
  delivery: ReadyDelivery,
  place: AttemptPlace,
  signal?: AbortSignal,
): Promise<MadeAttempt> {
  const { attemptNumber, scheduleStep, trigger, replays } = place;
  const attemptId = newId('attempt');
  const request = attemptRequest(deps, delivery, { attemptId, number: attemptNumber });
  forgetPayload(delivery);
  const startedAt = new Date(deps.now());
  const outcome = await deps.egress.send(signal ? { ...request, signal } : request);
  const decision = decideAfterAttempt({
    outcome,
    policy: delivery.endpoint.retry,
    scheduleStep,
    trigger,
    retryAfterCapMs: deps.retryAfterCapMs,
    random: deps.random,
  });
  const attempt: AttemptRecord = {
    attemptId,
    number: attemptNumber,
    trigger,
    outcome,
    decision,
    replays,
    startedAt,
    nextAttemptAt: decision.next === 'retry' ? new Date(deps.now() + decision.delayMs) : null,
    requestUrl: request.url,
    requestHeaders: redactHeaders(request.headers),
  };
  return { delivery, attempt, scheduleStep: scheduleStep + 1 };
}

/** The request has it as bytes now: what waits seconds for its answer must not hold a megabyte twice. */
function forgetPayload(delivery: LoadedDelivery): void {
  delivery.payload = null;
}

/** Tells the endpoint's breaker, the metrics, the trace and the log of an attempt that is recorded. */
export function tellOfAttempt(
  deps: Pick<DeliveryActivityDeps, 'circuits' | 'logger' | 'metrics' | 'tracing' | 'now'>,
  delivery: ReadyDelivery,
  attempt: AttemptRecord,
  lane: RunLane,
): void {
  deps.metrics?.onAttempt(delivery, attempt);
  deps.tracing?.onAttempt(delivery, attempt, lane);
  reportToCircuit(deps, delivery, attempt);
  logAttempt(deps, delivery, attempt);
}

function reportToCircuit(
  deps: Pick<DeliveryActivityDeps, 'circuits' | 'now'>,
  delivery: ReadyDelivery,
  attempt: AttemptRecord,
): void {
  // Somebody's look at an endpoint is no delivery: it goes past the breaker in both directions.
  if (attempt.trigger === 'test') return;
  const { tenantId, endpointId, endpoint } = delivery;
  deps.circuits.onAttempt({
    tenantId,
    endpointId,
    endpointUrl: attempt.requestUrl,
    succeeded: attempt.outcome.kind === 'succeeded',
    at: new Date(deps.now()),
    operational: isOperationalEventType(delivery.eventType),
    circuit: endpoint.circuit,
  });
}

function logAttempt(
  { logger }: Pick<DeliveryActivityDeps, 'logger'>,
  delivery: LoadedDelivery,
  attempt: AttemptRecord,
): void {
  if (!logger.isLevelEnabled('info')) return;
  const { outcome, decision } = attempt;
  logger.info(
    {
      tenant_id: delivery.tenantId,
      delivery_id: delivery.deliveryId,
      endpoint_id: delivery.endpointId,
      event_id: delivery.eventId,
      trace_id: traceIdOf(delivery),
      attempt: attempt.number,
      trigger: attempt.trigger,
      outcome: outcome.kind,
      status_code: outcome.statusCode,
      error: outcome.error,
      duration_ms: Math.round(outcome.durationMs),
      next: decision.next,
      next_attempt_at: attempt.nextAttemptAt ?? undefined,
    },
    'attempt',
  );
}
