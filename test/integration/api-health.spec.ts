// Real: API on a socket, Postgres, Temporal; each is taken away in turn.
import { createServer } from 'node:net';
import { startTestApi, type TestApi } from './api-fixture.js';

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const workerSeen = (api: TestApi, seen: string, dispatched: string) =>
  api.rows(
    `INSERT INTO workers (id, started_at, seen_at, last_dispatch_at) VALUES ('w', now(), now() - $1::interval, now() - $2::interval)
     ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, last_dispatch_at = excluded.last_dispatch_at`,
    [seen, dispatched],
  );

describe('health', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  it('is live whatever else is', async () => {
    expect((await api.call('GET', '/health/live')).status).toBe(200);
  });

  it.each(['/health', '/health/ready'])('%s is down without a worker, up with one', async (path) => {
    await api.rows('DELETE FROM workers');
    const without = await api.call('GET', path);
    expect([without.status, Object.keys(without.body.error as object)]).toEqual([503, ['dispatcher']]);
    await workerSeen(api, '1 s', '1 hour');
    const up = await api.call('GET', path);
    expect(up.status).toBe(200);
    expect(Object.keys(up.body.details as object).sort()).toEqual([
      'dispatcher',
      'migrations',
      'postgres',
      'temporal',
    ]);
    await workerSeen(api, '16 s', '1 s');
    expect((await api.call('GET', path)).status).toBe(503);
  });

  it('is down when something has been due for long and nothing goes out', async () => {
    const tenant = await api.createTenant();
    await api.call('POST', '/endpoints', { token: tenant.key, body: { url: 'https://example.com' } });
    await api.call('POST', '/events', { token: tenant.key, body: { type: 'a', data: 1 } });
    await api.rows(
      `UPDATE outbox SET due_at = now() - interval '31 s', claimable_at = now() - interval '31 s'`,
    );
    await api.rows(`UPDATE endpoints SET updated_at = now() - interval '1 hour'`);
    await workerSeen(api, '1 s', '31 s');
    const stuck = await api.call('GET', '/health/ready');
    expect([stuck.status, Object.keys(stuck.body.error as object)]).toEqual([503, ['dispatcher']]);
    await workerSeen(api, '1 s', '1 s');
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
    await workerSeen(api, '1 s', '31 s');
    await api.rows(`UPDATE endpoints SET circuit_state = 'open'`);
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
    await api.rows(`UPDATE endpoints SET circuit_state = 'closed'`);
    expect((await api.call('GET', '/health/ready')).status).toBe(503);
    await api.rows(`UPDATE outbox SET claimable_at = 'infinity'`);
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
  });

  it('is down while a migration is missing', async () => {
    await workerSeen(api, '1 s', '1 s');
    const [row] = await api.rows<{ id: number }>('SELECT id FROM migrations ORDER BY id DESC LIMIT 1');
    await api.rows('UPDATE migrations SET timestamp = timestamp + 1, name = name || $1', ['x']);
    try {
      const answer = await api.call('GET', '/health/ready');
      expect([answer.status, Object.keys(answer.body.error as object)]).toEqual([503, ['migrations']]);
    } finally {
      await api.rows(`UPDATE migrations SET timestamp = timestamp - 1, name = left(name, -1)`);
    }
    expect(row).toBeDefined();
  });
});

describe('without Temporal', () => {
  it('accepts events, says so in its health, and refuses what needs it with 503', async () => {
    const temporal = {
      address: `127.0.0.1:${await unusedPort()}`,
      namespace: 'hookstream',
      retentionMs: 86_400_000,
      uiUrl: 'http://127.0.0.1:8233',
    };
    const api = await startTestApi({ temporal });
    try {
      const tenant = await api.createTenant();
      const endpoint = await api.call('POST', '/endpoints', {
        token: tenant.key,
        body: { url: 'https://e.com' },
      });
      const accepted = await api.call('POST', '/events', { token: tenant.key, body: { type: 'a', data: 1 } });
      expect([accepted.status, accepted.body.deliveries]).toEqual([202, 1]);
      await workerSeen(api, '1 s', '1 s');
      const health = await api.call('GET', '/health');
      expect([health.status, Object.keys(health.body.error as object)]).toEqual([503, ['temporal']]);
      const test = await api.call('POST', `/endpoints/${endpoint.body.id as string}/test`, {
        token: tenant.key,
      });
      expect([test.status, test.body.code]).toEqual([503, 'temporal_unavailable']);
      expect(await api.rows(`SELECT status FROM deliveries WHERE event_type = 'endpoint.test'`)).toEqual([
        { status: 'cancelled' },
      ]);
    } finally {
      await api.close();
    }
  }, 60_000);
});

describe('without Postgres', () => {
  it('answers 503 as problem+json and is not ready', async () => {
    const api = await startTestApi();
    try {
      const tenant = await api.createTenant();
      expect((await api.call('GET', '/events', { token: tenant.key })).status).toBe(200);
      await api.database.pool.end();
      const refused = await api.call('POST', '/events', { token: tenant.key, body: { type: 'a', data: 1 } });
      expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
        503,
        'database_unavailable',
        '1',
      ]);
      const health = await api.call('GET', '/health/ready');
      expect(health.status).toBe(503);
      expect(Object.keys(health.body.error as object)).toContain('postgres');
      expect((await api.call('GET', '/health/live')).status).toBe(200);
    } finally {
      await api.close();
    }
  });
});
