export const DELIVERY_STATUSES = [
  'pending',
  'in_progress',
  'retrying',
  'succeeded',
  'dead_letter',
  'cancelled',
] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** A delivery in one of these makes no further attempt by itself. */
export const FINAL_DELIVERY_STATUSES: readonly DeliveryStatus[] = ['succeeded', 'dead_letter', 'cancelled'];

export const ATTEMPT_OUTCOMES = [
  'succeeded',
  'http_error',
  'timeout',
  'connection_error',
  'tls_error',
  'dns_error',
  'blocked_address',
  'response_too_large',
] as const;
export type AttemptOutcomeKind = (typeof ATTEMPT_OUTCOMES)[number];

export const ATTEMPT_TRIGGERS = ['schedule', 'replay', 'test', 'retry_now'] as const;
export type AttemptTrigger = (typeof ATTEMPT_TRIGGERS)[number];

export const ENDPOINT_STATUSES = ['enabled', 'paused', 'disabled'] as const;
export type EndpointStatus = (typeof ENDPOINT_STATUSES)[number];

export const CIRCUIT_STATES = ['closed', 'open', 'half_open'] as const;
export type CircuitState = (typeof CIRCUIT_STATES)[number];

export const LANES = ['durable', 'express', 'auto'] as const;
export type Lane = (typeof LANES)[number];
/** How a delivery really ran: `auto` is only ever a wish. */
export type RunLane = Exclude<Lane, 'auto'>;
/** By whom a row of the outbox is taken. `workflow`: its first attempt was made and failed, a workflow is to go on. */
export const OUTBOX_LANES = [...LANES, 'workflow'] as const;
export type OutboxLane = (typeof OUTBOX_LANES)[number];
