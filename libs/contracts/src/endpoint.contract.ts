import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { CircuitHappening, CircuitMemory, CircuitPolicy, CircuitState } from '@hookstream/domain';

/** Started with `endpoint/<endpoint id>` as workflow id, by the first signal that has something to remember. */
export interface EndpointWorkflowInput {
  tenantId: string;
  endpointId: string;
  /** Host of the endpoint when the workflow started; for the Web UI only. */
  endpointHost: string;
  /** How long a run without anything to remember stays open, in milliseconds. Default a day. */
  quietMs?: number;
  /** Carried over when a long history is continued as a new run; starters leave it out. */
  carried?: StoredCircuit;
}

/** An endpoint's breaker as the database has it. */
export interface StoredCircuit {
  memory: CircuitMemory;
  policy: CircuitPolicy;
  /** Orders what is stored: a projection with a lower number comes too late. */
  seq: number;
}

/** Failed attempts that one worker saw, since it last told. Times are RFC 3339 UTC. */
export interface AttemptsFailed {
  count: number;
  since: string;
  last: string;
  /** How many of them were deliveries of operational events. Absent: none. */
  operational?: number;
  /** The turn of the half-open circuit whose probe is among them. */
  probeOfTurn?: number;
}

export interface AttemptSucceeded {
  /** RFC 3339 UTC */
  at: string;
  /** The turn of the half-open circuit whose probe it was. */
  probeOfTurn?: number;
}

export interface ResetCircuit {
  /** The endpoint was disabled and is enabled again: its first success tells of the recovery. */
  enabledAgain?: boolean;
}

export interface ProjectCircuitInput {
  tenantId: string;
  endpointId: string;
  seq: number;
  memory: CircuitMemory;
  /** When an open circuit lets a probe go. RFC 3339 UTC. */
  probeAt: string | null;
  happened: CircuitHappening[];
}

export interface DisableEndpointInput {
  tenantId: string;
  endpointId: string;
  seq: number;
  /** What the breaker remembers from then on. */
  memory: CircuitMemory;
  /** RFC 3339 UTC */
  failingSince: string;
  /** Whether those who subscribe to `endpoint.disabled` are told. */
  announce: boolean;
}

export type ProjectionResult =
  | { kind: 'stored' }
  /** Somebody stored a later one: this is its number. */
  | { kind: 'outdated'; seq: number }
  /** The endpoint was deleted. */
  | { kind: 'gone' };

export interface EndpointActivities {
  /** The policy, and what the breaker was when it was last stored. Null: the endpoint was deleted. */
  loadCircuit(input: { tenantId: string; endpointId: string }): Promise<StoredCircuit | null>;
  /** Stores the breaker for those who read it on the hot path, tells subscribers what happened, wakes dispatchers. Idempotent. */
  projectCircuit(input: ProjectCircuitInput): Promise<ProjectionResult>;
  /** Disables an endpoint that only failed. `not_enabled`: it is paused or disabled already, so nothing was changed. */
  disableEndpoint(input: DisableEndpointInput): Promise<ProjectionResult | { kind: 'not_enabled' }>;
}

/** Times are RFC 3339 UTC. */
export interface CircuitView {
  state: CircuitState;
  consecutiveFailures: number;
  /** The first failure since the last success. */
  failingSince: string | null;
  lastFailureAt: string | null;
  /** When it first opened since it was last closed. */
  openedAt: string | null;
  /** When an open circuit lets a probe go. */
  nextProbeAt: string | null;
  /** When the endpoint is disabled if nothing but failures goes on. */
  disableAt: string | null;
}

/** Null until the run has read what is stored. */
export const circuitState = defineQuery<CircuitView | null>('circuitState');
export const attemptsFailed = defineSignal<[AttemptsFailed]>('attemptsFailed');
export const attemptSucceeded = defineSignal<[AttemptSucceeded]>('attemptSucceeded');
/** The policy was changed, or the endpoint deleted: read it again. */
export const endpointChanged = defineSignal('endpointChanged');
export const resetCircuit = defineSignal<[ResetCircuit?]>('resetCircuit');
