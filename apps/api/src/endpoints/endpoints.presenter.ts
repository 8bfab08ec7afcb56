import { redactHeaders } from '@hookstream/domain';
import type { EndpointRecord } from '@hookstream/persistence';
import type { EndpointAnswer } from './dto/endpoint.dto.js';

/** @param headers decrypted; those that look like credentials are redacted here. */
export function presentEndpoint(endpoint: EndpointRecord, headers: Record<string, string>): EndpointAnswer {
  return {
    id: endpoint.id,
    type: 'http',
    url: endpoint.url,
    description: endpoint.description,
    event_types: endpoint.eventTypes,
    filter: endpoint.filter,
    headers: redactHeaders(headers),
    timeout_ms: endpoint.timeoutMs,
    retry: endpoint.retry,
    rate_limit: endpoint.rateLimit,
    max_in_flight: endpoint.maxInFlight,
    ordered: endpoint.ordered,
    order_key: endpoint.orderKey,
    circuit: endpoint.circuit,
    lane: endpoint.lane,
    signature: endpoint.signature,
    metadata: endpoint.metadata,
    status: endpoint.status,
    disabled_reason: endpoint.disabledReason,
    circuit_state: endpoint.circuitState,
    verified_at: endpoint.verifiedAt?.toISOString() ?? null,
    created_at: endpoint.createdAt.toISOString(),
    updated_at: endpoint.updatedAt.toISOString(),
  };
}
