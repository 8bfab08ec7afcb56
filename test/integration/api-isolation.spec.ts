// Real: API on a socket, Postgres, Temporal. Two tenants; each route of the contract is called by one on the other's objects.
import { idToUuid } from '@hookstream/domain';
import { startTestApi, type TestApi, type TestTenant } from './api-fixture.js';

interface Objects {
  endpointId: string;
  eventTypeName: string;
  eventId: string;
  deliveryId: string;
  deadLetterId: string;
  keyId: string;
  replayId: string;
}

/** Why a route needs no call on somebody else's object, or how it is called and what must come of it. */
type Case =
  | { kind: 'own_id'; id: keyof Objects; body?: unknown }
  | { kind: 'list'; query?: (theirs: Objects) => string }
  | { kind: 'body'; body: (theirs: Objects) => unknown; refused: (body: never) => unknown }
  | { kind: 'no_object'; because: string };

const CASES: Readonly<Record<string, Case>> = {
  createApiKey: { kind: 'no_object', because: 'makes a key of the calling tenant; names nothing' },
  listApiKeys: { kind: 'list' },
  getApiKey: { kind: 'own_id', id: 'keyId' },
  revokeApiKey: { kind: 'own_id', id: 'keyId' },
  rotateApiKey: { kind: 'own_id', id: 'keyId' },
  getStats: { kind: 'list' },
  getEndpointStats: { kind: 'own_id', id: 'endpointId' },
  listAuditEntries: { kind: 'list', query: (o) => `?object_id=${o.endpointId}` },
  createEndpoint: { kind: 'no_object', because: 'names nothing that exists' },
  listEndpoints: { kind: 'list' },
  getEndpoint: { kind: 'own_id', id: 'endpointId' },
  updateEndpoint: { kind: 'own_id', id: 'endpointId', body: { url: 'https://attacker.example' } },
  deleteEndpoint: { kind: 'own_id', id: 'endpointId' },
  pauseEndpoint: { kind: 'own_id', id: 'endpointId' },
  resumeEndpoint: { kind: 'own_id', id: 'endpointId' },
  getCircuit: { kind: 'own_id', id: 'endpointId' },
  resetCircuit: { kind: 'own_id', id: 'endpointId' },
  rotateEndpointSecret: { kind: 'own_id', id: 'endpointId' },
  testEndpoint: { kind: 'own_id', id: 'endpointId' },
  testEndpointFilter: { kind: 'own_id', id: 'endpointId', body: { event: { type: 'a', data: 1 } } },
  verifyEndpoint: { kind: 'own_id', id: 'endpointId' },
  createEventType: { kind: 'no_object', because: 'a name is of the tenant: two may have the same' },
  listEventTypes: { kind: 'list' },
  getEventType: { kind: 'own_id', id: 'eventTypeName' },
  updateEventType: { kind: 'own_id', id: 'eventTypeName', body: { description: 'attacked' } },
  deleteEventType: { kind: 'own_id', id: 'eventTypeName' },
  createEvent: {
    kind: 'body',
    body: ({ endpointId }) => ({ type: 'a', data: 1, endpoint_ids: [endpointId] }),
    refused: (body: { status: number }) => body.status,
  },
  createEvents: {
    kind: 'body',
    body: ({ endpointId }) => [{ type: 'a', data: 1, endpoint_ids: [endpointId] }],
    refused: (body: { data: { status: number }[] }) => body.data[0]?.status,
  },
  listEvents: { kind: 'list' },
  getEvent: { kind: 'own_id', id: 'eventId' },
  listDeliveries: { kind: 'list', query: (o) => `?endpoint_id=${o.endpointId}&event_id=${o.eventId}` },
  getDelivery: { kind: 'own_id', id: 'deliveryId' },
  getDeliveryState: { kind: 'own_id', id: 'deliveryId' },
  replayDelivery: { kind: 'own_id', id: 'deadLetterId' },
  retryDeliveryNow: { kind: 'own_id', id: 'deliveryId' },
  cancelDelivery: { kind: 'own_id', id: 'deliveryId' },
  listDeadLetters: { kind: 'list', query: (o) => `?endpoint_id=${o.endpointId}` },
  discardDeadLetter: { kind: 'own_id', id: 'deadLetterId' },
  replayDeliveries: {
    kind: 'body',
    body: ({ endpointId }) => ({ endpoint_id: endpointId }),
    refused: (body: { status: number }) => body.status,
  },
  recoverEndpoint: { kind: 'own_id', id: 'endpointId', body: { since: '2026-01-01T00:00:00Z' } },
  replayDeadLetters: {
    kind: 'body',
    body: ({ eventId }) => ({ event_id: eventId }),
    refused: (body: { status: number }) => body.status,
  },
  listReplays: { kind: 'list' },
  getReplay: { kind: 'own_id', id: 'replayId' },
  pauseReplay: { kind: 'own_id', id: 'replayId' },
  resumeReplay: { kind: 'own_id', id: 'replayId' },
  cancelReplay: { kind: 'own_id', id: 'replayId' },
};

describe('tenants', () => {
  let api: TestApi;
  let ours: TestTenant;
  let owner: TestTenant;
  let theirs: Objects;

  beforeAll(async () => {
    api = await startTestApi();
    [ours, owner] = [await api.createTenant('Ours'), await api.createTenant('Theirs')];
    theirs = await objectsOf(owner);
    await objectsOf(ours);
  });
  afterAll(() => api.close());

  const objectsOf = async (tenant: TestTenant): Promise<Objects> => {
    const call = (method: string, path: string, body?: unknown) =>
      api.call(method, path, { token: tenant.key, body });
    const endpoint = await call('POST', '/endpoints', { url: 'https://example.com/hooks' });
    const eventTypeName = `order.made_by_${tenant.id}`;
    await call('POST', '/event-types', { name: eventTypeName });
    const event = await call('POST', '/events', { type: 'order.paid', data: { secret: tenant.id } });
    const dead = await call('POST', '/events', { type: 'order.paid', data: 2 });
    const deliveryOf = async (id: string): Promise<string> =>
      (await call('GET', `/events/${id}`)).body.deliveries[0].id as string;
    const deadLetterId = await deliveryOf(dead.body.id as string);
    await api.rows(`UPDATE deliveries SET status = 'dead_letter', completed_at = now() WHERE id = $1`, [
      idToUuid('delivery', deadLetterId),
    ]);
    await api.rows('DELETE FROM outbox WHERE delivery_id = $1', [idToUuid('delivery', deadLetterId)]);
    return {
      endpointId: endpoint.body.id as string,
      eventTypeName,
      eventId: event.body.id as string,
      deliveryId: await deliveryOf(event.body.id as string),
      deadLetterId,
      replayId: (await call('POST', '/dead-letter/replay')).body.id as string,
      keyId: (await call('GET', '/api-keys')).body.data[0].id as string,
    };
  };

  /** All that the owner has, as the database tells it. */
  const snapshot = async (): Promise<string> => {
    const uuid = idToUuid('tenant', owner.id);
    const tables = [
      'api_keys',
      'event_types',
      'endpoints',
      'endpoint_secrets',
      'events',
      'deliveries',
      'attempts',
      'outbox',
      'audit_log',
      'replays',
    ];
    const rows = await Promise.all(
      tables.map((table) => api.rows(`SELECT * FROM ${table} WHERE tenant_id = $1 ORDER BY 1`, [uuid])),
    );
    return JSON.stringify(rows, (key, value: unknown) => (key === 'last_used_at' ? undefined : value));
  };

  it('cannot see or touch the objects of others, on any route of the contract', async () => {
    const before = await snapshot();
    const identifiers = Object.values(theirs);
    const covered = new Set<string>();
    for (const route of api.routes) {
      if (route.path.startsWith('/health') || route.security.includes('operator_token')) continue;
      const plan = CASES[route.operationId];
      if (plan === undefined)
        throw new Error(`${route.operationId} is not covered: add how it treats others' objects`);
      covered.add(route.operationId);
      if (plan.kind === 'no_object') continue;
      const path =
        plan.kind === 'own_id'
          ? route.path.replace(/\{(?:id|name)\}/, theirs[plan.id])
          : `${route.path}${plan.kind === 'list' ? (plan.query?.(theirs) ?? '') : ''}`;
      const body = plan.kind === 'body' ? plan.body(theirs) : plan.kind === 'own_id' ? plan.body : undefined;
      const answer = await api.call(route.method, path, { token: ours.key, body });
      if (plan.kind === 'own_id')
        expect([route.operationId, answer.status]).toEqual([route.operationId, 404]);
      if (plan.kind === 'body') {
        expect([route.operationId, plan.refused(answer.body as never)]).toEqual([route.operationId, 422]);
      }
      if (plan.kind === 'list') {
        expect(answer.status).toBe(200);
        for (const id of [...identifiers, owner.id]) expect(answer.text).not.toContain(id);
      }
    }
    expect(covered).toEqual(new Set(Object.keys(CASES)));
    expect(await snapshot()).toBe(before);
  });

  it('see their own with the same calls, so that a 404 above means somebody else', async () => {
    for (const path of [
      `/endpoints/${theirs.endpointId}`,
      `/event-types/${theirs.eventTypeName}`,
      `/events/${theirs.eventId}`,
      `/deliveries/${theirs.deliveryId}`,
      `/deliveries/${theirs.deliveryId}/state`,
      `/api-keys/${theirs.keyId}`,
      `/replays/${theirs.replayId}`,
    ]) {
      expect([path, (await api.call('GET', path, { token: owner.key })).status]).toEqual([path, 200]);
    }
    const listed = await api.call('GET', `/dead-letter?endpoint_id=${theirs.endpointId}`, {
      token: owner.key,
    });
    expect(listed.body.data).toMatchObject([{ id: theirs.deadLetterId, status: 'dead_letter' }]);
  });

  it('cannot use a cursor of somebody else to look into their lists', async () => {
    const answer = await api.call('GET', `/events?cursor=${theirs.eventId}`, { token: ours.key });
    expect(answer.text).not.toContain(theirs.eventId);
    expect(answer.text).not.toContain(owner.id);
  });

  it('are served by no route that the contract does not name', () => {
    const contract = api.routes.map(
      (route) => `${route.method} /api/v1${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    );
    expect([...api.registered].sort()).toEqual(contract.sort());
  });
});
