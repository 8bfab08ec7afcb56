// Real: API on a socket, Postgres. Every refusal is checked against the contract's problem+json, and nothing is stored.
import { connect } from 'node:net';
import { newId, OPERATIONAL_EVENT_TYPES } from '@hookstream/domain';
import { OPERATOR_TOKEN, startTestApi, type TestApi, type TestTenant } from './api-fixture.js';

const url = 'https://example.com/hooks';

describe('requests that are not valid', () => {
  let api: TestApi;
  let tenant: TestTenant;
  beforeAll(async () => {
    api = await startTestApi();
    tenant = await api.createTenant();
  });
  afterAll(() => api.close());

  const nothingStored = async (): Promise<void> => {
    const [row] = await api.rows(
      `SELECT (SELECT count(*)::int FROM events) AS events, (SELECT count(*)::int FROM endpoints) AS endpoints,
              (SELECT count(*)::int FROM idempotency_keys) AS keys, (SELECT count(*)::int FROM tenants) AS tenants,
              (SELECT count(*)::int FROM api_keys) AS api_keys`,
    );
    expect(row).toEqual({ events: 0, endpoints: 0, keys: 0, tenants: 1, api_keys: 1 });
  };
  const fields = (answer: { body: { errors?: { field: string }[] } }): string[] =>
    (answer.body.errors ?? []).map((error) => error.field).sort();

  it.each<[string, unknown, string[]]>([
    ['nothing', {}, ['data', 'type']],
    ['an array', [], ['body']],
    ['a string', '"x"', ['body']],
    ['no body', undefined, ['body']],
    ['a wrong type', { type: 5, data: 1 }, ['type']],
    ['a type with a space', { type: 'a b', data: 1 }, ['type']],
    ['a type with an empty part', { type: 'a..b', data: 1 }, ['type']],
    ['a type that is too long', { type: 'a'.repeat(129), data: 1 }, ['type']],
    ['unknown fields', { type: 'a', data: 1, foo: 1, bar: 2 }, ['bar', 'foo']],
    ['__proto__', '{"type":"a","data":1,"__proto__":{"x":1}}', ['__proto__']],
    [
      'endpoint_ids of another kind',
      { type: 'a', data: 1, endpoint_ids: [newId('event')] },
      ['endpoint_ids.0'],
    ],
    ['endpoint_ids empty', { type: 'a', data: 1, endpoint_ids: [] }, ['endpoint_ids']],
    ['a deliver_at that is no time', { type: 'a', data: 1, deliver_at: 'tomorrow' }, ['deliver_at']],
    [
      'a deliver_at without a zone',
      { type: 'a', data: 1, deliver_at: '2026-01-01T00:00:00' },
      ['deliver_at'],
    ],
    ['an unknown lane', { type: 'a', data: 1, lane: 'fast' }, ['lane']],
  ])('POST /events with %s', async (_what, body, expected) => {
    const answer = await api.call('POST', '/events', { token: tenant.key, body });
    expect([answer.status, fields(answer)]).toEqual([422, expected]);
    await nothingStored();
  });

  it.each(OPERATIONAL_EVENT_TYPES)('POST /events with %s, which Hookstream alone sends', async (type) => {
    const body = { type, data: { endpoint_id: newId('endpoint') } };
    const answer = await api.call('POST', '/events', { token: tenant.key, body });
    expect([answer.status, fields(answer)]).toEqual([422, ['type']]);
    const batch = await api.call('POST', '/events/batch', { token: tenant.key, body: [body] });
    expect(batch.body.data).toMatchObject([{ status: 422, error: { errors: [{ field: 'type' }] } }]);
    await nothingStored();
  });

  it.each<[string, object, string[]]>([
    ['nothing', {}, ['url']],
    ['a relative url', { url: '/hooks' }, ['url']],
    ['another scheme', { url: 'ftp://example.com' }, ['url']],
    ['userinfo', { url: 'https://user:secret@example.com' }, ['url']],
    ['an unknown field', { url, colour: 'red' }, ['colour']],
    ['a filter that is empty', { url, filter: {} }, ['filter.op', 'filter.path']],
    ['an order key that is no path', { url, ordered: true, order_key: 'customer.id' }, ['order_key']],
    ['a pattern that is none', { url, event_types: ['order.*.x'] }, ['event_types.0']],
    ['a header name with a space', { url, headers: { 'a b': 'x' } }, ['headers.a b']],
    ['a header that is ours', { url, headers: { 'Webhook-Id': 'x' } }, ['headers.Webhook-Id']],
    ['a header with a line break', { url, headers: { a: 'x\r\ny: z' } }, ['headers.a']],
    ['a timeout that is too short', { url, timeout_ms: 999 }, ['timeout_ms']],
    ['a timeout that is too long', { url, timeout_ms: 60_001 }, ['timeout_ms']],
    ['a fraction of a millisecond', { url, timeout_ms: 1000.5 }, ['timeout_ms']],
    ['a negative delay', { url, retry: { delays_ms: [1, -1] } }, ['retry.delays_ms.1']],
    [
      'too many delays',
      { url, retry: { delays_ms: Array.from({ length: 51 }, () => 1) } },
      ['retry.delays_ms'],
    ],
    ['an unknown preset', { url, retry: { preset: 'never' } }, ['retry.preset']],
    [
      'half a strategy',
      { url, retry: { strategy: 'fixed', base_ms: -1 } },
      ['retry.base_ms', 'retry.max_attempts'],
    ],
    ['a jitter over 1', { url, retry: { preset: 'fast', jitter: 1.1 } }, ['retry.jitter']],
    ['a rate of 0', { url, rate_limit: { per_second: 0 } }, ['rate_limit.per_second']],
    ['max_in_flight of 0', { url, max_in_flight: 0 }, ['max_in_flight']],
    ['a circuit below 0', { url, circuit: { failure_threshold: -1 } }, ['circuit.failure_threshold']],
    ['a scheme of signature that is none', { url, signature: { scheme: 'v2' } }, ['signature.scheme']],
    [
      'a compatible header that is ours',
      { url, signature: { compat: { header: 'webhook-signature', encoding: 'hex' } } },
      ['signature.compat.header'],
    ],
    ['metadata with NUL', { url, metadata: { a: 'x\0' } }, ['metadata.a']],
    ['metadata that is nested', { url, metadata: { a: {} } }, ['metadata.a']],
    ['half a surrogate pair', { url, description: '\ud800' }, ['description']],
    ['several at once', { url: 5, timeout_ms: 'x', lane: 'y' }, ['lane', 'timeout_ms', 'url']],
    [
      'a value to keep where none is',
      { url, headers: { Authorization: '[redacted]' } },
      ['headers.Authorization'],
    ],
  ])('POST /endpoints with %s', async (_what, body, expected) => {
    const answer = await api.call('POST', '/endpoints', { token: tenant.key, body });
    expect([answer.status, fields(answer)]).toEqual([422, expected]);
    await nothingStored();
  });

  it.each<[string, string, string[]]>([
    ['/events?limit=0', 'limit', ['limit']],
    ['/events?limit=201', 'limit', ['limit']],
    ['/events?limit=x', 'limit', ['limit']],
    ['/events?cursor=x', 'cursor', ['cursor']],
    [`/events?cursor=${newId('delivery')}`, 'cursor of another kind', ['cursor']],
    ['/events?foo=1&limit=0', 'unknown', ['foo', 'limit']],
    ['/events?since=yesterday', 'since', ['since']],
    ['/events?type=a%20b', 'type', ['type']],
    ['/deliveries?status=done', 'status', ['status']],
    ['/deliveries?endpoint_id=x&event_id=y', 'ids', ['endpoint_id', 'event_id']],
    ['/deliveries?status=pending&status=retrying', 'twice', ['status']],
    ['/dead-letter?status=pending', 'unknown', ['status']],
    ['/endpoints?x=1', 'unknown', ['x']],
    ['/api-keys?x=1', 'unknown', ['x']],
  ])('GET %s (%s)', async (path, _what, expected) => {
    const answer = await api.call('GET', path, { token: tenant.key });
    expect([answer.status, fields(answer)]).toEqual([422, expected]);
  });

  it.each([
    ['POST', '/tenants', { name: '' }, ['name']],
    ['POST', '/tenants', { name: 'a', x: 1 }, ['x']],
  ])('%s %s %j', async (method, path, body, expected) => {
    const answer = await api.call(method, path, { token: OPERATOR_TOKEN, body });
    expect([answer.status, fields(answer)]).toEqual([422, expected]);
    await nothingStored();
  });

  it.each([
    [{ name: 'k', scopes: [] }, ['scopes']],
    [{ name: 'k', scopes: ['events:delete'] }, ['scopes.0']],
    [{ name: 'k', expires_at: '2020-01-01T00:00:00Z' }, ['expires_at']],
    [{ name: 'k', mode: 'prod' }, ['mode']],
  ])('POST /api-keys %j', async (body, expected) => {
    const answer = await api.call('POST', '/api-keys', { token: tenant.key, body });
    expect([answer.status, fields(answer)]).toEqual([422, expected]);
    await nothingStored();
  });

  it.each([
    ['a'.repeat(256), 'too long'],
    ['é', 'not ASCII'],
    ['', 'empty'],
    ['a\tb', 'not printable'],
  ])('an Idempotency-Key %s', async (key) => {
    const answer = await api.call('POST', '/events', {
      token: tenant.key,
      body: { type: 'a', data: 1 },
      headers: { 'idempotency-key': key },
    });
    expect([answer.status, fields(answer)]).toEqual([422, ['Idempotency-Key']]);
    await nothingStored();
  });

  it.each<[string, string | Uint8Array]>([
    ['cut off', '{"type":"a"'],
    ['two values', '{} {}'],
    ['a byte order mark', '\ufeff{"type":"a","data":1}'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['UTF-16', Buffer.from('{"type":"a","data":1}', 'utf16le')],
    ['NaN', '{"type":"a","data":NaN}'],
  ])('answers 400 to broken JSON: %s', async (_what, body) => {
    const answer = await api.call('POST', '/events', { token: tenant.key, body });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    await nothingStored();
  });

  it('does not repeat the text around a fault, which may hold secrets', async () => {
    const answer = await api.call('POST', '/events', { token: tenant.key, body: '{"type":"s3cr3t-token' });
    expect(answer.text).not.toContain('s3cr3t');
  });

  it('answers 413 beyond the limit and takes what is just below it', async () => {
    const shell = '{"type":"a","data":""}'.length;
    const over = await api.call('POST', '/events', {
      token: tenant.key,
      body: `{"type":"a","data":"${'x'.repeat(1_048_576 - shell + 1)}"}`,
    });
    expect([over.status, over.body.code]).toEqual([413, 'payload_too_large']);
    await nothingStored();
    const other = await startTestApi();
    try {
      const fits = await other.call('POST', '/events', {
        token: (await other.createTenant()).key,
        body: `{"type":"a","data":"${'x'.repeat(1_048_576 - shell)}"}`,
      });
      expect(fits.status).toBe(202);
    } finally {
      await other.close();
    }
  });

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data'])(
    'answers 415 to %s',
    async (type) => {
      const answer = await api.call('POST', '/events', {
        token: tenant.key,
        body: '{"type":"a","data":1}',
        headers: { 'content-type': type },
      });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
      await nothingStored();
    },
  );

  it.each<[string, string, number]>([
    ['an unknown route', '/nothing', 404],
    ['a malformed id', '/events/x', 404],
    ['an id of another kind', `/events/${newId('delivery')}`, 404],
    ['an unknown id', `/events/${newId('event')}`, 404],
    ['an escaped path', '/deliveries/..%2f', 404],
    ['an id that is far too long', `/endpoints/${'x'.repeat(500)}`, 414],
  ])('GET %s', async (_what, path, status) => {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${tenant.key}` },
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await response.json()).toMatchObject({ status, request_id: response.headers.get('x-request-id') });
  });

  it('answers a request id of its own, or the one given when it is harmless', async () => {
    const own = await api.call('GET', '/health/live');
    expect(own.headers.get('x-request-id')).toMatch(/^req_/);
    const given = await api.call('GET', '/events/x', {
      token: tenant.key,
      headers: { 'x-request-id': 'mine-1' },
    });
    expect([given.headers.get('x-request-id'), given.body.request_id]).toEqual(['mine-1', 'mine-1']);
    const odd = await api.call('GET', '/health/live', { headers: { 'x-request-id': 'a b<script>' } });
    expect(odd.headers.get('x-request-id')).toMatch(/^req_/);
  });

  it('answers problem+json to a path that cannot be decoded', async () => {
    const { hostname, port } = new URL(api.url);
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write('GET /api/v1/events/%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
      );
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('application/problem+json');
  });
});
