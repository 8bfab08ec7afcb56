import type { AttemptDeliveryInput, AttemptDeliveryResult, LastOutcome } from '@hookstream/contracts';
import { FINAL_DELIVERY_STATUSES, maxAttempts } from '@hookstream/domain';
import type { AttemptRecord, LoadedDelivery, LoadedEndpoint, Refusal } from '@hookstream/persistence';
import type { DeliveryActivityDeps } from './delivery-activity-deps.js';
import { makeAttempt, tellOfAttempt, type ReadyDelivery } from './make-attempt.js';

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

/**
 * One attempt of a workflow from load to record. Throws only for our own failures (database, keys, proxy)
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
  const made = await makeAttempt(deps, delivery, input, signal);
  await deps.recorder.record(made);
  tellOfAttempt(deps, delivery, made.attempt, input.lane);
  return { ...attempted(made.attempt), scheduleLength: maxAttempts(delivery.endpoint.retry) };
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
