import { SYSTEM_ACTOR } from '@hookstream/domain';
import { acceptEvents, type AcceptItem, type AcceptResult, type Receivers } from '@hookstream/persistence';
import type pg from 'pg';
import { StoredDeliveries } from './stored-deliveries.js';

describe('accepting with remembered endpoints', () => {
  let store: StoredDeliveries;
  let memory: Map<string, Receivers>;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
  });
  afterAll(() => store.drop());
  beforeEach(() => {
    memory = new Map();
  });

  const item = (overrides: Partial<AcceptItem> = {}): AcceptItem => ({
    tenantId: store.tenantId,
    type: 'order.paid',
    dataText: '{"n":1}',
    ...overrides,
  });

  const acceptOne = async (overrides: Partial<AcceptItem> = {}): Promise<AcceptResult> => {
    const [result] = await acceptEvents(store.database.pool, [item(overrides)], memory);
    if (result === undefined) throw new Error('no result');
    return result;
  };

  const deliveries = async (overrides: Partial<AcceptItem> = {}): Promise<number | string> => {
    const result = await acceptOne(overrides);
    return result.kind === 'accepted' ? result.event.deliveries : result.kind;
  };

  /** How often the endpoints are read to accept one more event. */
  async function readsToAccept(overrides: Partial<AcceptItem>): Promise<number> {
    let reads = 0;
    const query = (statement: pg.QueryConfig): Promise<pg.QueryResult> => {
      if (statement.name === 'accept-endpoints') reads += 1;
      return store.database.pool.query(statement);
    };
    await acceptEvents({ query } as unknown as pg.Pool, [item(overrides)], memory);
    return reads;
  }

  it('reads the endpoints once for as long as nothing of them changes', async () => {
    const endpoint = await store.endpoint('https://receiver.test/', { eventTypes: ['once.read'] });
    const type = 'once.read';
    expect(await readsToAccept({ type })).toBe(1);
    expect(await readsToAccept({ type })).toBe(0);
    await store.database.pool.query(
      `UPDATE endpoints SET circuit_state = 'open', description = 'told otherwise', updated_at = now() WHERE tenant_id = $1`,
      [memory.get(store.tenantId)?.tenantUuid],
    );
    expect(await readsToAccept({ type })).toBe(0);
    await store.setStatus(endpoint, 'paused');
    expect(await readsToAccept({ type })).toBe(1);
    expect(await store.held(endpoint)).toBe(4);
  });

  it('takes every change that was committed before into account', async () => {
    const type = 'ever.changing';
    expect(await deliveries({ type })).toBe(0);
    const endpoint = await store.endpoint('https://receiver.test/', { eventTypes: [type] });
    expect(await deliveries({ type })).toBe(1);
    await store.setStatus(endpoint, 'disabled');
    expect(await deliveries({ type })).toBe(0);
    await store.setStatus(endpoint, 'enabled');
    const change = (set: string, value: unknown): Promise<unknown> =>
      store.database.pool.query(`UPDATE endpoints SET ${set} WHERE event_types = $2`, [value, [type]]);
    await change('filter = $1', JSON.stringify({ path: 'data.n', op: 'gt', value: 5 }));
    expect(await deliveries({ type })).toBe(0);
    expect(await deliveries({ type, dataText: '{"n":6}' })).toBe(1);
    await change('filter = $1', null);
    await change('ordered = $1', true);
    await acceptOne({ type });
    expect(await store.count('SELECT count(*)::int AS n FROM outbox WHERE order_key IS NOT NULL')).toBe(1);
    await change('event_types = $1', ['other']);
    expect(await deliveries({ type })).toBe(0);
    expect(await deliveries({ type, endpointIds: [endpoint.id] })).toBe(1);
    await store.endpoints.delete(store.tenantId, endpoint.id, SYSTEM_ACTOR);
    expect(await deliveries({ type, endpointIds: [endpoint.id] })).toBe('unknown_endpoints');
  });

  it('knows an endpoint by its name that was made after the others were read', async () => {
    await deliveries();
    const endpoint = await store.endpoint('https://receiver.test/', { eventTypes: ['nothing'] });
    expect(await deliveries({ endpointIds: [endpoint.id] })).toBe(1);
  });

  it('stores each event of a group once, where one tenant of two changed', async () => {
    const other = await store.addTenant();
    const type = 'two.tenants';
    await store.endpoint('https://receiver.test/', { eventTypes: [type] });
    const group = (): AcceptItem[] => [item({ type }), item({ type, tenantId: other }), item({ type })];
    await acceptEvents(store.database.pool, group(), memory);
    await store.endpoint('https://receiver.test/', { eventTypes: [type] });
    const before = await store.count('SELECT count(*)::int AS n FROM events');
    const results = await acceptEvents(store.database.pool, group(), memory);
    expect(results.map((result) => result.kind === 'accepted' && result.event.deliveries)).toEqual([2, 0, 2]);
    expect(await store.count('SELECT count(*)::int AS n FROM events')).toBe(before + 3);
  });

  it('keeps idempotency where the endpoints changed meanwhile', async () => {
    const type = 'idempotent.change';
    const idempotency = { key: 'k', requestHash: Buffer.alloc(32), expiresAt: new Date(Date.now() + 60_000) };
    await deliveries({ type });
    await store.endpoint('https://receiver.test/', { eventTypes: [type] });
    const twice = [item({ type, idempotency }), item({ type, idempotency })];
    const [first, second] = await acceptEvents(store.database.pool, twice, memory);
    expect(first).toMatchObject({ kind: 'accepted', event: { deliveries: 1 } });
    expect(second).toMatchObject({ kind: 'replayed', event: { deliveries: 1 } });
  });
});
