// Real: API on a socket, Postgres. Temporal is up but not asked.
import { idToUuid, newId } from '@hookstream/domain';
import { startTestApi, type TestApi, type TestTenant } from './api-fixture.js';

const url = 'https://example.com/hooks';
const large = { path: 'data.amount', op: 'gte', value: 1000 };

describe('filters of endpoints', () => {
  let api: TestApi;
  let tenant: TestTenant;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    tenant = await api.createTenant();
  });

  const call = (method: string, path: string, body?: unknown) =>
    api.call(method, path, { token: tenant.key, body });
  const endpoint = async (settings: object = {}): Promise<string> =>
    (await call('POST', '/endpoints', { url, ...settings })).body.id as string;
  const deliveries = async (body: unknown): Promise<number> =>
    (await call('POST', '/events', body)).body.deliveries as number;

  it('are stored, shown, changed and taken away', async () => {
    const filter = { any: [large, { not: { path: 'data.tags', op: 'contains', value: 'test' } }] };
    const id = await endpoint({ filter });
    expect((await call('GET', `/endpoints/${id}`)).body.filter).toEqual(filter);
    expect((await call('PATCH', `/endpoints/${id}`, { filter: large })).body.filter).toEqual(large);
    expect((await call('PATCH', `/endpoints/${id}`, { description: 'x' })).body.filter).toEqual(large);
    expect((await call('PATCH', `/endpoints/${id}`, { filter: null })).body.filter).toBeNull();
    const [row] = await api.rows('SELECT filter IS NULL AS none FROM endpoints WHERE id = $1', [
      idToUuid('endpoint', id),
    ]);
    expect(row).toEqual({ none: true });
    expect((await call('GET', `/endpoints/${await endpoint()}`)).body.filter).toBeNull();
  });

  it.each<[string, unknown, string[]]>([
    ['deep down', { all: [large, { any: [{ ...large, op: '>=' }] }] }, ['filter.all.1.any.0.op']],
    [
      'several',
      { all: [{ path: 'amount', op: 'eq' }, 5] },
      ['filter.all.0.path', 'filter.all.0.value', 'filter.all.1'],
    ],
    ['too many', { all: Array.from({ length: 51 }, () => large) }, ['filter']],
    ['text', 'data.amount > 5', ['filter']],
    ['a number beyond 2^53', '{"path":"data.id","op":"eq","value":9007199254740993}', ['filter.value']],
    ['NUL, which jsonb does not take', { path: 'data.id', op: 'eq', value: '\0' }, ['filter.value']],
  ])('are refused when they are not valid: %s', async (_what, filter, expected) => {
    const id = await endpoint();
    const text = typeof filter === 'string' && filter.startsWith('{') ? filter : JSON.stringify(filter);
    for (const [method, path, body] of [
      ['POST', '/endpoints', `{"url":"${url}","filter":${text}}`],
      ['PATCH', `/endpoints/${id}`, `{"filter":${text}}`],
      ['POST', `/endpoints/${id}/filter/test`, `{"filter":${text},"event":{"type":"a","data":1}}`],
    ] as const) {
      const answer = await call(method, path, body);
      const fields = (answer.body.errors as { field: string }[]).map((error) => error.field);
      expect([answer.status, fields]).toEqual([422, expected]);
    }
  });

  it('decide which endpoints an event goes to, after its type', async () => {
    await endpoint({ event_types: ['order.*'], filter: large });
    await endpoint({ event_types: ['refund.*'], filter: large });
    await endpoint({ filter: { not: large } });
    await endpoint();
    expect(await deliveries({ type: 'order.paid', data: { amount: 1000 } })).toBe(2);
    expect(await deliveries({ type: 'order.paid', data: { amount: 999.99 } })).toBe(2);
    expect(await deliveries({ type: 'refund.made', data: { amount: 5000 } })).toBe(2);
    expect(await deliveries({ type: 'order.paid', data: [] })).toBe(2);
    expect(await deliveries({ type: 'order.paid', data: null })).toBe(2);
  });

  it('see each event of a batch and numbers as they were sent', async () => {
    await endpoint({ filter: { path: 'data.id', op: 'eq', value: '9007199254740993' } });
    const answer = await call(
      'POST',
      '/events/batch',
      '[{"type":"a","data":{"id":9007199254740992}},{"type":"a","data":{"id":9007199254740993}},{"type":"a","data":{"id":"x"}}]',
    );
    expect((answer.body.data as { deliveries: number }[]).map((one) => one.deliveries)).toEqual([0, 1, 0]);
  });

  it('see the type and the time that are delivered', async () => {
    await endpoint({ filter: { path: 'type', op: 'in', value: ['a', 'b'] } });
    await endpoint({ filter: { path: 'timestamp', op: 'gt', value: '2020-01-01T00:00:00.000Z' } });
    expect(await deliveries({ type: 'a', data: 1 })).toBe(2);
    expect(await deliveries({ type: 'c', data: 1 })).toBe(1);
  });

  it('take effect with the next event, and those of one tenant never touch another', async () => {
    const id = await endpoint({ filter: large });
    const other = await api.createTenant();
    await api.call('POST', '/endpoints', { token: other.key, body: { url } });
    const small = { type: 'a', data: { amount: 1 } };
    expect(await deliveries(small)).toBe(0);
    const [theirs] = await Promise.all([
      api.call('POST', '/events', { token: other.key, body: small }),
      deliveries(small),
    ]);
    expect(theirs.body.deliveries).toBe(1);
    await call('PATCH', `/endpoints/${id}`, { filter: { ...large, value: 1 } });
    expect(await deliveries(small)).toBe(1);
    await call('PATCH', `/endpoints/${id}`, { filter: null });
    expect(await deliveries({ type: 'a', data: 'no object' })).toBe(1);
  });

  it('do not stand in the way of endpoints that are named', async () => {
    const id = await endpoint({ event_types: ['b'], filter: large });
    expect(await deliveries({ type: 'a', data: { amount: 1 }, endpoint_ids: [id] })).toBe(1);
  });

  it('that this version cannot read hold nothing back', async () => {
    const id = await endpoint();
    await api.rows(
      `UPDATE endpoints SET filter = '{"path":"data.a","op":"matches","value":1}' WHERE id = $1`,
      [idToUuid('endpoint', id)],
    );
    expect(await deliveries({ type: 'a', data: 1 })).toBe(1);
  });

  describe('tried out', () => {
    const test = async (id: string, body: unknown) =>
      (await call('POST', `/endpoints/${id}/filter/test`, body)).body as object;

    it('say what decides, without storing anything', async () => {
      const id = await endpoint({
        event_types: ['order.*'],
        filter: { all: [large, { not: { path: 'type', op: 'eq', value: 'order.test' } }] },
      });
      expect(await test(id, { event: { type: 'order.paid', data: { amount: 1000 } } })).toEqual({
        matches: true,
        event_type_matches: true,
        filter_matches: true,
        failed: [],
      });
      expect(await test(id, { event: { type: 'order.test', data: {} } })).toMatchObject({
        matches: false,
        event_type_matches: true,
        filter_matches: false,
        failed: [
          { at: 'filter.all.0', path: 'data.amount', found: null },
          { at: 'filter.all.1.not', found: '"order.test"' },
        ],
      });
      expect(await test(id, { event: { type: 'refund.made', data: { amount: 1000 } } })).toMatchObject({
        matches: false,
        event_type_matches: false,
        filter_matches: true,
      });
      expect(
        await api.rows('SELECT 1 FROM events WHERE tenant_id = $1', [idToUuid('tenant', tenant.id)]),
      ).toEqual([]);
    });

    it('take another filter, none, and numbers as they were sent', async () => {
      const id = await endpoint({ filter: large });
      const event = { type: 'a', data: { amount: 1 } };
      expect(await test(id, { event })).toMatchObject({ matches: false });
      expect(await test(id, { event, filter: { ...large, value: 1 } })).toMatchObject({ matches: true });
      expect(await test(id, { event, filter: null })).toMatchObject({ matches: true, failed: [] });
      const text =
        '{"event":{"data":{"id":9007199254740993},"type":"a"},"filter":{"path":"data.id","op":"eq","value":"9007199254740992"}}';
      expect(await test(id, text)).toMatchObject({ matches: false, failed: [{ found: '9007199254740993' }] });
    });

    it('answer 404 where there is no endpoint', async () => {
      const answer = await call('POST', `/endpoints/${newId('endpoint')}/filter/test`, {
        event: { type: 'a', data: 1 },
      });
      expect(answer.status).toBe(404);
    });
  });
});
