import { DomainError, REDACTED, type RetryPolicy, type SignaturePolicy } from '@hookstream/domain';
import type { EndpointSettings } from '@hookstream/persistence';
import type { CreateEndpoint, UpdateEndpoint } from './dto/endpoint.dto.js';

/** The columns that a PATCH changes, its headers aside. A new URL has proved nothing yet. */
export function changedSettings(patch: UpdateEndpoint): Partial<EndpointSettings> & { verifiedAt?: null } {
  const changes: Record<string, unknown> = {
    url: patch.url,
    description: patch.description,
    eventTypes: patch.event_types,
    filter: patch.filter,
    timeoutMs: patch.timeout_ms,
    retry: patch.retry,
    rateLimit: patch.rate_limit,
    maxInFlight: patch.max_in_flight,
    ordered: patch.ordered,
    orderKey: patch.order_key,
    circuit: patch.circuit,
    lane: patch.lane,
    signature: patch.signature,
    metadata: patch.metadata,
    verifiedAt: patch.url === undefined ? undefined : null,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

/**
 * The headers that a PATCH leaves. `[redacted]` keeps the value stored under that name.
 * @throws DomainError `validation_failed` where there is none to keep
 */
export function mergedHeaders(
  stored: Record<string, string>,
  patch: Record<string, string>,
): Record<string, string> {
  const byName = new Map(Object.entries(stored).map(([name, value]) => [name.toLowerCase(), value]));
  const errors = Object.entries(patch)
    .filter(([name, value]) => value === REDACTED && !byName.has(name.toLowerCase()))
    .map(([name]) => ({ field: `headers.${name}`, message: 'has no stored value to keep' }));
  if (errors.length > 0) throw new DomainError('validation_failed', 'Headers are not valid.', errors);
  return Object.fromEntries(
    Object.entries(patch).map(([name, value]) => [
      name,
      value === REDACTED ? (byName.get(name.toLowerCase()) ?? '') : value,
    ]),
  );
}

/** What a new endpoint stores, its headers aside. */
export function newSettings(input: CreateEndpoint): Omit<EndpointSettings, 'headers' | 'lane'> {
  return {
    url: input.url,
    description: input.description,
    eventTypes: input.event_types,
    filter: input.filter,
    timeoutMs: input.timeout_ms,
    retry: input.retry as RetryPolicy,
    rateLimit: input.rate_limit as EndpointSettings['rateLimit'],
    maxInFlight: input.max_in_flight,
    ordered: input.ordered,
    orderKey: input.order_key,
    circuit: input.circuit,
    signature: input.signature as SignaturePolicy,
    metadata: input.metadata,
  };
}
