import { randomBytes } from 'node:crypto';
import { idToUuid } from '@hookstream/domain';
import type { LoadedDelivery, LoadedEndpoint } from '@hookstream/persistence';
import type { DeliveryActivityDeps, OutgoingMessage } from './delivery-activity-deps.js';

/**
 * The request of one attempt: the stored bytes, signed now. Our own headers win over the endpoint's of the same name.
 * @throws DomainError `decryption_failed`: our keys are wrong, which is never the endpoint's failure.
 */
export function attemptRequest(
  deps: Pick<DeliveryActivityDeps, 'decrypt' | 'signer' | 'userAgent' | 'now'>,
  delivery: LoadedDelivery & { endpoint: LoadedEndpoint; payload: string },
  attemptNumber: number,
): Omit<OutgoingMessage, 'signal'> {
  const { endpoint, payload } = delivery;
  const secrets = endpoint.encryptedSecrets.map((ciphertext) =>
    deps.decrypt(ciphertext, delivery.endpointId),
  );
  const timestamp = Math.floor(deps.now() / 1000);
  const own = endpoint.encryptedHeaders
    ? (JSON.parse(deps.decrypt(endpoint.encryptedHeaders, delivery.endpointId)) as Record<string, string>)
    : {};
  return {
    url: endpoint.url,
    body: payload,
    timeoutMs: endpoint.timeoutMs,
    headers: {
      ...lowerCased(own),
      'content-type': 'application/json',
      'user-agent': deps.userAgent,
      'hookstream-delivery-id': delivery.deliveryId,
      'hookstream-attempt': String(attemptNumber),
      traceparent: traceparent(delivery.eventId),
      ...lowerCased(
        deps.signer.headers({ id: delivery.eventId, timestamp, body: payload }, secrets, endpoint.signature),
      ),
    },
  };
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** W3C Trace Context: one trace an event, one span an attempt. */
function traceparent(eventId: string): string {
  return `00-${idToUuid('event', eventId).replaceAll('-', '')}-${randomBytes(8).toString('hex')}-01`;
}
