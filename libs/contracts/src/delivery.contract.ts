import { defineQuery, defineSignal } from '@temporalio/workflow';
import type {
  AttemptDecision,
  AttemptOutcomeKind,
  AttemptTrigger,
  DeliveryStatus,
  RunLane,
} from '@hookstream/domain';

/** Started with the delivery's public id (`dlv_…`) as workflow id. Ids only: payloads and secrets stay in Postgres. */
export interface DeliveryWorkflowInput {
  deliveryId: string;
  tenantId: string;
  endpointId: string;
  eventId: string;
  eventType: string;
  /** Host of the endpoint when the workflow started; for the Web UI's summary only. */
  endpointHost: string;
  lane: RunLane;
  /** Attempts already made and recorded by earlier runs or lanes. The first attempt of this run is this plus one. */
  attemptsMade: number;
  /** How many attempts of the current schedule are used up. A replay starts the schedule anew at 0. */
  scheduleStep: number;
  /** What the first attempt of this run is due to. */
  trigger: AttemptTrigger;
  /** Unix ms after which the payload is gone: an open dead letter ends then. */
  expiresAt: number;
  /** RFC 3339 UTC. There where attempts were made that have failed and the next is due by its schedule: the run begins with the wait for it. */
  nextAttemptAt?: string;
  /** Carried over when a long history is continued as a new run; starters leave it out. */
  lastOutcome?: LastOutcome;
}

export interface DeliveryWorkflowResult {
  status: DeliveryStatus;
  attempts: number;
}

export interface AttemptDeliveryInput {
  deliveryId: string;
  /** Whose it is, so that the worker knows who takes how much of its room. Absent from runs of the first version. */
  tenantId?: string;
  endpointId?: string;
  /** 1-based number of this attempt over the delivery's whole life. An attempt already recorded is not sent again. */
  attemptNumber: number;
  scheduleStep: number;
  trigger: AttemptTrigger;
  /** How many replays this run has been asked for so far. Absent from runs of the first versions. */
  replays?: number;
  lane: RunLane;
}

export interface LastOutcome {
  kind: AttemptOutcomeKind;
  statusCode?: number;
  error?: string;
  durationMs: number;
  /** RFC 3339 UTC */
  at: string;
}

/** What the attempt activity tells the workflow. Small: it is stored in the history. */
export type AttemptDeliveryResult =
  | {
      kind: 'attempted';
      attemptId: string;
      outcome: LastOutcome;
      decision: AttemptDecision;
      nextAttemptAt?: string;
      /** What the attempt was due to when it was made: not always what was asked, where it was recorded before. */
      trigger?: AttemptTrigger;
      /** How many replays its run had been asked for when it was made: a later one is not met by it. */
      replays?: number;
      /** Attempts the endpoint's schedule has in all, the first included: "attempt 3 of 5" in the Web UI. */
      scheduleLength?: number;
    }
  /** May not go now (endpoint paused or disabled): the delivery is back in the outbox and this run ends. */
  | { kind: 'handed_back'; reason: string }
  /** The delivery was cancelled meanwhile, or its endpoint deleted. */
  | { kind: 'cancelled'; reason: string }
  /** The delivery or its payload is gone from the database: its retention ended. */
  | { kind: 'expired' };

/** Type of the failure of an attempt whose worker stopped before it was done: nothing is recorded, another worker makes it again. */
export const WORKER_STOPPING = 'WorkerStopping';

export interface DeliveryActivities {
  /** Loads, signs, sends and records one attempt. Throws only for our own failures, which are retried without end. */
  attemptDelivery(input: AttemptDeliveryInput): Promise<AttemptDeliveryResult>;
  /** Stores that the delivery is cancelled unless it has succeeded, and tells how it then stands. Idempotent. */
  cancelDelivery(input: { deliveryId: string; reason: string }): Promise<DeliveryWorkflowResult>;
}

export interface DeliveryState {
  status: DeliveryStatus;
  attempts: number;
  /** RFC 3339 UTC; null when no attempt is due by itself. */
  nextAttemptAt: string | null;
  lastOutcome: LastOutcome | null;
  lane: RunLane;
}

export const deliveryState = defineQuery<DeliveryState>('deliveryState');
/** Ends the wait before the next attempt. Does nothing unless the delivery waits in its schedule. */
export const retryNow = defineSignal('retryNow');
/** Delivers again with a fresh schedule: wakes a dead letter, replaces a pending wait. */
export const replay = defineSignal('replay');
export const cancel = defineSignal<[{ reason: string }]>('cancel');
