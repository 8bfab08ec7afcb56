import { callerSampled, spanIdOf, traceIdOf } from '@hookstream/observability';
import type { LoadedDelivery, LoadedEndpoint } from '@hookstream/persistence';
import type { SigningKey } from '@hookstream/signing';
import type { DeliveryActivityDeps, OutgoingMessage } from './delivery-activity-deps.js';

/**
 * The request of one attempt: the stored bytes, signed now. Our own headers win over the endpoint's of the same name.
 * @throws DomainError `decryption_failed`: our keys are wrong, which is never the endpoint's failure.
 */
export function attemptRequest(
  deps: Pick<DeliveryActivityDeps, 'decrypt' | 'signer' | 'userAgent' | 'now' | 'tracing'>,
  delivery: LoadedDelivery & { endpoint: LoadedEndpoint; payload: string },
  { attemptId, number }: { attemptId: string; number: number },
): Omit<OutgoingMessage, 'signal'> {
  const { endpoint, payload } = delivery;
  const { keys, ownHeaders } = openedOf(deps, endpoint, delivery.endpointId);
  const timestamp = Math.floor(deps.now() / 1000);
  return {
    url: endpoint.url,
    owner: delivery.endpointId,
    body: Buffer.from(payload),
    timeoutMs: endpoint.timeoutMs,
    headers: {
      ...ownHeaders,
      'content-type': 'application/json',
      'user-agent': deps.userAgent,
      'hookstream-delivery-id': delivery.deliveryId,
      'hookstream-attempt': String(number),
      traceparent: traceparent(deps, delivery, attemptId),
      ...deps.signer.headers({ id: delivery.eventId, timestamp, body: payload }, keys, endpoint.signature),
    },
  };
}

interface Opened {
  keys: SigningKey[];
  ownHeaders: Record<string, string>;
}

/** By the endpoint as it was loaded: deliveries that were claimed together share it, and what was opened is forgotten with it. */
const opened = new WeakMap<LoadedEndpoint, Opened>();

function openedOf(
  { decrypt, signer }: Pick<DeliveryActivityDeps, 'decrypt' | 'signer'>,
  endpoint: LoadedEndpoint,
  endpointId: string,
): Opened {
  const known = opened.get(endpoint);
  if (known !== undefined) return known;
  const { encryptedSecrets, encryptedHeaders } = endpoint;
  const own = encryptedHeaders
    ? (JSON.parse(decrypt(encryptedHeaders, endpointId)) as Record<string, string>)
    : {};
  const result = {
    keys: signer.keysOf(encryptedSecrets.map((ciphertext) => decrypt(ciphertext, endpointId))),
    ownHeaders: lowerCased(own),
  };
  opened.set(endpoint, result);
  return result;
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const name in headers) lower[name.toLowerCase()] = headers[name] as string;
  return lower;
}

/**
 * W3C Trace Context: the trace of the event, the span of the attempt. Where this process sends no spans, nobody has decided against the trace but
 * the application.
 */
function traceparent(
  { tracing }: Pick<DeliveryActivityDeps, 'tracing'>,
  delivery: LoadedDelivery,
  attemptId: string,
): string {
  const sampled = tracing
    ? tracing.samples(delivery)
    : delivery.traceparent === null || callerSampled(delivery.traceparent);
  return `00-${traceIdOf(delivery)}-${spanIdOf('attempt', attemptId)}-${sampled ? '01' : '00'}`;
}
