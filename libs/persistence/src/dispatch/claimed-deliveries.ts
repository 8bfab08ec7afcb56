import { uuidToId, type AttemptTrigger, type Lane, type OutboxLane, type RunLane } from '@hookstream/domain';
import type { TakenRow } from './claim-rows.js';
import { toClaimedAttempts, type ClaimedAttempt, type TakenToAttempt } from './claimed-attempts.js';

/** A delivery that this worker may start until its lease ends. */
export interface ClaimedDelivery {
  deliveryId: string;
  tenantId: string;
  endpointId: string;
  eventId: string;
  eventType: string;
  endpointUrl: string;
  attemptCount: number;
  scheduleStep: number;
  /** What its next attempt is due to. */
  trigger: AttemptTrigger;
  createdAt: Date;
  dueAt: Date;
  /** How it runs: what it began as, or else by workflows. */
  lane: RunLane;
  /** As what it waited in the outbox. */
  waitedAs: OutboxLane;
  /** When its next attempt is due, where its first was made and failed. */
  nextAttemptAt: Date | null;
  /** All that its first attempt needs, where that is next and was claimed with it. */
  firstAttempt?: ClaimedAttempt;
}

/** One row taken to start a workflow. */
export interface TakenToStart extends TakenRow {
  taken_url: string;
  taken_due_at: Date;
  next_attempt_at: Date | null;
  lane: Lane;
  created_at: Date;
}

/** One row taken to start a workflow, with its first attempt where that is next. */
export interface TakenToStartOrAttempt extends TakenToStart, TakenToAttempt {
  /** Nothing can have been attempted yet. */
  as_accepted: boolean;
}

/** @param over rows that are left out */
export function toClaimedDeliveries(
  rows: readonly TakenToStartOrAttempt[],
  waitedAs: OutboxLane,
  over: (row: TakenToStartOrAttempt) => boolean = () => false,
): ClaimedDelivery[] {
  const first = toClaimedAttempts(rows, (row) => over(row) || !row.as_accepted || row.payload === null);
  const attempts = new Map(first.map((attempt) => [attempt.deliveryId, attempt]));
  return rows
    .filter((row) => !over(row))
    .map((row) => {
      const claimed = toClaimed(row, waitedAs);
      const firstAttempt = attempts.get(claimed.deliveryId);
      return firstAttempt === undefined ? claimed : { ...claimed, firstAttempt };
    });
}

export function toClaimed(row: TakenToStart, waitedAs: OutboxLane): ClaimedDelivery {
  return {
    deliveryId: uuidToId('delivery', row.delivery_id as string),
    tenantId: uuidToId('tenant', row.tenant_id as string),
    endpointId: uuidToId('endpoint', row.endpoint_id),
    eventId: uuidToId('event', row.event_id),
    eventType: row.event_type,
    endpointUrl: row.taken_url,
    attemptCount: row.attempt_count,
    scheduleStep: row.schedule_step,
    trigger: row.trigger,
    createdAt: row.created_at,
    dueAt: row.taken_due_at,
    lane: row.attempt_count > 0 && row.lane === 'express' ? 'express' : 'durable',
    waitedAs,
    nextAttemptAt: waitedAs === 'workflow' ? row.next_attempt_at : null,
  };
}
