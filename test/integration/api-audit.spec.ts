// Real: API on a socket, Postgres, Temporal, a worker and a receiver. The routes come from the contract: one that changes something
// and leaves no audit entry fails here.
import { idToUuid } from '@hookstream/domain';
import { ReplaysRepository } from '@hookstream/persistence';
import { eventually, TestReceiver } from '@hookstream/testing';
import type { HookstreamWorker } from '@hookstream/worker';
import { OPERATOR_TOKEN, startTestApi, type TestApi, type TestTenant } from './api-fixture.js';
import { startApiWorker } from './api-worker.js';

interface Call {
  /** In place of the route's own path. */
  path: string;
  body?: unknown;
}
/** How a route is called so that it changes something, and the entry that must come of it; or why there is none. */
type Case =
  | {
      action: string;
      object?: 'endpoint' | 'event_type' | 'delivery' | 'api_key' | 'tenant' | 'replay';
      call: () => Promise<Call> | Call;
      /** The entry is on the object that the answer names, and not on the one in the path. */
      onAnswered?: true;
    }
  | { none: string };

const HEADER_SECRET = 'receiver-credential-8c1f';

describe('the audit log of the API', () => {
  let api: TestApi;
  let worker: HookstreamWorker;
  let receiver: TestReceiver;
  let tenant: TestTenant;
  const secrets: string[] = [OPERATOR_TOKEN, HEADER_SECRET];

  beforeAll(async () => {
    [api, receiver] = [await startTestApi(), await TestReceiver.start()];
    receiver.on('/failing', { status: 500 });
    receiver.on('/echoing', ({ body }) => ({
      body: (JSON.parse(body.toString()) as { challenge: string }).challenge,
    }));
    worker = await startApiWorker(api);
    tenant = await api.createTenant();
    secrets.push(tenant.key);
  });
  afterAll(async () => {
    await worker.stop();
    await receiver.close();
    await api.close();
  });

  const call = (method: string, path: string, body?: unknown, token = tenant.key) =>
    api.call(method, path, { token, body });
  /** An endpoint whose receiver always fails, with a schedule that waits or that is one attempt. */
  const endpoint = async (settings: object = {}): Promise<string> => {
    const { body } = await call('POST', '/endpoints', {
      url: receiver.url('/failing'),
      headers: { Authorization: HEADER_SECRET },
      ...settings,
    });
    secrets.push(body.secret as string);
    return body.id as string;
  };
  const deliveryThatIs = async (status: string, delays: number[]): Promise<string> => {
    const id = await endpoint({ retry: { delays_ms: delays } });
    await call('POST', '/events', { type: 'a', data: 1, endpoint_ids: [id] });
    const list = async () => (await call('GET', `/deliveries?endpoint_id=${id}&status=${status}`)).body.data;
    await eventually(async () => (await list()).length === 1, { timeoutMs: 30_000 });
    return (await list())[0].id as string;
  };
  const retrying = () => deliveryThatIs('retrying', [3_600_000]);
  /** Stored as the API stores one, without the workflow that would end it before we can touch it. */
  const unfinishedReplay = async (): Promise<string> => {
    const replay = await new ReplaysRepository(api.database).create(tenant.id, {}, { kind: 'operator' });
    return replay?.id as string;
  };
  const eventType = async (name: string): Promise<string> => {
    await call('POST', '/event-types', { name });
    return `/event-types/${name}`;
  };
  const keyId = async (): Promise<string> => {
    const { body } = await call('POST', '/api-keys', { name: 'k', scopes: ['events:read'] });
    secrets.push(body.key as string);
    return body.id as string;
  };

  const CASES: Readonly<Record<string, Case>> = {
    createEvent: { none: 'an event is its own record: who posted what, when, is kept with it' },
    createEvents: { none: 'as createEvent' },
    testEndpointFilter: { none: 'a dry run: nothing is stored or sent' },
    createTenant: {
      action: 'tenant.created',
      object: 'tenant',
      call: () => ({ path: '/tenants', body: { name: 'New' } }),
    },
    updateTenant: {
      action: 'tenant.updated',
      object: 'tenant',
      call: () => ({ path: `/tenants/${tenant.id}`, body: { name: 'Renamed', metadata: { plan: 'pro' } } }),
    },
    deleteTenant: {
      action: 'tenant.deleted',
      object: 'tenant',
      call: async () => ({ path: `/tenants/${(await api.createTenant()).id}` }),
    },
    createApiKey: {
      action: 'api_key.created',
      object: 'api_key',
      call: () => ({ path: '/api-keys', body: { name: 'made', scopes: ['events:read'] } }),
    },
    rotateApiKey: {
      action: 'api_key.rotated',
      object: 'api_key',
      call: async () => ({ path: `/api-keys/${await keyId()}/rotate` }),
    },
    revokeApiKey: {
      action: 'api_key.revoked',
      object: 'api_key',
      call: async () => ({ path: `/api-keys/${await keyId()}` }),
    },
    createEventType: {
      action: 'event_type.created',
      object: 'event_type',
      call: () => ({ path: '/event-types', body: { name: 'order.made', schema: { type: 'object' } } }),
    },
    updateEventType: {
      action: 'event_type.updated',
      object: 'event_type',
      call: async () => ({ path: await eventType('order.changed'), body: { validation: 'reject' } }),
    },
    deleteEventType: {
      action: 'event_type.deleted',
      object: 'event_type',
      call: async () => ({ path: await eventType('order.gone') }),
    },
    createEndpoint: {
      action: 'endpoint.created',
      object: 'endpoint',
      call: () => ({
        path: '/endpoints',
        body: { url: receiver.url('/'), headers: { Authorization: HEADER_SECRET } },
      }),
    },
    updateEndpoint: {
      action: 'endpoint.updated',
      object: 'endpoint',
      call: async () => ({
        path: `/endpoints/${await endpoint()}`,
        body: { timeout_ms: 2_000, headers: { Cookie: HEADER_SECRET } },
      }),
    },
    deleteEndpoint: {
      action: 'endpoint.deleted',
      object: 'endpoint',
      call: async () => ({ path: `/endpoints/${await endpoint()}` }),
    },
    pauseEndpoint: {
      action: 'endpoint.paused',
      object: 'endpoint',
      call: async () => ({ path: `/endpoints/${await endpoint()}/pause` }),
    },
    resumeEndpoint: {
      action: 'endpoint.resumed',
      object: 'endpoint',
      call: async () => {
        const id = await endpoint();
        await call('POST', `/endpoints/${id}/pause`);
        return { path: `/endpoints/${id}/resume` };
      },
    },
    rotateEndpointSecret: {
      action: 'endpoint.secret_rotated',
      object: 'endpoint',
      call: async () => ({ path: `/endpoints/${await endpoint()}/rotate-secret` }),
    },
    testEndpoint: {
      action: 'endpoint.tested',
      object: 'endpoint',
      call: async () => ({ path: `/endpoints/${await endpoint()}/test` }),
    },
    verifyEndpoint: {
      action: 'endpoint.verified',
      object: 'endpoint',
      call: async () => ({
        path: `/endpoints/${await endpoint({ url: receiver.url('/echoing') })}/verify`,
      }),
    },
    resetCircuit: {
      action: 'endpoint.circuit_reset',
      object: 'endpoint',
      call: async () => ({ path: `/endpoints/${await endpoint()}/circuit/reset` }),
    },
    replayDelivery: {
      action: 'delivery.replayed',
      object: 'delivery',
      call: async () => ({ path: `/deliveries/${await retrying()}/replay` }),
    },
    retryDeliveryNow: {
      action: 'delivery.retried_now',
      object: 'delivery',
      call: async () => ({ path: `/deliveries/${await retrying()}/retry-now` }),
    },
    cancelDelivery: {
      action: 'delivery.cancelled',
      object: 'delivery',
      call: async () => ({ path: `/deliveries/${await retrying()}/cancel` }),
    },
    discardDeadLetter: {
      action: 'dead_letter.discarded',
      object: 'delivery',
      call: async () => ({ path: `/dead-letter/${await deliveryThatIs('dead_letter', [])}` }),
    },
    replayDeliveries: {
      action: 'replay.created',
      object: 'replay',
      call: () => ({ path: '/deliveries/replay', body: { status: 'cancelled' } }),
    },
    recoverEndpoint: {
      action: 'replay.created',
      object: 'replay',
      onAnswered: true,
      call: async () => ({
        path: `/endpoints/${await endpoint()}/recover`,
        body: { since: '2026-01-01T00:00:00Z' },
      }),
    },
    replayDeadLetters: {
      action: 'replay.created',
      object: 'replay',
      call: () => ({ path: '/dead-letter/replay', body: {} }),
    },
    pauseReplay: {
      action: 'replay.paused',
      object: 'replay',
      call: async () => ({ path: `/replays/${await unfinishedReplay()}/pause` }),
    },
    resumeReplay: {
      action: 'replay.resumed',
      object: 'replay',
      call: async () => {
        const id = await unfinishedReplay();
        await call('POST', `/replays/${id}/pause`);
        return { path: `/replays/${id}/resume` };
      },
    },
    cancelReplay: {
      action: 'replay.cancelled',
      object: 'replay',
      call: async () => ({ path: `/replays/${await unfinishedReplay()}/cancel` }),
    },
  };

  /** Entries on an object, newest first, whoever's. */
  const entriesOn = (objectId: string) =>
    api.rows<{
      action: string;
      actor_kind: string;
      tenant_id: string;
      object_kind: string;
      changes: unknown;
    }>('SELECT * FROM audit_log WHERE object_id = $1 ORDER BY id DESC', [objectId]);

  it('has an entry of every route that changes something', async () => {
    const covered = new Set<string>();
    for (const route of api.routes.filter(({ method }) => method !== 'GET')) {
      const plan = CASES[route.operationId];
      if (plan === undefined)
        throw new Error(`${route.operationId} is not covered: say which audit entry it leaves, or why none`);
      covered.add(route.operationId);
      if ('none' in plan) continue;
      const operators = route.security.includes('operator_token');
      const { path, body } = await plan.call();
      const answer = await call(route.method, path, body, operators ? OPERATOR_TOKEN : tenant.key);
      expect([route.operationId, answer.status < 300, answer.text]).toEqual([
        route.operationId,
        true,
        answer.text,
      ]);
      for (const name of ['secret', 'key', 'api_key']) {
        const shown = (answer.body as Record<string, unknown> | undefined)?.[name];
        if (typeof shown === 'string') secrets.push(shown);
      }
      const named =
        (plan.onAnswered
          ? undefined
          : /\/((?:tnt|ep|dlv|key|rpl)_[0-9a-z]{26}|(?<=event-types\/).+)/.exec(path)?.[1]) ??
        answer.body.id ??
        answer.body.name;
      // the newest by a person: a workflow that takes up an earlier wish meanwhile may leave one of its own
      const [entry] = (await entriesOn(named as string)).filter(({ actor_kind: kind }) => kind !== 'system');
      expect([route.operationId, entry]).toEqual([
        route.operationId,
        expect.objectContaining({
          action: plan.action,
          object_kind: plan.object,
          actor_kind: operators ? 'operator' : 'key',
        }),
      ]);
    }
    expect(covered).toEqual(new Set(Object.keys(CASES)));
    const stored = JSON.stringify(await api.rows('SELECT * FROM audit_log'));
    const listed = (await call('GET', '/audit-log?limit=200')).text;
    expect(secrets.length).toBeGreaterThan(15);
    for (const secret of secrets) {
      expect(stored).not.toContain(secret);
      expect(listed).not.toContain(secret);
    }
  });

  it('tells who changed which fields from what to what', async () => {
    const id = await endpoint({ timeout_ms: 5_000 });
    await call('PATCH', `/endpoints/${id}`, {
      timeout_ms: 2_000,
      description: 'Orders',
      max_in_flight: 100,
      headers: { 'X-New': HEADER_SECRET },
    });
    await call('PATCH', `/endpoints/${id}`, { status: 'disabled' });
    const { body } = await call('GET', `/audit-log?object_id=${id}`);
    const [{ prefix }] = (await call('GET', '/api-keys?limit=200')).body.data.slice(-1);
    expect(body.data).toMatchObject([
      {
        action: 'endpoint.disabled',
        reason: 'disabled through the API',
        changes: { status: { from: 'enabled', to: 'disabled' } },
      },
      {
        action: 'endpoint.updated',
        actor: { kind: 'key', name: 'First key', prefix },
        object_kind: 'endpoint',
      },
      { action: 'endpoint.created', changes: { timeout_ms: { to: 5_000 } } },
    ]);
    expect(body.data[1].changes).toEqual({
      timeout_ms: { from: 5_000, to: 2_000 },
      description: { from: '', to: 'Orders' },
      headers: { from: '[redacted]', to: '[redacted]' },
    });
  });

  it('says nothing where nothing changed', async () => {
    const id = await endpoint();
    await call('POST', `/endpoints/${id}/pause`);
    await call('POST', `/endpoints/${id}/pause`);
    await call('PATCH', `/endpoints/${id}`, { url: receiver.url('/failing') });
    expect((await call('PATCH', `/endpoints/${id}`, { url: 'nonsense' })).status).toBe(422);
    const actions = (await entriesOn(id)).map(({ action }) => action);
    expect(actions).toEqual(['endpoint.paused', 'endpoint.created']);
  });

  it('names the system where Hookstream itself disables an endpoint', async () => {
    receiver.on('/gone', { status: 410 });
    const id = await endpoint({ url: receiver.url('/gone') });
    await call('POST', '/events', { type: 'a', data: 1, endpoint_ids: [id] });
    await eventually(async () => (await call('GET', `/endpoints/${id}`)).body.status === 'disabled');
    const { body } = await call('GET', `/audit-log?object_id=${id}&action=endpoint.disabled`);
    expect(body.data).toMatchObject([
      {
        actor: { kind: 'system', id: null, name: null },
        reason: 'the receiver answered 410 Gone',
        changes: { status: { from: 'enabled', to: 'disabled' } },
      },
    ]);
  });

  it('pages, newest first, and filters by time', async () => {
    const own = await api.createTenant();
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const { body } = await call('POST', '/api-keys', { name, scopes: ['events:read'] }, own.key);
      ids.unshift(body.id as string);
    }
    const list = async (query: string) => (await call('GET', `/audit-log?${query}`, undefined, own.key)).body;
    const objects = (page: { data: { object_id: string }[] }) => page.data.map((entry) => entry.object_id);
    const first = await list('limit=2');
    expect(objects(first)).toEqual(ids.slice(0, 2));
    const second = await list(`limit=2&cursor=${first.next_cursor as string}`);
    expect(objects(second)).toEqual([ids[2], own.id]);
    expect(second.next_cursor).toBeNull();
    const at = first.data[1].created_at as string;
    expect(objects(await list(`since=${at}&action=api_key.created`))).toEqual(ids.slice(0, 2));
    expect(objects(await list(`until=${at}`))).toEqual([ids[2], own.id]);
    expect((await call('GET', '/audit-log?action=made.up')).status).toBe(422);
    expect(
      await api.rows('SELECT 1 FROM audit_log WHERE tenant_id = $1', [idToUuid('tenant', own.id)]),
    ).toHaveLength(4);
  });
});
