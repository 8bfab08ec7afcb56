// Real: API on a socket, Postgres. The routes come from the contract, so that a new one is covered or fails here.
import { SCOPES } from './api-scopes.js';
import { OPERATOR_TOKEN, startTestApi, type TestApi, type TestTenant } from './api-fixture.js';
import { eventually } from '@hookstream/testing';
import { idToUuid, newId } from '@hookstream/domain';

describe('who may call what', () => {
  let api: TestApi;
  let tenant: TestTenant;
  beforeAll(async () => {
    api = await startTestApi();
    tenant = await api.createTenant();
  });
  afterAll(() => api.close());

  const createKey = async (body: object): Promise<{ id: string; key: string }> =>
    (await api.call('POST', '/api-keys', { token: tenant.key, body: { name: 'k', ...body } })).body;
  const me = (key: string) => api.call('GET', '/events', { token: key });
  const concrete = (path: string): string => path.replace('{id}', newId('event'));

  it('asks for credentials on every route but health', async () => {
    for (const route of api.routes) {
      const answer = await api.call(route.method, concrete(route.path));
      const open = route.path.startsWith('/health');
      expect([route.operationId, open ? answer.status !== 401 : answer.status]).toEqual([
        route.operationId,
        open ? true : 401,
      ]);
      if (!open) expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  it.each([
    ['no key at all', 'nonsense'],
    ['an unknown key', `hs_live_${'a'.repeat(43)}`],
    ['an empty one', ' '],
  ])('refuses %s', async (_what, token) => {
    expect((await me(token)).status).toBe(401);
  });

  it('asks for a scope of its own on every route of a tenant, and takes that one or all', async () => {
    const covered = new Set<string>();
    for (const route of api.routes) {
      if (route.path.startsWith('/health') || route.security.includes('operator_token')) continue;
      const scope = SCOPES[route.operationId];
      if (scope === undefined)
        throw new Error(`${route.operationId} is not covered: say which scope it needs`);
      covered.add(route.operationId);
      const others = [...new Set(Object.values(SCOPES))].filter((other) => other !== scope);
      const without = await createKey({ scopes: others });
      const refused = await api.call(route.method, concrete(route.path), { token: without.key });
      expect([route.operationId, refused.status, refused.body.detail]).toEqual([
        route.operationId,
        403,
        `The API key lacks the scope "${scope}".`,
      ]);
      const only = await createKey({ scopes: [scope] });
      for (const key of [only.key, tenant.key]) {
        const allowed = await api.call(route.method, concrete(route.path), { token: key });
        expect([route.operationId, [401, 403].includes(allowed.status)]).toEqual([route.operationId, false]);
      }
    }
    expect(covered).toEqual(new Set(Object.keys(SCOPES)));
  });

  it("keeps the operator's routes for the operator and the operator out of tenants", async () => {
    for (const route of api.routes) {
      if (route.path.startsWith('/health')) continue;
      const operators = route.security.includes('operator_token');
      const token = operators ? tenant.key : OPERATOR_TOKEN;
      const answer = await api.call(route.method, concrete(route.path), { token });
      expect([route.operationId, answer.status]).toEqual([route.operationId, 403]);
    }
  });

  it('takes a key in X-API-Key as well', async () => {
    expect((await api.call('GET', '/events', { headers: { 'x-api-key': tenant.key } })).status).toBe(200);
    expect((await api.call('GET', '/events', { headers: { 'x-api-key': 'x' } })).status).toBe(401);
  });

  it('shows a key once and stores its hash alone', async () => {
    const created = await createKey({ name: 'once', mode: 'test', scopes: ['events:read'] });
    expect(created.key).toMatch(/^hs_test_[A-Za-z0-9_-]{43}$/);
    const shown = await api.call('GET', `/api-keys/${created.id}`, { token: tenant.key });
    expect(shown.body).toMatchObject({
      name: 'once',
      prefix: created.key.slice(0, 14),
      scopes: ['events:read'],
    });
    const list = await api.call('GET', '/api-keys?limit=200', { token: tenant.key });
    const stored = JSON.stringify(await api.rows('SELECT * FROM api_keys'));
    for (const text of [shown.text, list.text, stored]) expect(text).not.toContain(created.key);
  });

  it('gives no scope that the asking key lacks', async () => {
    const { key } = await createKey({ scopes: ['api-keys:write', 'events:read'] });
    const ask = (scopes: string[]) =>
      api.call('POST', '/api-keys', { token: key, body: { name: 'more', scopes } });
    expect((await ask(['events:read'])).status).toBe(201);
    expect((await ask(['events:write'])).status).toBe(403);
    expect((await ask(['*'])).status).toBe(403);
    expect((await api.call('POST', '/api-keys', { token: key, body: { name: 'default' } })).status).toBe(403);
  });

  it('stops a revoked key within a second', async () => {
    const { id, key } = await createKey({});
    expect((await me(key)).status).toBe(200);
    expect((await api.call('DELETE', `/api-keys/${id}`, { token: tenant.key })).status).toBe(204);
    const revokedAt = Date.now();
    await eventually(async () => (await me(key)).status === 401, { timeoutMs: 3_000 });
    expect(Date.now() - revokedAt).toBeLessThan(1_500);
    expect((await api.call('GET', `/api-keys/${id}`, { token: tenant.key })).status).toBe(404);
    expect((await api.call('DELETE', `/api-keys/${id}`, { token: tenant.key })).status).toBe(404);
  });

  it('stops a key at its end, also while it is cached', async () => {
    const { key } = await createKey({ expires_at: new Date(Date.now() + 1_500).toISOString() });
    expect((await me(key)).status).toBe(200);
    await eventually(async () => (await me(key)).status === 401, { timeoutMs: 5_000 });
  });

  it('stops the keys of a deleted tenant and cancels what it had waiting', async () => {
    const other = await api.createTenant();
    await api.call('POST', '/endpoints', { token: other.key, body: { url: 'https://example.com' } });
    const event = await api.call('POST', '/events', { token: other.key, body: { type: 'a', data: 1 } });
    expect(event.body.deliveries).toBe(1);
    expect((await api.call('DELETE', `/tenants/${other.id}`, { token: OPERATOR_TOKEN })).status).toBe(204);
    await eventually(async () => (await me(other.key)).status === 401, { timeoutMs: 3_000 });
    const uuid = idToUuid('tenant', other.id);
    expect(await api.rows('SELECT 1 FROM outbox WHERE tenant_id = $1', [uuid])).toEqual([]);
    expect(await api.rows('SELECT status FROM deliveries WHERE tenant_id = $1', [uuid])).toEqual([
      { status: 'cancelled' },
    ]);
    expect((await api.call('GET', `/tenants/${other.id}`, { token: OPERATOR_TOKEN })).status).toBe(404);
  });

  describe('rotation', () => {
    const rotate = (id: string, body?: object, token = tenant.key) =>
      api.call('POST', `/api-keys/${id}/rotate`, { token, body });

    it('makes a key that may do the same, and both work until the overlap ends', async () => {
      const old = await createKey({ name: 'Orders', scopes: ['events:read'], mode: 'test' });
      const before = Date.now();
      const { status, body } = await rotate(old.id);
      expect(status).toBe(201);
      expect(body).toMatchObject({ name: 'Orders', scopes: ['events:read'], expires_at: null });
      expect(body).toMatchObject({ previous_key_id: old.id });
      expect(body.key).toMatch(/^hs_test_/);
      expect(body.id).not.toBe(old.id);
      const end = Date.parse(body.previous_key_expires_at as string);
      expect(end).toBeGreaterThanOrEqual(before + 86_400_000);
      expect(end).toBeLessThan(Date.now() + 86_401_000);
      for (const key of [old.key, body.key as string]) {
        expect((await me(key)).status).toBe(200);
        expect((await api.call('GET', '/endpoints', { token: key })).status).toBe(403);
      }
    });

    it('stops the key before at the end of the overlap, also while it is cached', async () => {
      const old = await createKey({});
      const { body } = await rotate(old.id, { overlap_seconds: 2 });
      expect((await me(old.key)).status).toBe(200);
      await eventually(async () => (await me(old.key)).status === 401, { timeoutMs: 10_000 });
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(body.previous_key_expires_at as string));
      expect((await me(body.key as string)).status).toBe(200);
      expect((await rotate(old.id)).status).toBe(404);
    });

    it('stops it at once where no overlap is wanted', async () => {
      const old = await createKey({});
      expect((await me(old.key)).status).toBe(200);
      expect((await rotate(old.id, { overlap_seconds: 0 })).status).toBe(201);
      await eventually(async () => (await me(old.key)).status === 401, { timeoutMs: 3_000 });
    });

    it('does not lengthen the life of a key, and gives the new one the end it is told', async () => {
      const ends = new Date(Date.now() + 3_600_000).toISOString();
      const old = await createKey({ expires_at: ends });
      const later = new Date(Date.now() + 86_400_000).toISOString();
      const { body } = await rotate(old.id, { overlap_seconds: 7_200, expires_at: later });
      expect(body).toMatchObject({ previous_key_expires_at: ends, expires_at: later });
    });

    it('gives nobody a key that may do more than their own', async () => {
      const wide = await createKey({ scopes: ['*'] });
      const narrow = await createKey({ scopes: ['api-keys:write', 'events:read'] });
      const refused = await rotate(wide.id, {}, narrow.key);
      expect([refused.status, refused.body.detail]).toEqual([
        403,
        'This key lacks the scope "*" and so cannot give it.',
      ]);
      expect((await me(wide.key)).status).toBe(200);
      const [row] = await api.rows<{ expires_at: Date | null }>(
        'SELECT expires_at FROM api_keys WHERE id = $1',
        [idToUuid('apiKey', wide.id)],
      );
      expect(row?.expires_at).toBeNull();
    });

    it('knows no revoked key', async () => {
      const { id } = await createKey({});
      await api.call('DELETE', `/api-keys/${id}`, { token: tenant.key });
      expect((await rotate(id)).status).toBe(404);
    });
  });

  it('notes when a key was last used', async () => {
    const { id, key } = await createKey({});
    await me(key);
    await eventually(async () => {
      const { body } = await api.call('GET', `/api-keys/${id}`, { token: tenant.key });
      return body.last_used_at !== null;
    });
  });

  it('lets the operator list, change and page tenants', async () => {
    const other = await api.createTenant('Second');
    const first = await api.call('GET', '/tenants?limit=1', { token: OPERATOR_TOKEN });
    expect(first.body.data).toMatchObject([{ id: other.id, name: 'Second' }]);
    expect(first.body.next_cursor).toBe(other.id);
    const changed = await api.call('PATCH', `/tenants/${other.id}`, {
      token: OPERATOR_TOKEN,
      body: { name: 'Renamed', metadata: { plan: 'pro' } },
    });
    expect(changed.body).toMatchObject({ name: 'Renamed', metadata: { plan: 'pro' } });
  });
});
