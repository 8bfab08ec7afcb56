import { FINAL_DELIVERY_STATUSES } from '@hookstream/domain';
import type { Target } from '../traffic/targets.js';
import type { StoredAttempt, StoredDelivery } from './stored-deliveries.js';
import { told } from './told.js';

/** One endpoint of a run at the end of it. */
export interface TargetOutcome {
  target: Target;
  /** Ids of the accepted events that are for it. */
  accepted: readonly string[];
  deliveries: readonly StoredDelivery[];
  /** What its receiver got, in order of arrival. */
  arrivals: readonly ArrivedRequest[];
}

/** What is looked at of a received request. */
interface ArrivedRequest {
  webhookId: string;
  body: string;
}

/** Timers are never early; clocks of one machine are read to the millisecond in different processes. */
const EARLY_MS = 10;

/** What was broken of: every accepted event arrives, or its delivery ends by its own schedule. In plain words. */
export function deliveryFaults(outcome: TargetOutcome): string[] {
  const { target, deliveries } = outcome;
  const at = `(${target.name} endpoint)`;
  return [
    ...told(`accepted events without exactly one delivery ${at}`, withoutOneDelivery(outcome)),
    ...told(`accepted events that did not arrive ${at}`, notArrived(outcome)),
    ...told(`deliveries that did not end ${at}`, unfinished(deliveries)),
    ...told(`deliveries that ended otherwise than by their schedule ${at}`, wrongEnds(target, deliveries)),
    ...told(`attempts recorded that are not those of the schedule ${at}`, wrongAttempts(target, deliveries)),
    ...told(`requests that belong to no accepted event ${at}`, unasked(outcome)),
    ...told(`one event arrived under several webhook-ids, or two under one ${at}`, mixedUp(outcome)),
  ];
}

function withoutOneDelivery({ accepted, deliveries }: TargetOutcome): string[] {
  const counts = new Map<string, number>();
  for (const { eventId } of deliveries) counts.set(eventId, (counts.get(eventId) ?? 0) + 1);
  return accepted
    .filter((id) => counts.get(id) !== 1)
    .map((id) => `event ${id} has ${counts.get(id) ?? 0} deliveries`);
}

function notArrived({ target, accepted, deliveries, arrivals }: TargetOutcome): string[] {
  const arrived = new Set(arrivals.map(({ webhookId }) => webhookId));
  const succeeded = deliveries.filter(({ status }) => status === 'succeeded').map(({ eventId }) => eventId);
  const expected = target.mustArrive ? accepted : succeeded;
  return [...new Set([...expected, ...succeeded])].filter((id) => !arrived.has(id));
}

function unfinished(deliveries: readonly StoredDelivery[]): string[] {
  return deliveries
    .filter(({ status }) => !FINAL_DELIVERY_STATUSES.includes(status))
    .map(
      ({ deliveryId, status, attemptCount }) => `${deliveryId} is ${status} after ${attemptCount} attempts`,
    );
}

function wrongEnds(target: Target, deliveries: readonly StoredDelivery[]): string[] {
  return deliveries
    .filter(({ status }) => FINAL_DELIVERY_STATUSES.includes(status))
    .map(({ deliveryId, status, attemptCount }) => {
      if (status === 'succeeded') return undefined;
      if (status === 'dead_letter' && !target.mustArrive && attemptCount === target.attempts)
        return undefined;
      return `${deliveryId} is ${status} after ${attemptCount} of ${target.attempts} attempts`;
    })
    .filter((line) => line !== undefined);
}

function wrongAttempts(target: Target, deliveries: readonly StoredDelivery[]): string[] {
  return deliveries.flatMap((delivery) => {
    const what = wrongAttempt(target, delivery);
    return what === undefined ? [] : [`${delivery.deliveryId}: ${what}`];
  });
}

function wrongAttempt(target: Target, { attempts, attemptCount }: StoredDelivery): string | undefined {
  // A worker cut off from Temporal may make an attempt that another makes as well: both are recorded then.
  const numbers = [...new Set(attempts.map(({ number }) => number))].join(', ');
  const expected = Array.from({ length: attemptCount }, (_, index) => index + 1).join(', ');
  if (numbers !== expected) return `it counts ${attemptCount} and has numbers ${numbers || 'none'}`;
  for (const attempt of attempts) {
    if (attempt.trigger !== 'schedule') return `attempt ${attempt.number} was made by ${attempt.trigger}`;
    if (target.neverFails && attempt.outcome !== 'succeeded')
      return `attempt ${attempt.number} ended as ${attempt.outcome} although the receiver answers 200`;
    if (target.alwaysEndsAs !== undefined && attempt.outcome !== target.alwaysEndsAs)
      return `attempt ${attempt.number} ended as ${attempt.outcome} instead of ${target.alwaysEndsAs}`;
    const due = dueAfter(attempts.filter(({ number }) => number === attempt.number - 1));
    if (attempt.startedAt < due - EARLY_MS)
      return `attempt ${attempt.number} was made ${Math.round(due - attempt.startedAt)} ms before it was due`;
  }
  return undefined;
}

/** When the attempt after these, which have one number, was due at the earliest. */
function dueAfter(before: readonly StoredAttempt[]): number {
  return before.length === 0 ? -Infinity : Math.min(...before.map((one) => one.nextAttemptAt ?? -Infinity));
}

function unasked({ accepted, arrivals }: TargetOutcome): string[] {
  const known = new Set(accepted);
  return [...new Set(arrivals.map(({ webhookId }) => webhookId))].filter((id) => !known.has(id));
}

/** A duplicate is the same request again: the same bytes under the same id. */
function mixedUp({ arrivals }: TargetOutcome): string[] {
  const bodies = new Map<string, string>();
  const ids = new Map<string, string>();
  const mixed: string[] = [];
  for (const { webhookId, body } of arrivals) {
    const what = contents(body);
    if ((bodies.get(webhookId) ?? body) !== body) mixed.push(`${webhookId} came with two bodies`);
    const other = ids.get(what) ?? webhookId;
    if (other !== webhookId) mixed.push(`${what} came as ${other} and as ${webhookId}`);
    bodies.set(webhookId, body);
    ids.set(what, webhookId);
  }
  return mixed;
}

/** What tells one posted event from another: the suite numbers them. */
function contents(body: string): string {
  const { type, data } = JSON.parse(body) as { type: string; data: unknown };
  return `${type} ${JSON.stringify(data)}`;
}
