// Real: workers as their process runs them, Postgres, Temporal and receivers.
// What the tenant's own endpoints are told about its endpoints and deliveries, and that such news never goes round in circles.
import { idToUuid, type RunLane } from '@hookstream/domain';
import type { EndpointRecord } from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { PATIENCE, useWorkers } from './worker-fixture.js';

const LANES = ['durable', 'express'] as const;
const HOUR = 3_600_000;

interface Told {
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

describe('operational events', () => {
  const here = useWorkers();
  let listener: EndpointRecord;

  beforeEach(async () => {
    listener = await here.store.endpoint(here.url('/listener'), {
      eventTypes: ['endpoint.*', 'delivery.dead_lettered'],
    });
  });
  afterEach(() => here.store.setStatus(listener, 'disabled'));

  const toldAt = (where: string): Told[] =>
    here.received(`/${where}`).map(({ body }) => JSON.parse(body.toString()) as Told);
  const told = (type: string): Promise<Told> =>
    eventually(() => toldAt('listener').find((event) => event.type === type), PATIENCE);
  const operationalEvents = (): Promise<number> =>
    here.store.count(
      `SELECT count(*)::int AS n FROM events WHERE type LIKE 'endpoint.%' OR type LIKE 'delivery.%'`,
    );
  const failing = (
    policy: Partial<EndpointRecord['circuit']> = {},
    eventTypes: string[] = [],
    lane: RunLane = 'durable',
  ) =>
    here.store.endpoint(here.url('/failing'), {
      ...{ eventTypes, lane },
      retry: { delays_ms: [], jitter: 0 },
      circuit: { failure_threshold: 3, cooldown_ms: 1_000, disable_after_ms: HOUR, ...policy },
    });

  it.each(LANES)(
    'tell of an opening, a closing and the recovery, and of each dead letter, in the %s lane',
    async (lane) => {
      here.answer([{ status: 503 }, { status: 503 }, { status: 503 }, { status: 200 }], '/failing');
      const endpoint = await failing({}, [], lane);
      const [first] = await here.store.accept(endpoint, 3);
      expect((await told('endpoint.circuit_opened')).data).toMatchObject({
        endpoint_id: endpoint.id,
        consecutive_failures: 3,
      });
      await here.store.accept(endpoint);
      expect((await told('endpoint.circuit_closed')).data).toMatchObject({
        endpoint_id: endpoint.id,
        closed_by: 'probe',
      });
      expect((await told('endpoint.recovered')).data).toMatchObject({ endpoint_id: endpoint.id });
      const dead = await eventually(() => {
        const letters = toldAt('listener').filter(({ type }) => type === 'delivery.dead_lettered');
        return letters.length === 3 && letters;
      }, PATIENCE);
      expect(dead.map(({ data }) => data)).toContainEqual({
        delivery_id: first?.deliveryId,
        endpoint_id: endpoint.id,
        event_id: first?.eventId,
        event_type: 'order.paid',
        attempts: 1,
        reason: 'schedule_exhausted',
        last_outcome: 'http_error',
        last_status_code: 503,
      });
    },
  );

  it.each(LANES)(
    'tell of an endpoint that a 410 disabled, and not the endpoint itself, in the %s lane',
    async (lane) => {
      here.answer({ status: 410 }, '/failing');
      const endpoint = await failing({}, ['order.*', 'endpoint.*', 'delivery.*'], lane);
      await here.store.accept(endpoint);
      expect((await told('endpoint.disabled')).data).toEqual({
        endpoint_id: endpoint.id,
        reason: 'the receiver answered 410 Gone',
        failing_since: null,
      });
      expect(toldAt('failing').map(({ type }) => type)).toEqual(['order.paid']);
    },
  );

  it('tell of an endpoint that only failed', async () => {
    here.answer({ status: 500 }, '/failing');
    const endpoint = await failing({ disable_after_ms: 1_500, cooldown_ms: 60_000 });
    await here.store.accept(endpoint, 3);
    const { data } = await told('endpoint.disabled');
    expect(data).toMatchObject({ endpoint_id: endpoint.id });
    expect(await here.store.statusOf(endpoint)).toBe('disabled');
    const { rows } = await here.store.database.pool.query<object>(
      `SELECT actor_kind, reason FROM audit_log WHERE object_id = $1 AND action = 'endpoint.disabled'`,
      [endpoint.id],
    );
    expect(rows).toEqual([{ actor_kind: 'system', reason: data['reason'] }]);
  });

  it('cause no further ones: neither by their own dead letters nor by the circuit that they open', async () => {
    // Two dead listeners, each of which would be told of the other.
    here.answer({ status: 500 }, '/failing');
    await here.store.setStatus(listener, 'disabled');
    const policy = { cooldown_ms: HOUR };
    const names = ['endpoint.*', 'delivery.*'];
    const listeners = [await failing(policy, names), await failing(policy, names)];
    const trouble = await failing({ failure_threshold: 0 });
    const before = await operationalEvents();
    await here.store.accept(trouble, 4);
    const about = (endpoint: EndpointRecord) =>
      here.store.count(
        `SELECT count(*)::int AS n FROM deliveries WHERE endpoint_id = $1 AND status = 'dead_letter'`,
        [idToUuid('endpoint', endpoint.id)],
      );
    await eventually(async () => (await about(trouble)) === 4, PATIENCE);
    for (const one of listeners) {
      await eventually(async () => {
        const found = await here.store.endpoints.find(here.store.tenantId, one.id);
        return found?.circuitState === 'open';
      }, PATIENCE);
    }
    // four dead letters of ordinary deliveries, and nothing about what became of the news of them
    expect((await operationalEvents()) - before).toBe(4);
    for (const one of [...listeners, trouble]) await here.store.setStatus(one, 'disabled');
  });
});
