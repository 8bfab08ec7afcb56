// Real: API on a socket (two of them on one database where it says so), Postgres. Temporal is up but not asked.
import { createApi } from '@hookstream/api';
import { idToUuid } from '@hookstream/domain';
import { createLogger } from '@hookstream/observability';
import { eventually } from '@hookstream/testing';
import { startTestApi, type TestApi, type TestTenant } from './api-fixture.js';

const schema = {
  type: 'object',
  required: ['order_id', 'amount'],
  properties: { order_id: { type: 'string' }, amount: { type: 'integer', minimum: 0 } },
};
const bad = { order_id: 7, amount: -1 };
const found = [
  { field: 'data.order_id', message: 'must be string' },
  { field: 'data.amount', message: 'must be >= 0' },
];

describe('event types', () => {
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
  const describeType = (settings: object) =>
    call('POST', '/event-types', { name: 'order.paid', ...settings });
  const post = (data: unknown, type = 'order.paid', headers: Record<string, string> = {}) =>
    api.call('POST', '/events', { token: tenant.key, body: { type, data }, headers });

  it('are made, read, changed and deleted', async () => {
    const made = await describeType({ description: 'Paid', schema, validation: 'reject' });
    expect([made.status, made.body]).toMatchObject([
      201,
      { name: 'order.paid', description: 'Paid', schema, validation: 'reject' },
    ]);
    expect((await call('GET', '/event-types/order.paid')).body).toEqual(made.body);
    const changed = await call('PATCH', '/event-types/order.paid', { validation: 'off' });
    expect(changed.body).toMatchObject({ description: 'Paid', schema, validation: 'off' });
    expect((await call('PATCH', '/event-types/order.paid', { schema: null })).body.schema).toBeNull();
    expect((await call('DELETE', '/event-types/order.paid')).status).toBe(204);
    for (const method of ['GET', 'DELETE'])
      expect((await call(method, '/event-types/order.paid')).status).toBe(404);
    expect((await call('PATCH', '/event-types/order.paid', { validation: 'off' })).status).toBe(404);
  });

  it('say nothing unless told, and keep the schema as it was written', async () => {
    expect((await describeType({})).body).toMatchObject({
      description: '',
      schema: null,
      validation: 'warn',
    });
    const text = '{"name":"b","schema":{"required":["z","a"],"const":1.50,"$comment":"é"}}';
    expect((await call('POST', '/event-types', text)).status).toBe(201);
    const { text: shown } = await call('GET', '/event-types/b');
    expect(shown).toContain('{"required":["z","a"],"const":1.5,"$comment":"é"}');
  });

  it('have a name once for each tenant', async () => {
    await describeType({});
    const again = await describeType({});
    expect([again.status, again.body.code]).toEqual([409, 'conflict']);
    const other = await api.createTenant();
    const theirs = await api.call('POST', '/event-types', { token: other.key, body: { name: 'order.paid' } });
    expect(theirs.status).toBe(201);
    const race = await Promise.all(
      Array.from({ length: 5 }, () => call('POST', '/event-types', { name: 'race' })),
    );
    expect(race.map((answer) => answer.status).sort()).toEqual([201, 409, 409, 409, 409]);
  });

  it('are listed by name, in pages', async () => {
    for (const name of ['b', 'c', 'a']) await call('POST', '/event-types', { name });
    const first = await call('GET', '/event-types?limit=2');
    const names = (answer: { body: { data: { name: string }[] } }) => answer.body.data.map((one) => one.name);
    expect([names(first), first.body.next_cursor]).toEqual([['a', 'b'], 'b']);
    const second = await call('GET', '/event-types?limit=2&cursor=b');
    expect([names(second), second.body.next_cursor]).toEqual([['c'], null]);
  });

  it.each<[string, unknown, string]>([
    ['no object', true, 'schema'],
    ['a wrong keyword', { properties: { a: { type: 'strin' } } }, 'schema.properties.a.type'],
    ['a keyword that is none', { propertes: {} }, 'schema'],
    ['a remote reference', { $ref: 'https://example.com/s.json' }, 'schema.$ref'],
    ['a pattern without end', { pattern: '(a)\\1' }, 'schema'],
  ])('refuse a schema with %s', async (_what, wrong, field) => {
    await describeType({});
    for (const answer of [
      await call('POST', '/event-types', { name: 'x', schema: wrong }),
      await call('PATCH', '/event-types/order.paid', { schema: wrong }),
    ]) {
      expect([answer.status, answer.body.errors[0].field]).toEqual([422, field]);
    }
    expect((await call('GET', '/event-types/order.paid')).body.schema).toBeNull();
  });

  it('flag an event that their schema does not allow, when they warn', async () => {
    await describeType({ schema, validation: 'warn' });
    const answer = await post(bad);
    expect([answer.status, answer.body.schema_errors]).toEqual([202, found]);
    const id = answer.body.id as string;
    expect((await call('GET', `/events/${id}`)).body.schema_errors).toEqual(found);
    expect((await call('GET', '/events')).body.data).toMatchObject([{ id, schema_errors: found }]);
    const fine = await post({ order_id: 'o-1', amount: 1 });
    expect(fine.body).not.toHaveProperty('schema_errors');
    expect((await call('GET', `/events/${fine.body.id as string}`)).body.schema_errors).toEqual([]);
  });

  it('refuse it, when they reject, and store nothing', async () => {
    await call('POST', '/endpoints', { url: 'https://example.com' });
    await describeType({ schema, validation: 'reject' });
    const answer = await post(bad, 'order.paid', { 'idempotency-key': 'k' });
    expect([answer.status, answer.body.code, answer.body.errors]).toEqual([422, 'schema_violated', found]);
    const uuid = idToUuid('tenant', tenant.id);
    const [row] = await api.rows(
      `SELECT (SELECT count(*)::int FROM events WHERE tenant_id = $1) AS events, (SELECT count(*)::int FROM idempotency_keys WHERE tenant_id = $1) AS keys`,
      [uuid],
    );
    expect(row).toEqual({ events: 0, keys: 0 });
    expect(
      (await post({ order_id: 'o-1', amount: 1 }, 'order.paid', { 'idempotency-key': 'k' })).status,
    ).toBe(202);
  });

  it('say nothing of other types, nor with validation off, nor to other tenants', async () => {
    await describeType({ schema, validation: 'reject' });
    await call('POST', '/event-types', { name: 'order.off', schema, validation: 'off' });
    expect((await post(bad, 'order.sent')).status).toBe(202);
    const off = await post(bad, 'order.off');
    expect([off.status, off.body.schema_errors]).toEqual([202, undefined]);
    const other = await api.createTenant();
    const theirs = await api.call('POST', '/events', {
      token: other.key,
      body: { type: 'order.paid', data: bad },
    });
    expect([theirs.status, theirs.body.schema_errors]).toEqual([202, undefined]);
  });

  it('check each event of a batch by itself', async () => {
    await describeType({ schema, validation: 'reject' });
    await call('POST', '/event-types', { name: 'order.sent', schema, validation: 'warn' });
    const answer = await call('POST', '/events/batch', [
      { type: 'order.paid', data: bad },
      { type: 'order.paid', data: { order_id: 'o-1', amount: 1 } },
      { type: 'order.sent', data: bad },
      { type: 'other', data: bad },
    ]);
    expect(answer.body.data).toMatchObject([
      { status: 422, error: { code: 'schema_violated', errors: found } },
      { status: 202 },
      { status: 202, schema_errors: found },
      { status: 202 },
    ]);
  });

  it('leave the first answer to a repeated request as it was', async () => {
    await describeType({ schema, validation: 'warn' });
    const first = await post(bad, 'order.paid', { 'idempotency-key': 'k' });
    await call('PATCH', '/event-types/order.paid', { validation: 'reject' });
    await eventually(async () => (await post(bad)).status === 422);
    const again = await post(bad, 'order.paid', { 'idempotency-key': 'k' });
    expect(again.body).toEqual({ ...first.body, idempotent_replay: true });
  });

  it('take effect in every API process, without a restart', async () => {
    const second = await createApi({
      config: api.config,
      database: api.database,
      temporal: api.temporal,
      logger: createLogger({ name: 'second', level: 'fatal' }),
    });
    await second.listen(0, '127.0.0.1');
    try {
      const url = await second.getUrl();
      const statusThere = async (): Promise<number> => {
        const response = await fetch(`${url}/api/v1/events`, {
          method: 'POST',
          headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ type: 'order.paid', data: bad }),
        });
        await response.arrayBuffer();
        return response.status;
      };
      expect(await statusThere()).toBe(202);
      await describeType({ schema, validation: 'reject' });
      await eventually(async () => (await statusThere()) === 422);
      await call('PATCH', '/event-types/order.paid', { schema: { type: 'object' } });
      await eventually(async () => (await statusThere()) === 202);
      await call('PATCH', '/event-types/order.paid', { schema });
      await eventually(async () => (await statusThere()) === 422);
      await call('DELETE', '/event-types/order.paid');
      await eventually(async () => (await statusThere()) === 202);
      await describeType({ schema, validation: 'reject' });
      await eventually(async () => (await statusThere()) === 422);
    } finally {
      await second.close();
    }
  });

  it('with a schema that cannot be compiled any more stop nobody', async () => {
    await describeType({ schema, validation: 'reject' });
    await api.rows(`UPDATE event_types SET schema = '{"type":"made-up"}' WHERE tenant_id = $1`, [
      idToUuid('tenant', tenant.id),
    ]);
    expect((await post(bad)).status).toBe(202);
  });
});
