import { idToHex, newUuid } from '@hookstream/domain';

/** What decides to which trace belongs all that happens with an event. */
export interface TracedEvent {
  eventId: string;
  /** What the application sent with it, as {@link readTraceparent} gave it. Null: the event has a trace of its own. */
  traceparent: string | null;
}

/** Version, trace id, span id and flags, as https://www.w3.org/TR/trace-context/#traceparent-header has them. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/**
 * Reads a `traceparent` header. What is none begins a new trace, as the standard asks; it is no error.
 * @returns it as version 00 with the sampled flag alone, 55 characters, or null
 */
export function readTraceparent(header: string | string[] | undefined): string | null {
  if (typeof header !== 'string') return null;
  const [, version, traceId, spanId, flags = '', more] = TRACEPARENT.exec(header) ?? [];
  if (version === undefined || version === 'ff' || traceId === NO_TRACE || spanId === NO_SPAN) return null;
  // a later version may say more, this one may not
  if (version === '00' && more !== undefined) return null;
  const sampled = Number.parseInt(flags, 16) & 1;
  return `00-${traceId}-${spanId}-0${sampled}`;
}

/** The id of the trace: the application's, or the event's own. */
export function traceIdOf({ eventId, traceparent }: TracedEvent): string {
  return traceparent === null ? idToHex('event', eventId) : traceparent.slice(3, 35);
}

/** The id of the span that stands for an object of ours: the random half of its UUID, so that nobody has to be told it. */
export function spanIdOf(kind: 'event' | 'delivery' | 'attempt', id: string): string {
  return idToHex(kind, id).slice(16);
}

/** For a span that stands for nothing of ours. */
export function newSpanId(): string {
  return newUuid().slice(-17).replace('-', '');
}

/** The id of the application's span, undefined where there is none. */
export function callerSpanId(traceparent: string | null): string | undefined {
  return traceparent?.slice(36, 52);
}

/** Whether the application had its trace sampled, as the standard's flag says. */
export function callerSampled(traceparent: string): boolean {
  return traceparent.endsWith('1');
}
