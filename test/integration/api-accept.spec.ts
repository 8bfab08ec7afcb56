// Real: API on a socket, Postgres. Temporal is up but not asked.
import { idToUuid, newId } from '@hookstream/domain';
import { startTestApi, type TestApi, type TestTenant } from './api-fixture.js';

describe('POST /events', () => {
  let api: TestApi;
  let tenant: TestTenant;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    tenant = await api.createTenant();
  });

  const endpoint = async (settings: object = {}): Promise<string> => {
    const { body } = await api.call('POST', '/endpoints', {
      token: tenant.key,
      body: { url: 'https://example.com/hooks', ...settings },
    });
    return body.id as string;
  };
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    api.call('POST', '/events', { token: tenant.key, body, headers });
  const counts = async () => {
    const uuid = idToUuid('tenant', tenant.id);
    const [row] = await api.rows<Record<string, number>>(
      `SELECT (SELECT count(*)::int FROM events WHERE tenant_id = $1) AS events,
              (SELECT count(*)::int FROM deliveries WHERE tenant_id = $1) AS deliveries,
              (SELECT count(*)::int FROM outbox WHERE tenant_id = $1) AS outbox,
              (SELECT count(*)::int FROM idempotency_keys WHERE tenant_id = $1) AS keys`,
      [uuid],
    );
    return row;
  };

  it('stores event, deliveries, outbox rows and idempotency key together', async () => {
    await endpoint({ event_types: ['order.*'] });
    await endpoint();
    await endpoint({ event_types: ['refund.made', 'order'] });
    const answer = await post({ type: 'order.paid', data: { n: 1 } }, { 'idempotency-key': 'k-1' });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ type: 'order.paid', deliveries: 2, idempotent_replay: false });
    expect(await counts()).toEqual({ events: 1, deliveries: 2, outbox: 2, keys: 1 });
  });

  it('stores nothing at all when a part of it cannot be stored', async () => {
    await endpoint();
    // nothing but the last of the four inserts fails
    await api.rows(
      `ALTER TABLE outbox ADD CONSTRAINT refused CHECK (tenant_id <> '${idToUuid('tenant', tenant.id)}')`,
    );
    try {
      const answer = await post({ type: 'order.paid', data: {} }, { 'idempotency-key': 'k' });
      expect(answer.status).toBe(500);
      expect(Object.keys(answer.body as object).sort()).toEqual([
        'code',
        'request_id',
        'status',
        'title',
        'type',
      ]);
      expect(await counts()).toEqual({ events: 0, deliveries: 0, outbox: 0, keys: 0 });
    } finally {
      await api.rows('ALTER TABLE outbox DROP CONSTRAINT refused');
    }
    expect((await post({ type: 'order.paid', data: {} }, { 'idempotency-key': 'k' })).status).toBe(202);
  });

  it('answers the others of a group when one of them cannot be stored', async () => {
    const other = await api.createTenant();
    await endpoint();
    await api.rows(
      `ALTER TABLE outbox ADD CONSTRAINT refused CHECK (tenant_id <> '${idToUuid('tenant', tenant.id)}')`,
    );
    try {
      const body = { type: 'order.paid', data: {} };
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          n === 7 ? post(body) : api.call('POST', '/events', { token: other.key, body }),
        ),
      );
      expect(answers.map((a) => a.status)).toEqual(
        Array.from({ length: 20 }, (_, n) => (n === 7 ? 500 : 202)),
      );
    } finally {
      await api.rows('ALTER TABLE outbox DROP CONSTRAINT refused');
    }
  });

  it('makes one event of 50 concurrent equal requests', async () => {
    await endpoint();
    const text = '{"type":"order.paid","data":{"n":1}}';
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post(text, { 'idempotency-key': 'same' })),
    );
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([202]));
    expect(new Set(answers.map((a) => a.body.id as string)).size).toBe(1);
    expect(new Set(answers.map((a) => a.body.created_at as string)).size).toBe(1);
    expect(answers.filter((a) => a.body.idempotent_replay === false)).toHaveLength(1);
    expect(await counts()).toEqual({ events: 1, deliveries: 1, outbox: 1, keys: 1 });
  });

  it('makes one event of concurrent equal requests to two API processes', async () => {
    await endpoint();
    const { acceptEvents } = await import('@hookstream/persistence');
    const item = () => ({
      tenantId: tenant.id,
      type: 'order.paid',
      dataText: '1',
      idempotency: { key: 'x', requestHash: Buffer.alloc(32), expiresAt: new Date(Date.now() + 60_000) },
    });
    const results = await Promise.all(
      Array.from({ length: 40 }, () => acceptEvents(api.database.pool, [item(), item()])),
    );
    expect(results.flat().filter((r) => r.kind === 'accepted')).toHaveLength(1);
    expect(results.flat().filter((r) => r.kind === 'replayed')).toHaveLength(79);
    expect(await counts()).toMatchObject({ events: 1, deliveries: 1, outbox: 1 });
  });

  it('refuses another body under a key in use, and takes the key again when it has expired', async () => {
    const first = await post({ type: 'a', data: 1 }, { 'idempotency-key': 'k' });
    const other = await post({ type: 'a', data: 2 }, { 'idempotency-key': 'k' });
    expect(other.status).toBe(409);
    expect(other.body.code).toBe('idempotency_conflict');
    await api.rows(`UPDATE idempotency_keys SET expires_at = now() WHERE tenant_id = $1`, [
      idToUuid('tenant', tenant.id),
    ]);
    const later = await post({ type: 'a', data: 2 }, { 'idempotency-key': 'k' });
    expect(later.body).toMatchObject({ idempotent_replay: false });
    expect(later.body.id).not.toBe(first.body.id);
  });

  it('keeps the keys of two tenants apart', async () => {
    const other = await api.createTenant();
    const body = { type: 'a', data: 1 };
    const one = await post(body, { 'idempotency-key': 'k' });
    const two = await api.call('POST', '/events', {
      token: other.key,
      body,
      headers: { 'idempotency-key': 'k' },
    });
    expect(two.body).toMatchObject({ idempotent_replay: false });
    expect(two.body.id).not.toBe(one.body.id);
  });

  it('gives the first answer even when an endpoint it named is gone', async () => {
    const id = await endpoint();
    const body = { type: 'a', data: 1, endpoint_ids: [id] };
    const first = await post(body, { 'idempotency-key': 'k' });
    await api.call('DELETE', `/endpoints/${id}`, { token: tenant.key });
    const again = await post(body, { 'idempotency-key': 'k' });
    expect(again.body).toEqual({ ...first.body, idempotent_replay: true });
    expect((await post(body)).status).toBe(422);
  });

  it.each([
    ['large numbers', '{"n": 12345678901234567890, "m": 1.0, "e":1E+2}'],
    ['integer-like keys in their order', '{"2":1,"1":2}'],
    ['a name twice', '{"a":1,"a":2}'],
    ['unicode as it came', '{"a":"é\\u00e9\\ud83d\\ude00😀 "}'],
    ['white space', '{ "a" :\n\t[ 1 , 2 ]\r\n}'],
    ['an escaped half of a surrogate pair and NUL', '"\\ud800\\u0000"'],
    ['null', 'null'],
    ['a string with braces', '"}{\\"]["'],
  ])('stores %s byte for byte', async (_what, data) => {
    const text = `{ "data" : ${data} , "type":"order.paid" }`;
    const answer = await post(text);
    expect(answer.status).toBe(202);
    const id = answer.body.id as string;
    const [row] = await api.rows<{ payload: string }>('SELECT payload FROM events WHERE id = $1', [
      idToUuid('event', id),
    ]);
    const payload = `{"type":"order.paid","timestamp":"${answer.body.created_at as string}","data":${data}}`;
    expect(row?.payload).toBe(payload);
    expect((await api.call('GET', `/events/${id}`, { token: tenant.key })).text).toContain(
      `"payload":${payload}`,
    );
  });

  it('takes the last of two members with the same name, as JSON.parse does', async () => {
    const answer = await post('{"type":"a","data":1,"data":{"b":2}}');
    const [row] = await api.rows<{ payload: string }>('SELECT payload FROM events WHERE id = $1', [
      idToUuid('event', answer.body.id as string),
    ]);
    expect(row?.payload).toMatch(/"data":\{"b":2\}\}$/);
  });

  it('delivers to the endpoints named, whatever types they ask for, once each', async () => {
    const named = await endpoint({ event_types: ['refund.*'] });
    await endpoint();
    const answer = await post({ type: 'order.paid', data: 1, endpoint_ids: [named, named] });
    expect(answer.body.deliveries).toBe(1);
    const detail = await api.call('GET', `/events/${answer.body.id as string}`, { token: tenant.key });
    expect(detail.body.deliveries).toMatchObject([{ endpoint_id: named, status: 'pending', lane: 'auto' }]);
  });

  it('names endpoints that do not exist, also those of others', async () => {
    const mine = await endpoint();
    const unknown = newId('endpoint');
    const other = await api.createTenant();
    const theirs = await api.call('POST', '/endpoints', { token: other.key, body: { url: 'https://e.com' } });
    const answer = await post({ type: 'a', data: 1, endpoint_ids: [mine, unknown, theirs.body.id] });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ field: 'endpoint_ids.1' }, { field: 'endpoint_ids.2' }]);
    expect(await counts()).toMatchObject({ events: 0, outbox: 0 });
  });

  it('makes no delivery to a disabled endpoint and holds those to a paused one', async () => {
    const paused = await endpoint();
    const disabled = await endpoint();
    await api.call('POST', `/endpoints/${paused}/pause`, { token: tenant.key });
    await api.call('PATCH', `/endpoints/${disabled}`, { token: tenant.key, body: { status: 'disabled' } });
    const answer = await post({ type: 'a', data: 1 });
    expect(answer.body.deliveries).toBe(1);
    const outbox = await api.rows(
      `SELECT claimable_at = 'infinity' AS held FROM outbox WHERE tenant_id = $1`,
      [idToUuid('tenant', tenant.id)],
    );
    expect(outbox).toEqual([{ held: true }]);
  });

  it('lets no delivery be held by a pause that has ended while it was accepted', async () => {
    const id = await endpoint();
    await api.call('POST', `/endpoints/${id}/pause`, { token: tenant.key });
    const posts = Array.from({ length: 60 }, () => post({ type: 'a', data: 1 }));
    const resumed = api.call('POST', `/endpoints/${id}/resume`, { token: tenant.key });
    await Promise.all([...posts, resumed]);
    const held = await api.rows(`SELECT 1 FROM outbox WHERE tenant_id = $1 AND claimable_at = 'infinity'`, [
      idToUuid('tenant', tenant.id),
    ]);
    expect(held).toEqual([]);
  });

  it('waits for deliver_at, within bounds', async () => {
    await endpoint();
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const answer = await post({ type: 'a', data: 1, deliver_at: soon });
    expect(answer.status).toBe(202);
    const [row] = await api.rows<{ due_at: Date; claimable_at: Date }>(
      'SELECT due_at, claimable_at FROM outbox WHERE tenant_id = $1',
      [idToUuid('tenant', tenant.id)],
    );
    expect([row?.due_at.toISOString(), row?.claimable_at.toISOString()]).toEqual([soon, soon]);
    const tooFar = await post({
      type: 'a',
      data: 1,
      deliver_at: new Date(Date.now() + 8 * 86_400_000).toISOString(),
    });
    expect(tooFar.body.errors).toMatchObject([{ field: 'deliver_at' }]);
  });

  it('accepts a batch item by item', async () => {
    await endpoint();
    const body =
      '[{"type":"a","data":9007199254740993},{"type":"a b","data":1},{"type":"b","data":2,"x":1},7,{"type":"c","data":[]}]';
    const answer = await api.call('POST', '/events/batch', { token: tenant.key, body });
    expect(answer.status).toBe(202);
    expect(answer.body.data).toMatchObject([
      { status: 202, type: 'a', deliveries: 1, idempotent_replay: false },
      { status: 422, error: { errors: [{ field: 'type' }] } },
      { status: 422, error: { errors: [{ field: 'x' }] } },
      { status: 422, error: { errors: [{ field: 'body' }] } },
      { status: 202, type: 'c' },
    ]);
    expect(await counts()).toMatchObject({ events: 2, outbox: 2 });
    const [row] = await api.rows<{ payload: string }>('SELECT payload FROM events WHERE id = $1', [
      idToUuid('event', answer.body.data[0].id as string),
    ]);
    expect(row?.payload).toContain('"data":9007199254740993}');
  });

  it('remembers each item of a batch under its key', async () => {
    const body = [
      { type: 'a', data: 1 },
      { type: 'b', data: 2 },
    ];
    const send = (items: unknown) =>
      api.call('POST', '/events/batch', {
        token: tenant.key,
        body: items,
        headers: { 'idempotency-key': 'k' },
      });
    const first = await send(body);
    const again = await send(body);
    expect(again.body.data).toEqual(
      (first.body.data as object[]).map((item) => ({ ...item, idempotent_replay: true })),
    );
    const changed = await send([body[0], { type: 'b', data: 3 }]);
    expect(changed.body.data).toMatchObject([{ status: 202, idempotent_replay: true }, { status: 409 }]);
    expect(await counts()).toMatchObject({ events: 2 });
  });

  it.each([[0], [501]])('refuses a batch of %d', async (length) => {
    const body = Array.from({ length }, () => ({ type: 'a', data: 1 }));
    const answer = await api.call('POST', '/events/batch', { token: tenant.key, body });
    expect([answer.status, answer.body.errors[0].field]).toEqual([422, 'body']);
  });

  it('takes a batch of 500', async () => {
    const body = Array.from({ length: 500 }, (_, n) => ({ type: 'a', data: n }));
    const answer = await api.call('POST', '/events/batch', { token: tenant.key, body });
    expect((answer.body.data as { status: number }[]).every((item) => item.status === 202)).toBe(true);
    expect(await counts()).toMatchObject({ events: 500 });
  });

  it('wakes the dispatcher when something is due, and only then', async () => {
    await endpoint();
    const client = await api.database.pool.connect();
    let woken = 0;
    client.on('notification', () => (woken += 1));
    try {
      await client.query('LISTEN hookstream_outbox');
      await post({ type: 'a', data: 1, deliver_at: new Date(Date.now() + 3_600_000).toISOString() });
      await client.query('SELECT 1');
      expect(woken).toBe(0);
      await post({ type: 'a', data: 1 });
      await client.query('SELECT 1');
      expect(woken).toBe(1);
    } finally {
      await client.query('UNLISTEN *');
      client.removeAllListeners('notification');
      client.release();
    }
  });

  it('lists and pages events, newest first, by type and time', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++)
      ids.unshift((await post({ type: n % 2 ? 'b' : 'a', data: n })).body.id as string);
    const list = (query: string) => api.call('GET', `/events?${query}`, { token: tenant.key });
    const first = await list('limit=2');
    const second = await list(`limit=2&cursor=${first.body.next_cursor as string}`);
    const third = await list(`limit=2&cursor=${second.body.next_cursor as string}`);
    const seen = [first, second, third].flatMap((page) =>
      (page.body.data as { id: string }[]).map((e) => e.id),
    );
    expect(seen).toEqual(ids);
    expect(third.body.next_cursor).toBeNull();
    expect((await list('type=b')).body.data).toHaveLength(2);
    const [newest, , middle] = (await list('')).body.data as { created_at: string }[];
    expect(newest && middle).toBeDefined();
    const since = await list(`since=${middle?.created_at ?? ''}&until=${newest?.created_at ?? ''}`);
    const inRange = since.body.data as { created_at: string }[];
    expect(
      inRange.every(
        (e) => e.created_at >= (middle?.created_at ?? '') && e.created_at < (newest?.created_at ?? ''),
      ),
    ).toBe(true);
    expect(inRange.length).toBeGreaterThan(0);
  });
});

describe('POST /events when too much waits', () => {
  it('refuses with 503 and Retry-After, and stores what it accepted', async () => {
    const base = {
      maxBodyBytes: 1_048_576,
      batchSize: 1,
      queueLimit: 3,
      maxDeliverAheadMs: 86_400_000,
      idempotencyTtlMs: 86_400_000,
      defaultLane: 'auto' as const,
    };
    const api = await startTestApi({ accept: base });
    try {
      const tenant = await api.createTenant();
      const blocker = await api.database.pool.connect();
      await blocker.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
      const posts = Array.from({ length: 10 }, () =>
        api.call('POST', '/events', { token: tenant.key, body: { type: 'a', data: 1 } }),
      );
      const refused = await Promise.race(posts);
      expect(refused.status).toBe(503);
      expect(refused.body.code).toBe('overloaded');
      expect(refused.headers.get('retry-after')).toBe('1');
      await blocker.query('ROLLBACK');
      blocker.release();
      const answers = await Promise.all(posts);
      expect(answers.filter((a) => a.status === 202)).toHaveLength(3);
      expect(await api.rows('SELECT 1 FROM events')).toHaveLength(3);
    } finally {
      await api.close();
    }
  });
});
