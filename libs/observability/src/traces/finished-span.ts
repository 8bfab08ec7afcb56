import {
  SpanStatusCode,
  TraceFlags,
  type Attributes,
  type SpanContext,
  type SpanKind,
} from '@opentelemetry/api';
import { hrTimeDuration, millisToHrTime, type InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** A span of which all is known. */
export interface SpanFacts {
  traceId: string;
  spanId: string;
  /** Undefined: it is the first of its trace. */
  parentSpanId: string | undefined;
  name: string;
  kind: SpanKind;
  /** Unix milliseconds. */
  startedAt: number;
  durationMs: number;
  /** Of a span that tells of a failure. */
  failure?: string;
  attributes: Attributes;
}

/** Spans are told when their end is known, under ids that are known without them: nothing is open in between, so nothing is left open. */
export function finishedSpan(
  facts: SpanFacts,
  { resource, scope }: { resource: Resource; scope: InstrumentationScope },
): ReadableSpan {
  const { traceId, parentSpanId, failure } = facts;
  const contextOf = (spanId: string): SpanContext => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });
  const context = contextOf(facts.spanId);
  const startTime = millisToHrTime(facts.startedAt);
  const endTime = millisToHrTime(facts.startedAt + facts.durationMs);
  return {
    name: facts.name,
    kind: facts.kind,
    spanContext: () => context,
    // all of our parents were made in another process, or could have been
    ...(parentSpanId === undefined
      ? {}
      : { parentSpanContext: { ...contextOf(parentSpanId), isRemote: true } }),
    startTime,
    endTime,
    duration: hrTimeDuration(startTime, endTime),
    ended: true,
    status:
      failure === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: failure },
    attributes: facts.attributes,
    links: [],
    events: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
