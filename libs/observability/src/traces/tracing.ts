import type { AttemptDecision, AttemptOutcome, AttemptTrigger, Lane } from '@hookstream/domain';
import { readTraceparent, type TracedEvent } from './trace-context.js';

/** When a request to accept came, and with what trace. */
export interface ReceivedTrace {
  traceparent: string | null;
  /** Unix milliseconds. */
  startedAt: number;
  /** By the clock of `performance`. */
  beganAt: number;
}

export interface TracedAcceptance {
  eventId: string;
  tenantId: string;
  eventType: string;
  deliveries: number;
  requestId: string;
  /** The same request had come before: nothing new was stored. */
  repeated: boolean;
}

export interface TracedDelivery extends TracedEvent {
  deliveryId: string;
  tenantId: string;
  endpointId: string;
  eventType: string;
  /** Since when it could have gone. */
  dueAt: Date;
}

export interface TracedAttempt {
  attemptId: string;
  number: number;
  trigger: AttemptTrigger;
  outcome: AttemptOutcome;
  decision: AttemptDecision;
  startedAt: Date;
  nextAttemptAt: Date | null;
  requestUrl: string;
}

/**
 * Tells a collector what happened, span by span, once it has happened. Nobody waits for it, it never throws, and what the collector does not take
 * is lost.
 */
export interface Tracing {
  /** Whether spans of the event's trace are sent. All processes with the same settings answer the same. */
  samples(event: TracedEvent): boolean;
  /** An event is stored, or was already. */
  onAccepted(received: ReceivedTrace, acceptance: TracedAcceptance): void;
  /** An attempt is recorded. @param lane how its delivery runs */
  onAttempt(delivery: TracedDelivery, attempt: TracedAttempt, lane: Lane): void;
  /** Sends what waits, for no longer than {@link SEND_REST_WITHIN_MS}. */
  stop(): Promise<void>;
}

/** How long a stopping process waits for its last spans to be taken, in milliseconds. */
export const SEND_REST_WITHIN_MS = 2_000;

export interface TracingOptions {
  /** Where spans are posted to. */
  url: string;
  /** Secret. */
  headers: Record<string, string>;
  /** A name that OpenTelemetry's specification gives to `OTEL_TRACES_SAMPLER`. */
  sampler: string;
  /** For samplers by ratio, from 0 to 1. */
  ratio: number;
  /** Absent: the process' own. */
  serviceName?: string;
  resourceAttributes: Record<string, string>;
}

export function receivedTrace(header: string | string[] | undefined): ReceivedTrace {
  return { traceparent: readTraceparent(header), startedAt: Date.now(), beganAt: performance.now() };
}
