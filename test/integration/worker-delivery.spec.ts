// Real: a worker as its process runs it, Postgres, Temporal, the HTTP client and the receiver.
// Proves what a receiver gets and what its answers mean.
import { createHmac } from 'node:crypto';
import { SYSTEM_ACTOR } from '@hookstream/domain';
import { generateSecret, publicKeyOf } from '@hookstream/signing';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { useWorkers } from './worker-fixture.js';

describe.each(['durable', 'express'] as const)('a delivery by the worker in the %s lane', (lane) => {
  const here = useWorkers({ lane });

  it('sends the exact stored bytes with the headers of the standard, verified by both libraries', async () => {
    const secret = generateSecret('v1');
    const endpoint = await here.store.endpoint(here.url(), { secret });
    const dataText = '{ "id":9007199254740993, "price": 1.10, "name":"Zoë 🎉", "esc":"\\u0041\\/" }';
    const { deliveryId, eventId } = await here.store.acceptOne(endpoint, { dataText });
    const [request] = await here.receives(1);
    const body = request?.body.toString('utf8') ?? '';
    const { created_at } = await here.store.delivery(deliveryId);
    expect(body).toBe(`{"type":"order.paid","timestamp":"${created_at.toISOString()}","data":${dataText}}`);
    const headers = request?.headers ?? {};
    expect(request?.method).toBe('POST');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': eventId,
      'hookstream-delivery-id': deliveryId,
      'hookstream-attempt': '1',
      'user-agent': expect.stringMatching(/^Hookstream\/\d/),
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
    expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
    expect(() => new SvixWebhook(secret).verify(body, headers)).not.toThrow();
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
    const delivery = await here.settled(deliveryId, 'succeeded');
    expect(delivery).toMatchObject({ lane, attempt_count: 1, last_status_code: 200, next_attempt_at: null });
    await here.leavesOutbox(deliveryId);
  });

  it('signs with both secrets while one replaces the other', async () => {
    const [older, newer] = [generateSecret('v1'), generateSecret('v1')];
    const endpoint = await here.store.endpoint(here.url(), { secret: older });
    await here.store.endpoints.rotateSecret(
      here.store.tenantId,
      endpoint.id,
      here.store.newSecret(endpoint.id, newer),
      3_600,
      SYSTEM_ACTOR,
    );
    await here.store.acceptOne(endpoint);
    const [request] = await here.receives(1);
    const body = request?.body.toString('utf8') ?? '';
    const headers = request?.headers ?? {};
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const secret of [older, newer]) {
      expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
      expect(() => new SvixWebhook(secret).verify(body, headers)).not.toThrow();
    }
  });

  it('signs with ed25519 where the endpoint asks for it', async () => {
    const secret = generateSecret('v1a');
    const endpoint = await here.store.endpoint(here.url(), { secret, signature: { scheme: 'v1a' } });
    await here.store.acceptOne(endpoint);
    const [request] = await here.receives(1);
    expect(request?.headers['webhook-signature']).toMatch(/^v1a,/);
    const body = request?.body.toString('utf8') ?? '';
    expect(await verifiesEd25519(publicKeyOf(secret), request?.headers ?? {}, body)).toBe(true);
    expect(await verifiesEd25519(publicKeyOf(secret), request?.headers ?? {}, `${body} `)).toBe(false);
  });

  it("adds the compatible header and the endpoint's own, and lets nobody replace ours", async () => {
    const secret = generateSecret('v1');
    const endpoint = await here.store.endpoint(here.url(), {
      secret,
      headers: {
        'X-Tenant': 'acme',
        Authorization: 'Bearer t0ken',
        'Webhook-Id': 'forged',
        'User-Agent': 'forged',
      },
      signature: {
        scheme: 'v1',
        compat: { header: 'X-Hookstream-Signature', encoding: 'hex', prefix: 'sha256=' },
      },
    });
    const { deliveryId, eventId } = await here.store.acceptOne(endpoint);
    const [request] = await here.receives(1);
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const hmac = createHmac('sha256', key)
      .update(request?.body ?? '')
      .digest('hex');
    expect(request?.headers).toMatchObject({
      'x-hookstream-signature': `sha256=${hmac}`,
      'x-tenant': 'acme',
      authorization: 'Bearer t0ken',
      'webhook-id': eventId,
      'user-agent': expect.stringMatching(/^Hookstream/),
    });
    await here.settled(deliveryId, 'succeeded');
    const { rows } = await here.store.database.pool.query<{ request_headers: Record<string, string> }>(
      `SELECT request_headers FROM attempts WHERE request_url = $1`,
      [here.url()],
    );
    expect(rows[0]?.request_headers).toMatchObject({ authorization: '[redacted]', 'webhook-id': eventId });
  });

  it('retries by the schedule, with the same id and a new attempt number, until it succeeds', async () => {
    here.answer([{ status: 500 }, { status: 503 }, { status: 204 }]);
    const endpoint = await here.store.endpoint(here.url());
    const { deliveryId, eventId } = await here.store.acceptOne(endpoint);
    const requests = await here.receives(3);
    expect(requests.map(({ headers }) => headers['hookstream-attempt'])).toEqual(['1', '2', '3']);
    expect([...here.webhookIds]).toEqual([eventId]);
    const trace = (i: number) => requests[i]?.headers['traceparent']?.split('-') ?? [];
    expect(trace(1)[1]).toBe(trace(0)[1]);
    expect(trace(1)[2]).not.toBe(trace(0)[2]);
    await here.settled(deliveryId, 'succeeded');
    expect((await here.store.attempts(deliveryId)).map(({ outcome }) => outcome)).toEqual([
      'http_error',
      'http_error',
      'succeeded',
    ]);
  });

  it('lets Retry-After postpone the next attempt', async () => {
    here.answer({ status: 429, headers: { 'retry-after': '600' } });
    const endpoint = await here.store.endpoint(here.url());
    const before = Date.now();
    const { deliveryId } = await here.store.acceptOne(endpoint);
    const { next_attempt_at } = await here.settled(deliveryId, 'retrying');
    const postponed = (next_attempt_at?.getTime() ?? 0) - before;
    expect(postponed).toBeGreaterThanOrEqual(600_000);
    expect(postponed).toBeLessThan(620_000);
  });

  it('stops at a 410 and disables the endpoint, holding what follows', async () => {
    here.answer({ status: 410 });
    const endpoint = await here.store.endpoint(here.url());
    const { deliveryId } = await here.store.acceptOne(endpoint);
    await here.settled(deliveryId, 'dead_letter');
    expect(await here.store.statusOf(endpoint)).toBe('disabled');
    expect(here.received()).toHaveLength(1);
  });

  it('makes a dead letter of what no attempt delivers, and delivers it at a replay', async () => {
    here.answer([{ status: 500 }, { status: 500 }, { status: 200 }]);
    const endpoint = await here.store.endpoint(here.url(), { retry: { delays_ms: [50], jitter: 0 } });
    const { deliveryId, eventId } = await here.store.acceptOne(endpoint);
    await here.settled(deliveryId, 'dead_letter');
    expect(here.received()).toHaveLength(2);
    await here.instance.starter.signalReplay({
      deliveryId,
      eventId,
      tenantId: here.store.tenantId,
      endpointId: endpoint.id,
      eventType: 'order.paid',
      endpointHost: '127.0.0.1',
      lane: 'durable',
      attemptsMade: 2,
      scheduleStep: 0,
      trigger: 'replay',
      expiresAt: Date.now() + 86_400_000,
    });
    const delivery = await here.settled(deliveryId, 'succeeded');
    expect(delivery).toMatchObject({ attempt_count: 3, schedule_step: 1 });
    expect((await here.store.attempts(deliveryId)).map(({ trigger }) => trigger)).toEqual([
      'schedule',
      'schedule',
      'replay',
    ]);
  });

  it('does not deliver before its time', async () => {
    const endpoint = await here.store.endpoint(here.url());
    const deliverAt = new Date(Date.now() + 700);
    const { deliveryId } = await here.store.acceptOne(endpoint, { deliverAt });
    await here.settled(deliveryId, 'succeeded');
    expect(here.received()[0]?.receivedAt).toBeGreaterThanOrEqual(deliverAt.getTime());
  });

  it('refuses an address that is not allowed, as an outcome of the endpoint', async () => {
    const endpoint = await here.store.endpoint('http://10.1.2.3/', { retry: { delays_ms: [] } });
    const { deliveryId } = await here.store.acceptOne(endpoint);
    const delivery = await here.settled(deliveryId, 'dead_letter');
    expect(delivery.last_outcome).toBe('blocked_address');
  });
});

/** By the standard's text alone: base64 of ed25519 over `id.timestamp.body`. */
async function verifiesEd25519(
  publicKey: string,
  headers: Record<string, string>,
  body: string,
): Promise<boolean> {
  const key = await crypto.subtle.importKey(
    'raw',
    Buffer.from(publicKey.replace('whpk_', ''), 'base64'),
    { name: 'Ed25519' },
    false,
    ['verify'],
  );
  const content = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  const signature = Buffer.from(headers['webhook-signature']?.replace('v1a,', '') ?? '', 'base64');
  return crypto.subtle.verify({ name: 'Ed25519' }, key, signature, content);
}
