import { ROOT_CONTEXT, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { callerSampled, callerSpanId, traceIdOf, type TracedEvent } from './trace-context.js';

const PARENT_BASED = 'parentbased_';

/**
 * Decides by the event alone, once for its whole trace: what each process decides by itself is the same everywhere, and nobody has to be told.
 * @param name as OpenTelemetry's specification has it
 */
export function traceSampler(name: string, ratio: number): (event: TracedEvent) => boolean {
  const sampler = samplerOf(name, ratio);
  return (event) => {
    const traceId = traceIdOf(event);
    const { decision } = sampler.shouldSample(
      parentOf(event, traceId),
      traceId,
      'accept',
      SpanKind.SERVER,
      {},
      [],
    );
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  };
}

function samplerOf(name: string, ratio: number): Sampler {
  if (name.startsWith(PARENT_BASED))
    return new ParentBasedSampler({ root: samplerOf(name.slice(PARENT_BASED.length), ratio) });
  if (name === 'always_on') return new AlwaysOnSampler();
  if (name === 'always_off') return new AlwaysOffSampler();
  if (name === 'traceidratio') return new TraceIdRatioBasedSampler(ratio);
  throw new Error(`There is no sampler ${name}`);
}

function parentOf({ traceparent }: TracedEvent, traceId: string) {
  const spanId = callerSpanId(traceparent);
  if (traceparent === null || spanId === undefined) return ROOT_CONTEXT;
  const traceFlags = callerSampled(traceparent) ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
