import type { TestReceiver } from '@hookstream/testing';
import type { Target } from '../traffic/targets.js';
import type { AcceptedEvent } from '../traffic/traffic.js';
import type { TargetOutcome } from './every-event-arrives.js';
import type { StoredDelivery } from './stored-deliveries.js';

/** What came of an endpoint's events, in numbers. */
export interface TargetReport {
  endpoint: string;
  accepted: number;
  succeeded: number;
  deadLetters: number;
  attempts: number;
  requests: number;
  /** Requests beyond the first of an event that no recorded attempt accounts for. */
  duplicates: number;
}

/** Of all events and deliveries of a run, those of one endpoint, whose receiver has its name for a path. */
export function outcomeOf(
  target: Target,
  accepted: readonly AcceptedEvent[],
  deliveries: readonly StoredDelivery[],
  receiver: TestReceiver,
): TargetOutcome {
  return {
    target,
    accepted: accepted.filter(({ type }) => target.eventTypes.includes(type)).map(({ id }) => id),
    deliveries: deliveries.filter(({ endpointId }) => endpointId === target.endpointId),
    arrivals: receiver.requestsTo(`/${target.name}`).map((request) => ({
      webhookId: request.headers['webhook-id'] ?? '',
      body: request.body.toString('utf8'),
    })),
  };
}

export function reportOf({ target, accepted, deliveries, arrivals }: TargetOutcome): TargetReport {
  const attempts = deliveries.reduce((sum, { attemptCount }) => sum + attemptCount, 0);
  return {
    endpoint: target.name,
    accepted: accepted.length,
    succeeded: deliveries.filter(({ status }) => status === 'succeeded').length,
    deadLetters: deliveries.filter(({ status }) => status === 'dead_letter').length,
    attempts,
    requests: arrivals.length,
    duplicates: Math.max(0, arrivals.length - attempts),
  };
}

/** One line for a person. */
export function tellTarget(one: TargetReport): string {
  return (
    `  ${one.endpoint.padEnd(9)} ${one.accepted} events: ${one.succeeded} succeeded, ${one.deadLetters} dead letters; ` +
    `${one.attempts} attempts recorded, ${one.requests} requests received, ${one.duplicates} more than recorded`
  );
}
