// Real: Postgres. What the breaker stores, in which order it counts, and what is accepted with it.
import { closedCircuit, idToUuid, takeFailures, type CircuitMemory } from '@hookstream/domain';
import { CircuitsRepository, type EndpointRecord } from '@hookstream/persistence';
import { StoredDeliveries } from './stored-deliveries.js';

const T0 = Date.UTC(2026, 4, 4, 10);

describe('the stored circuit', () => {
  let store: StoredDeliveries;
  let circuits: CircuitsRepository;
  let endpoint: EndpointRecord;
  let key: { tenantId: string; endpointId: string };
  let opened: CircuitMemory;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    circuits = new CircuitsRepository(store.database.pool);
  });
  beforeEach(async () => {
    endpoint = await store.endpoint();
    key = { tenantId: store.tenantId, endpointId: endpoint.id };
    const report = { count: 5, operational: 0, since: T0, last: T0 };
    opened = takeFailures(closedCircuit(), report, endpoint.circuit, T0).memory;
  });
  afterAll(() => store.drop());

  const row = async () => {
    const { rows } = await store.database.pool.query<Record<string, unknown>>(
      'SELECT * FROM endpoints WHERE id = $1',
      [idToUuid('endpoint', endpoint.id)],
    );
    return rows[0];
  };
  const gate = async () => {
    const { rows } = await store.database.pool.query<{ probe_delivery_id: string | null; version: string }>(
      'SELECT probe_delivery_id, version FROM endpoint_gates WHERE endpoint_id = $1',
      [idToUuid('endpoint', endpoint.id)],
    );
    return rows[0];
  };
  const eventsOfType = async (type: string): Promise<{ payload: string; endpoint_id: string | null }[]> => {
    const { rows } = await store.database.pool.query<{ payload: string; endpoint_id: string | null }>(
      `SELECT e.payload, d.endpoint_id FROM events e LEFT JOIN deliveries d ON d.event_id = e.id WHERE e.type = $1 AND e.payload LIKE $2`,
      [type, `%${endpoint.id}%`],
    );
    return rows;
  };
  const happened = { kind: 'opened', at: T0, failures: 5, failingSince: T0, probeAt: T0 + 600_000 } as const;

  it('begins closed, with the policy of the endpoint', async () => {
    expect(await circuits.load(key)).toEqual({ memory: closedCircuit(), policy: endpoint.circuit, seq: 0 });
  });

  it('is read back as it was stored, with columns for the hot path', async () => {
    const probeAt = new Date(T0 + 600_000);
    expect(await circuits.store(key, { seq: 1, memory: opened, probeAt }, [])).toEqual({ kind: 'stored' });
    expect(await circuits.load(key)).toEqual({ memory: opened, policy: endpoint.circuit, seq: 1 });
    expect(await row()).toMatchObject({
      circuit_state: 'open',
      circuit_turn: 1,
      circuit_probe_at: probeAt,
      circuit_opened_at: new Date(T0),
      failing_since: new Date(T0),
      recovering: true,
    });
  });

  it('is not overwritten by what comes late', async () => {
    await circuits.store(key, { seq: 5, memory: opened, probeAt: null }, []);
    const late = { seq: 4, memory: closedCircuit(9), probeAt: null };
    expect(await circuits.store(key, late, [happened])).toEqual({ kind: 'outdated', seq: 5 });
    expect(await circuits.store(key, { ...late, seq: 5 }, [])).toEqual({ kind: 'outdated', seq: 5 });
    expect(await row()).toMatchObject({ circuit_state: 'open', circuit_seq: 5 });
  });

  it('may be stored twice by a step that does not know whether it was', async () => {
    const subscriber = await store.endpoint(undefined, { eventTypes: ['endpoint.*'] });
    const projection = { seq: 1, memory: opened, probeAt: new Date(T0 + 600_000) };
    for (let i = 0; i < 2; i++)
      expect(await circuits.store(key, projection, [happened])).toEqual({ kind: 'stored' });
    expect(await eventsOfType('endpoint.circuit_opened')).toHaveLength(1);
    await store.setStatus(subscriber, 'disabled');
  });

  it('lets go of the probe when the state changes, and only then', async () => {
    const probe = '018f0000-0000-7000-8000-000000000001';
    const take = () =>
      store.database.pool.query(
        `UPDATE endpoint_gates SET probe_delivery_id = $2, probe_until = 'infinity' WHERE endpoint_id = $1`,
        [idToUuid('endpoint', endpoint.id), probe],
      );
    const halfOpen: CircuitMemory = { ...opened, state: 'half_open', turn: 2 };
    await circuits.store(key, { seq: 1, memory: halfOpen, probeAt: null }, []);
    const before = await gate();
    await take();
    await circuits.store(key, { seq: 2, memory: { ...halfOpen, failingSince: null }, probeAt: null }, []);
    expect(await gate()).toEqual({ ...before, probe_delivery_id: probe });
    await circuits.store(key, { seq: 3, memory: closedCircuit(3), probeAt: null }, []);
    expect(await gate()).toEqual({ probe_delivery_id: null, version: String(Number(before?.version) + 1) });
  });

  it('is gone with its endpoint, and nobody else can reach it', async () => {
    const foreign = { ...key, tenantId: 'tnt_01k5b7m3x8e4s9t2v6w0yzqrcd' };
    expect(await circuits.load(foreign)).toBeNull();
    expect(await circuits.store(foreign, { seq: 1, memory: opened, probeAt: null }, [])).toEqual({
      kind: 'gone',
    });
    await store.endpoints.delete(store.tenantId, endpoint.id, { kind: 'system' });
    expect(await circuits.load(key)).toBeNull();
    expect(await circuits.store(key, { seq: 1, memory: opened, probeAt: null }, [])).toEqual({
      kind: 'gone',
    });
  });

  it('disables an endpoint with its reason, holds what waits, and writes it in the audit log', async () => {
    await store.accept(endpoint, 3);
    const projection = { seq: 1, memory: closedCircuit(2), probeAt: null };
    const options = { failingSince: new Date(T0), announce: true };
    for (let i = 0; i < 2; i++)
      expect(await circuits.disable(key, projection, options)).toEqual({ kind: 'stored' });
    expect(await row()).toMatchObject({
      status: 'disabled',
      disabled_reason: 'every attempt has failed since 2026-05-04T10:00:00.000Z',
      circuit_state: 'closed',
    });
    expect(await store.held(endpoint)).toBe(3);
    const { rows } = await store.database.pool.query<object>(
      'SELECT actor_kind, action, reason FROM audit_log WHERE object_id = $1 AND action = $2',
      [endpoint.id, 'endpoint.disabled'],
    );
    expect(rows).toEqual([
      {
        actor_kind: 'system',
        action: 'endpoint.disabled',
        reason: 'every attempt has failed since 2026-05-04T10:00:00.000Z',
      },
    ]);
  });

  it.each(['paused', 'disabled'] as const)('does not disable an endpoint that is %s', async (status) => {
    await store.setStatus(endpoint, status);
    const options = { failingSince: new Date(T0), announce: true };
    expect(await circuits.disable(key, { seq: 1, memory: closedCircuit(), probeAt: null }, options)).toEqual({
      kind: 'not_enabled',
    });
    expect(await row()).toMatchObject({ status, circuit_seq: 0 });
  });

  it('starts anew when a disabled endpoint is enabled, and stays when a paused one is', async () => {
    await circuits.store(key, { seq: 1, memory: opened, probeAt: new Date(T0) }, []);
    await store.setStatus(endpoint, 'paused');
    await store.setStatus(endpoint, 'enabled');
    expect(await row()).toMatchObject({ circuit_state: 'open', circuit_seq: 1 });
    await store.setStatus(endpoint, 'disabled');
    await store.setStatus(endpoint, 'enabled');
    expect(await row()).toMatchObject({
      circuit_state: 'closed',
      circuit_seq: 2,
      failing_since: null,
      recovering: true,
    });
    expect(await circuits.load(key)).toMatchObject({
      memory: { ...closedCircuit(2, true), announced: true },
      seq: 2,
    });
  });

  it('finds circuits that are open past their time', async () => {
    const probeAt = new Date(Date.now() - 120_000);
    await circuits.store(key, { seq: 1, memory: opened, probeAt }, []);
    expect(await circuits.overdue(60_000, 10)).toContainEqual({ ...key, url: endpoint.url });
    expect(await circuits.overdue(180_000, 10)).not.toContainEqual({ ...key, url: endpoint.url });
  });

  describe('operational events', () => {
    it('go to those that name them, never to the endpoint they are about', async () => {
      const named = await store.endpoint(undefined, { eventTypes: ['endpoint.circuit_opened'] });
      const prefix = await store.endpoint(undefined, { eventTypes: ['order.paid', 'endpoint.*'] });
      const others = await Promise.all([
        store.endpoint(undefined, { eventTypes: [] }),
        store.endpoint(undefined, { eventTypes: ['*'] }),
        store.endpoint(undefined, { eventTypes: ['endpoint.disabled', 'delivery.*'] }),
      ]);
      await store.database.pool.query(`UPDATE endpoints SET event_types = '{endpoint.*}' WHERE id = $1`, [
        idToUuid('endpoint', endpoint.id),
      ]);
      await circuits.store(key, { seq: 1, memory: opened, probeAt: null }, [happened]);
      const events = await eventsOfType('endpoint.circuit_opened');
      expect(events.map((event) => event.endpoint_id).sort()).toEqual(
        [named, prefix].map(({ id }) => idToUuid('endpoint', id)).sort(),
      );
      expect(JSON.parse(events[0]?.payload ?? '{}')).toMatchObject({
        type: 'endpoint.circuit_opened',
        data: {
          endpoint_id: endpoint.id,
          opened_at: '2026-05-04T10:00:00.000Z',
          consecutive_failures: 5,
          failing_since: '2026-05-04T10:00:00.000Z',
          next_probe_at: '2026-05-04T10:10:00.000Z',
        },
      });
      for (const other of [named, prefix, endpoint, ...others]) await store.setStatus(other, 'disabled');
    });

    it('are not made when nobody subscribes', async () => {
      await circuits.store(key, { seq: 1, memory: opened, probeAt: null }, [happened]);
      expect(await eventsOfType('endpoint.circuit_opened')).toEqual([]);
    });
  });
});
