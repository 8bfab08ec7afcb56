// Real: the whole instance as npm start runs it and a receiver on loopback. What it gets is verified by the packages that
// receivers use (standardwebhooks, svix), and where those know no public keys by node:crypto alone: never by our own code.
import { createHmac, createPublicKey, verify as verifyWithKey } from 'node:crypto';
import { TestReceiver, type ReceivedRequest } from '@hookstream/testing';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { createEndpoint, deliverTo, deliveryThat } from './api-objects.js';
import { StandaloneInstance } from './standalone-instance.js';

const START_MS = 120_000;
/** Numbers beyond double precision, notations, escapes, spaces and order that a parser would not give back. */
const DATA =
  '{ "z": 1.0, "a": [1e3,  12345678901234567890 ], "text":"\\u00e9\\/é 😀 \\"quoted\\"", "nested" : {"": null} }';

let instance: StandaloneInstance;
let receiver: TestReceiver;

beforeAll(async () => {
  receiver = await TestReceiver.start();
  instance = await StandaloneInstance.start();
}, START_MS);
afterAll(async () => {
  await instance?.stop();
  await receiver?.close();
}, START_MS);

const verifiers: [string, (secret: string) => Pick<StandardWebhook, 'verify'>][] = [
  ['standardwebhooks', (secret) => new StandardWebhook(secret)],
  ['svix', (secret) => new SvixWebhook(secret)],
];

function isVerified(secret: string, { body, headers }: Pick<ReceivedRequest, 'body' | 'headers'>): boolean {
  const answers = verifiers.map(([, create]) => {
    try {
      create(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  });
  if (new Set(answers).size !== 1) throw new Error('the two packages do not agree');
  return answers[0] === true;
}

/** Verifies by the text of Standard Webhooks: ed25519 over `id.timestamp.body`, the raw public key after `whpk_`. */
function isVerifiedByPublicKey(publicKey: string, { body, headers }: ReceivedRequest): boolean {
  const x = Buffer.from(publicKey.replace(/^whpk_/, ''), 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const content = Buffer.concat([
    Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`),
    body,
  ]);
  return (headers['webhook-signature'] ?? '')
    .split(' ')
    .filter((entry) => entry.startsWith('v1a,'))
    .some((entry) => verifyWithKey(null, content, key, Buffer.from(entry.slice('v1a,'.length), 'base64')));
}

async function received(path: string, endpointId: string): Promise<ReceivedRequest> {
  const before = receiver.requestsTo(path).length;
  await deliverTo(instance, endpointId);
  return (await receiver.waitForRequests(path, before + 1)).at(-1) as ReceivedRequest;
}

describe('v1', () => {
  it('verifies with standardwebhooks and svix, over the very bytes of the caller', async () => {
    const endpoint = await createEndpoint(instance, receiver.url('/v1'));
    expect(endpoint.secret).toMatch(/^whsec_[A-Za-z0-9+/]+={0,2}$/);
    const { api_url, api_key } = instance.file;
    const answer = await fetch(`${api_url}/api/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${api_key}`, 'content-type': 'application/json' },
      body: `{"type":"order.paid","endpoint_ids":["${endpoint.id}"],"data": ${DATA} }`,
    });
    const event = (await answer.json()) as { id: string; created_at: string };
    expect(answer.status).toBe(202);

    const [request] = (await receiver.waitForRequests('/v1', 1)) as [ReceivedRequest];
    expect(request.body.toString('utf8')).toBe(
      `{"type":"order.paid","timestamp":"${event.created_at}","data":${DATA}}`,
    );
    expect(request.headers['webhook-id']).toBe(event.id);
    expect(isVerified(endpoint.secret, request)).toBe(true);
    const changed = Buffer.from(request.body.toString().replace('1e3', '1e4'));
    expect(isVerified(endpoint.secret, { ...request, body: changed })).toBe(false);
  });

  it('comes with the headers that receivers are promised', async () => {
    const endpoint = await createEndpoint(instance, receiver.url('/headers'), {
      headers: { 'X-Own': 'mine', 'User-Agent-Note': 'kept' },
    });
    const { method, headers, receivedAt } = await received('/headers', endpoint.id);
    expect(method).toBe('POST');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Hookstream\/\d/) as unknown,
      'hookstream-delivery-id': expect.stringMatching(/^dlv_/) as unknown,
      'hookstream-attempt': '1',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) as unknown,
      'x-own': 'mine',
      'user-agent-note': 'kept',
    });
    expect(Math.abs(Number(headers['webhook-timestamp']) - receivedAt / 1_000)).toBeLessThan(10);
  });

  it('signs a retry anew, under the same webhook-id', async () => {
    receiver.on('/retried', [{ status: 500 }, {}]);
    const endpoint = await createEndpoint(instance, receiver.url('/retried'), {
      retry: { delays_ms: [1_100], jitter: 0 },
    });
    const id = await deliverTo(instance, endpoint.id);
    await deliveryThat(instance, id, ({ status }) => status === 'succeeded');
    const [first, second] = receiver.requestsTo('/retried') as [ReceivedRequest, ReceivedRequest];
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(Number(second.headers['webhook-timestamp'])).toBeGreaterThan(
      Number(first.headers['webhook-timestamp']),
    );
    for (const request of [first, second]) expect(isVerified(endpoint.secret, request)).toBe(true);
  });

  it('is signed with a secret of each endpoint’s own', async () => {
    const one = await createEndpoint(instance, receiver.url('/one'));
    const other = await createEndpoint(instance, receiver.url('/other'));
    const request = await received('/one', one.id);
    expect(isVerified(one.secret, request)).toBe(true);
    expect(isVerified(other.secret, request)).toBe(false);
  });
});

it('v1a verifies with the public key that the answer held', async () => {
  const endpoint = await createEndpoint(instance, receiver.url('/v1a'), { signature: { scheme: 'v1a' } });
  expect(endpoint.secret).toMatch(/^whsk_/);
  expect(endpoint.public_key).toMatch(/^whpk_/);
  const request = await received('/v1a', endpoint.id);
  expect(request.headers['webhook-signature']).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
  expect(isVerifiedByPublicKey(endpoint.public_key as string, request)).toBe(true);
  const other = await createEndpoint(instance, receiver.url('/v1a'), { signature: { scheme: 'v1a' } });
  expect(isVerifiedByPublicKey(other.public_key as string, request)).toBe(false);
});

describe('rotate-secret', () => {
  const rotate = async (id: string, overlapSeconds: number): Promise<string> => {
    const answer = await instance.call<{ secret: string }>('POST', `/endpoints/${id}/rotate-secret`, {
      overlap_seconds: overlapSeconds,
    });
    expect(answer.status).toBe(200);
    return answer.body.secret;
  };

  it('lets both secrets sign until the overlap ends', async () => {
    const endpoint = await createEndpoint(instance, receiver.url('/rotated'));
    const fresh = await rotate(endpoint.id, 3_600);
    const during = await received('/rotated', endpoint.id);
    expect(during.headers['webhook-signature']?.split(' ')).toHaveLength(2);
    expect(isVerified(endpoint.secret, during)).toBe(true);
    expect(isVerified(fresh, during)).toBe(true);

    const freshest = await rotate(endpoint.id, 0);
    const after = await received('/rotated', endpoint.id);
    expect(after.headers['webhook-signature']?.split(' ')).toHaveLength(1);
    expect([endpoint.secret, fresh, freshest].map((secret) => isVerified(secret, after))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('moves an endpoint from a shared secret to a key pair, both signing meanwhile', async () => {
    const endpoint = await createEndpoint(instance, receiver.url('/moved'));
    await instance.call('PATCH', `/endpoints/${endpoint.id}`, { signature: { scheme: 'v1a' } });
    const { body } = await instance.call<{ public_key: string }>(
      'POST',
      `/endpoints/${endpoint.id}/rotate-secret`,
    );
    const request = await received('/moved', endpoint.id);
    expect(isVerified(endpoint.secret, request)).toBe(true);
    expect(isVerifiedByPublicKey(body.public_key, request)).toBe(true);
  });
});

it.each<[string, Record<string, string>, (hmac: Buffer) => string]>([
  [
    'the usual one',
    { header: 'X-Hookstream-Signature', encoding: 'hex', prefix: 'sha256=' },
    (hmac) => `sha256=${hmac.toString('hex')}`,
  ],
  ['a named one', { header: 'X-Shop-Hmac', encoding: 'base64' }, (hmac) => hmac.toString('base64')],
])('a compatible second header signs the body alone: %s', async (_name, compat, expected) => {
  const path = `/compat/${compat['encoding']}`;
  const endpoint = await createEndpoint(instance, receiver.url(path), {
    signature: { scheme: 'v1', compat },
  });
  const request = await received(path, endpoint.id);
  const key = Buffer.from(endpoint.secret.replace(/^whsec_/, ''), 'base64');
  const hmac = createHmac('sha256', key).update(request.body).digest();
  expect(request.headers[(compat['header'] as string).toLowerCase()]).toBe(expected(hmac));
  expect(isVerified(endpoint.secret, request)).toBe(true);
});

it('a secret is shown once', async () => {
  const endpoint = await createEndpoint(instance, receiver.url('/shown'));
  for (const path of [`/endpoints/${endpoint.id}`, '/endpoints?limit=200']) {
    const { body } = await instance.call('GET', path);
    expect(JSON.stringify(body)).toContain(endpoint.id);
    expect(JSON.stringify(body)).not.toContain(endpoint.secret.slice('whsec_'.length));
  }
});
