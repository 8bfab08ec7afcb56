import { matchesEventType } from './event-type.js';

/** Events that Hookstream itself accepts for a tenant. Callers cannot post them. */
export const OPERATIONAL_EVENT_TYPES = [
  'endpoint.disabled',
  'endpoint.circuit_opened',
  'endpoint.circuit_closed',
  'endpoint.recovered',
  'delivery.dead_lettered',
] as const;
export type OperationalEventType = (typeof OPERATIONAL_EVENT_TYPES)[number];

export function isOperationalEventType(type: string): type is OperationalEventType {
  return (OPERATIONAL_EVENT_TYPES as readonly string[]).includes(type);
}

/**
 * Whether an endpoint gets an operational event: only when it names it, exactly or by a prefix such as `endpoint.*`. One that takes
 * everything (no patterns, or `*`) takes its tenant's events, not ours.
 */
export function subscribesToOperational(patterns: readonly string[], type: OperationalEventType): boolean {
  const naming = patterns.filter((pattern) => pattern !== '*');
  return naming.length > 0 && matchesEventType(naming, type);
}
