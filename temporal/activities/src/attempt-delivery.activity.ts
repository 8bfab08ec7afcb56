import type { AttemptDeliveryInput, AttemptDeliveryResult, LastOutcome } from '@hookstream/contracts';
import {
  decideAfterAttempt,
  FINAL_DELIVERY_STATUSES,
  isOperationalEventType,
  maxAttempts,
  newId,
  redactHeaders,
  type AttemptDecision,
  type AttemptOutcome,
} from '@hookstream/domain';
import {
  isPostgresDataError,
  type AttemptRecord,
  type LoadedDelivery,
  type LoadedEndpoint,
  type Refusal,
} from '@hookstream/persistence';
import { attemptRequest } from './attempt-request.js';
import type { DeliveryActivityDeps, OutgoingMessage } from './delivery-activity-deps.js';
import { storeUntilDone } from './store-until-done.js';

/** Until the run that hands a delivery back has closed, in milliseconds; it cannot be started again before. */
const HAND_BACK_AFTER_MS = 100;

/** For the Web UI: "held: …". */
const REFUSAL: Record<Refusal, string> = {
  order_busy: 'another delivery goes before it under its order key',
  circuit_open: "the endpoint's circuit is open",
  probe_under_way: "the endpoint's circuit is half open and another delivery is its probe",
  in_flight_limit: 'as many deliveries as the endpoint takes are under way',
  rate_limit: "the endpoint's rate limit is used up",
};

type ReadyDelivery = LoadedDelivery & { endpoint: LoadedEndpoint; payload: string };

/**
 * One attempt from load to record: the same function for every lane. Throws only for our own failures (database, keys, proxy)
 * and when `signal` aborts; nothing is recorded then and the same attempt may be made again.
 */
export async function attemptDelivery(
  deps: DeliveryActivityDeps,
  input: AttemptDeliveryInput,
  signal?: AbortSignal,
): Promise<AttemptDeliveryResult> {
  signal?.throwIfAborted();
  const delivery = await deps.attempts.begin({
    deliveryId: input.deliveryId,
    number: input.attemptNumber,
    trigger: input.trigger,
    lane: input.lane,
  });
  if (!delivery) return { kind: 'expired' };
  if (delivery.attemptCount >= input.attemptNumber) return recordedBefore(deps, input);
  if (delivery.payload === null) {
    await deps.attempts.cancel(input.deliveryId);
    return { kind: 'expired' };
  }
  if (delivery.endpoint === null) {
    await deps.attempts.cancel(input.deliveryId);
    return { kind: 'cancelled', reason: 'the endpoint was deleted' };
  }
  if (!delivery.begun) return holdOrStop(deps, delivery, delivery.endpoint, input);
  return send(deps, { ...delivery, endpoint: delivery.endpoint, payload: delivery.payload }, input, signal);
}

async function holdOrStop(
  deps: DeliveryActivityDeps,
  delivery: LoadedDelivery,
  endpoint: LoadedEndpoint,
  input: AttemptDeliveryInput,
): Promise<AttemptDeliveryResult> {
  const reason = whyHeld(delivery, endpoint, input);
  if (reason === undefined || input.trigger === 'test') {
    await deps.attempts.giveBackSlot(input.deliveryId);
    return { kind: 'cancelled', reason: `the delivery is ${delivery.status}` };
  }
  await deps.attempts.handBack(delivery, input.scheduleStep, {
    trigger: input.trigger,
    afterMs: HAND_BACK_AFTER_MS,
  });
  return { kind: 'handed_back', reason };
}

/** Undefined: nothing is left to deliver. */
function whyHeld(
  delivery: LoadedDelivery,
  endpoint: LoadedEndpoint,
  input: AttemptDeliveryInput,
): string | undefined {
  if (FINAL_DELIVERY_STATUSES.includes(delivery.status) && input.trigger !== 'replay') return undefined;
  if (endpoint.status !== 'enabled') return `the endpoint is ${endpoint.status}`;
  return delivery.refusal === undefined ? 'the endpoint has just changed' : REFUSAL[delivery.refusal];
}

async function send(
  deps: DeliveryActivityDeps,
  delivery: ReadyDelivery,
  input: AttemptDeliveryInput,
  signal?: AbortSignal,
): Promise<AttemptDeliveryResult> {
  const request = attemptRequest(deps, delivery, input.attemptNumber);
  const startedAt = new Date(deps.now());
  const outcome = await deps.egress.send(signal ? { ...request, signal } : request);
  const decision = decideAfterAttempt({
    outcome,
    policy: delivery.endpoint.retry,
    scheduleStep: input.scheduleStep,
    trigger: input.trigger,
    retryAfterCapMs: deps.retryAfterCapMs,
    random: deps.random,
  });
  const record = attemptRecord(deps, input, request, outcome, decision, startedAt);
  await storeUntilDone(
    () => recordWhatFits(deps, delivery, record, input.scheduleStep + 1),
    deps.logger,
    signal,
  );
  reportToCircuit(deps, delivery, record);
  logAttempt(deps, delivery, record);
  return { ...attempted(record), scheduleLength: maxAttempts(delivery.endpoint.retry) };
}

function reportToCircuit(deps: DeliveryActivityDeps, delivery: ReadyDelivery, record: AttemptRecord): void {
  // Somebody's look at an endpoint is no delivery: it goes past the breaker in both directions.
  if (record.trigger === 'test') return;
  const { tenantId, endpointId, endpoint } = delivery;
  deps.circuits.onAttempt({
    tenantId,
    endpointId,
    endpointHost: new URL(record.requestUrl).host,
    succeeded: record.outcome.kind === 'succeeded',
    at: new Date(deps.now()),
    operational: isOperationalEventType(delivery.eventType),
    circuit: endpoint.circuit,
  });
}

/** What a receiver answers must not keep its attempt from being recorded: refused with the answer, it is stored without. */
async function recordWhatFits(
  deps: DeliveryActivityDeps,
  delivery: LoadedDelivery,
  record: AttemptRecord,
  scheduleStep: number,
): Promise<void> {
  try {
    await deps.attempts.record(delivery, record, scheduleStep);
  } catch (error) {
    const { response, ...outcome } = record.outcome;
    if (response === undefined || !isPostgresDataError(error)) throw error;
    deps.logger.warn(
      { err: error, delivery_id: delivery.deliveryId },
      'an answer cannot be stored; storing the attempt without',
    );
    await deps.attempts.record(delivery, { ...record, outcome }, scheduleStep);
  }
}

function attemptRecord(
  deps: DeliveryActivityDeps,
  input: AttemptDeliveryInput,
  request: Omit<OutgoingMessage, 'signal'>,
  outcome: AttemptOutcome,
  decision: AttemptDecision,
  startedAt: Date,
): AttemptRecord {
  return {
    attemptId: newId('attempt'),
    number: input.attemptNumber,
    trigger: input.trigger,
    outcome,
    decision,
    replays: input.replays,
    startedAt,
    nextAttemptAt: decision.next === 'retry' ? new Date(deps.now() + decision.delayMs) : null,
    requestUrl: request.url,
    requestHeaders: redactHeaders(request.headers),
  };
}

/** A run that died between recording and telling Temporal made this attempt already. */
async function recordedBefore(
  deps: DeliveryActivityDeps,
  input: AttemptDeliveryInput,
): Promise<AttemptDeliveryResult> {
  const found = await deps.attempts.find(input.deliveryId, input.attemptNumber);
  return found ? attempted(found) : { kind: 'expired' };
}

function attempted(
  record: Pick<
    AttemptRecord,
    'attemptId' | 'trigger' | 'outcome' | 'decision' | 'replays' | 'startedAt' | 'nextAttemptAt'
  >,
): Extract<AttemptDeliveryResult, { kind: 'attempted' }> {
  const { outcome } = record;
  const lastOutcome: LastOutcome = {
    kind: outcome.kind,
    durationMs: Math.round(outcome.durationMs),
    at: record.startedAt.toISOString(),
    ...(outcome.statusCode === undefined ? {} : { statusCode: outcome.statusCode }),
    ...(outcome.error === undefined ? {} : { error: outcome.error }),
  };
  return {
    kind: 'attempted',
    attemptId: record.attemptId,
    trigger: record.trigger,
    outcome: lastOutcome,
    decision: record.decision,
    ...(record.replays === undefined ? {} : { replays: record.replays }),
    ...(record.nextAttemptAt === null ? {} : { nextAttemptAt: record.nextAttemptAt.toISOString() }),
  };
}

function logAttempt(deps: DeliveryActivityDeps, delivery: LoadedDelivery, record: AttemptRecord): void {
  const { outcome, decision } = record;
  deps.logger.info(
    {
      tenant_id: delivery.tenantId,
      delivery_id: delivery.deliveryId,
      endpoint_id: delivery.endpointId,
      event_id: delivery.eventId,
      attempt: record.number,
      trigger: record.trigger,
      outcome: outcome.kind,
      status_code: outcome.statusCode,
      error: outcome.error,
      duration_ms: Math.round(outcome.durationMs),
      next: decision.next,
      next_attempt_at: record.nextAttemptAt ?? undefined,
    },
    'attempt',
  );
}
