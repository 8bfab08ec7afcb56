import { eventually } from '@hookstream/testing';
import type { ApiCaller } from './api-client.js';

/** Answers of the API, as far as these suites read them. */
export interface EndpointObject {
  id: string;
  status: string;
  disabled_reason: string | null;
  verified_at: string | null;
  headers: Record<string, string>;
}

export interface CreatedEndpointObject extends EndpointObject {
  secret: string;
  public_key?: string;
}

export interface AttemptObject {
  id: string;
  number: number;
  started_at: string;
  outcome: string;
  status_code: number | null;
  error: string | null;
  request: { url: string; headers: Record<string, string> };
  response: { headers: Record<string, string>; body: string; truncated: boolean } | null;
  next_attempt_at: string | null;
  trigger: string;
}

export interface DeliveryObject {
  id: string;
  event_id: string;
  endpoint_id: string;
  status: string;
  attempt_count: number;
  next_attempt_at: string | null;
  last_outcome: string | null;
  last_status_code: number | null;
  completed_at: string | null;
}

export interface DeliveryDetailObject extends DeliveryObject {
  attempts: AttemptObject[];
  temporal_url: string;
}

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export async function createEndpoint(
  instance: ApiCaller,
  url: string,
  settings: Record<string, unknown> = {},
): Promise<CreatedEndpointObject> {
  const answer = await instance.call<CreatedEndpointObject>('POST', '/endpoints', { url, ...settings });
  if (answer.status !== 201) throw new Error(`no endpoint: ${JSON.stringify(answer)}`);
  return answer.body;
}

/** Posts an event for one endpoint and answers its delivery's id. */
export async function deliverTo(
  instance: ApiCaller,
  endpointId: string,
  event: Record<string, unknown> = {},
): Promise<string> {
  const accepted = await instance.call<{ id: string }>('POST', '/events', {
    type: 'order.paid',
    data: { order_id: 'o-1' },
    ...event,
    endpoint_ids: [endpointId],
  });
  if (accepted.status !== 202) throw new Error(`not accepted: ${JSON.stringify(accepted)}`);
  const { body } = await instance.call<Page<DeliveryObject>>(
    'GET',
    `/deliveries?event_id=${accepted.body.id}`,
  );
  return (body.data[0] as DeliveryObject).id;
}

export async function getDelivery(instance: ApiCaller, id: string): Promise<DeliveryDetailObject> {
  return (await instance.call<DeliveryDetailObject>('GET', `/deliveries/${id}`)).body;
}

/** Waits until the delivery is as wanted. @throws Error showing it as it is instead */
export async function deliveryThat(
  instance: ApiCaller,
  id: string,
  is: (delivery: DeliveryDetailObject) => boolean,
  timeoutMs = 15_000,
): Promise<DeliveryDetailObject> {
  return eventually(
    async () => {
      const delivery = await getDelivery(instance, id);
      if (!is(delivery)) throw new Error(`the delivery stays ${JSON.stringify(delivery)}`);
      return delivery;
    },
    { timeoutMs },
  );
}
