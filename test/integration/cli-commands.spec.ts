// Real: the commands in this process, Postgres, an API on a socket, a worker and deliveries that it signs.
import { generateSecret, publicKeyOf } from '@hookstream/signing';
import { createTestDatabase, eventually, type TestDatabase } from '@hookstream/testing';
import type { HookstreamWorker } from '@hookstream/worker';
import { OPERATOR_TOKEN, type TestApi } from './api-fixture.js';
import { startApiInOwnNamespace, startApiWorker } from './api-worker.js';
import { runCommand } from './cli-console.js';

describe('hookstream migrate, tenant, key and retention', () => {
  let testDatabase: TestDatabase;
  let env: Record<string, string>;
  const rows = async <T extends object>(sql: string): Promise<T[]> =>
    (await (await testDatabase.open()).pool.query<T>(sql)).rows;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    env = {
      DATABASE_URL: testDatabase.url,
      HOOKSTREAM_PARTITIONS_AHEAD_DAYS: '2',
      HOOKSTREAM_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    };
  });
  afterAll(() => testDatabase.drop());

  it('migrate makes an empty database whole, and changes nothing the next time', async () => {
    await rows('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    const first = await runCommand(['migrate'], env);
    expect(first).toMatchObject({ code: 0, told: [] });
    expect(first.printed.at(-1)).toMatch(/\d+ partitions made/);
    expect(await runCommand(['migrate'], env)).toMatchObject({
      code: 0,
      printed: ['the schema is up to date'],
    });
  });

  it('retention run drops what is over its time and makes what is missing', async () => {
    await rows(`CREATE TABLE events_20200101 (LIKE events INCLUDING ALL);
      DO $$ DECLARE name text; BEGIN
        SELECT max(relname) INTO name FROM pg_class WHERE relname ~ '^attempts_[0-9]{8}$'; EXECUTE 'DROP TABLE ' || name;
      END $$`);
    const { code, printed } = await runCommand(['retention', 'run'], env);
    expect(code).toBe(0);
    expect(printed.slice(0, 2)).toEqual(['partitions made     1', 'partitions dropped  1']);
    expect(await rows(`SELECT FROM pg_class WHERE relname = 'events_20200101'`)).toHaveLength(0);
  });

  it.each([
    [['tenant', 'create'], 2, /--name/],
    [['tenant', 'create', '--name', ' '], 2, /1 to 200/],
    [['key', 'create', '--tenant', 'tnt_x', '--name', 'K'], 1, /not a tenant id/],
    [['key', 'create', '--tenant', 'tnt_01k5b7m3x8e4s9t2v6w0yzqrcc', '--name', 'K'], 1, /there is no tenant/],
    [['key', 'create', '--tenant', 'x', '--name', 'K', '--scope', 'everything'], 2, /events:write/],
    [['listen'], 1, /--secret/],
    [['listen', '--secret', 'whsec_not base64'], 2, /not a signing secret/],
    [['fly'], 2, /unknown command/],
  ])('%j is refused with code %i', async (args, code, words) => {
    const run = await runCommand(args, env);
    expect(run).toMatchObject({ code, printed: [] });
    expect(run.told.join('\n')).toMatch(words);
  });

  it('names what is wrong with the settings, and no value', async () => {
    const run = await runCommand(['migrate'], { DATABASE_URL: 'mysql://user:hunter2@db/x' });
    expect(run.code).toBe(1);
    expect(run.told.join('\n')).toContain('DATABASE_URL: must be a URL');
    expect(run.told.join('\n')).not.toContain('hunter2');
  });
});

describe('what is made on the command line', () => {
  let api: TestApi;
  let worker: HookstreamWorker;
  let env: Record<string, string>;

  beforeAll(async () => {
    api = await startApiInOwnNamespace();
    worker = await startApiWorker(api);
    env = { DATABASE_URL: api.config.database.url };
  });
  afterAll(async () => {
    await worker.stop();
    await api.close();
  });

  const createTenant = async (): Promise<{ id: string; api_key: string }> => {
    const { code, printed } = await runCommand(['tenant', 'create', '--name', 'Acme', '--json'], env);
    expect(code).toBe(0);
    return JSON.parse(printed.join(''));
  };

  it('is a tenant whose key the API takes, and a key that may do what was said', async () => {
    const tenant = await createTenant();
    expect((await api.call('GET', '/endpoints', { token: tenant.api_key })).status).toBe(200);
    const { body } = await api.call('GET', `/tenants/${tenant.id}`, { token: OPERATOR_TOKEN });
    expect(body).toMatchObject({ name: 'Acme' });

    const args = ['key', 'create', '--tenant', tenant.id, '--name', 'Reader', '--mode', 'test'];
    const made = await runCommand(
      [...args, '--scope', 'events:read', '--expires-at', '2099-01-01T00:00:00Z'],
      env,
    );
    expect(made.code).toBe(0);
    const key = made.printed[1]?.split(/\s+/).at(-1) ?? '';
    expect(key).toMatch(/^hs_test_/);
    expect((await api.call('GET', '/events', { token: key })).status).toBe(200);
    expect((await api.call('GET', '/endpoints', { token: key })).status).toBe(403);
    const { body: audit } = await api.call('GET', '/audit-log', { token: tenant.api_key });
    expect(audit.data[0]).toMatchObject({ action: 'api_key.created', actor: { kind: 'operator' } });
  });

  it('listen makes an endpoint, shows and verifies what it is sent, and takes the endpoint away', async () => {
    const tenant = await createTenant();
    const token = tenant.api_key;
    const options = ['--api-url', api.url, '--api-key', token, '--count', '2'];
    const listening = runCommand(['listen', ...options], {});
    const [endpoint] = await eventually(async () => {
      const { body } = await api.call('GET', '/endpoints', { token });
      return body.data.length > 0 && body.data;
    });
    const event = { type: 'order.paid', data: { order: 'o-1\u001b[2J' } };
    const { body: accepted } = await api.call('POST', '/events', { token, body: event });
    await eventually(async () => {
      const { body } = await api.call('GET', `/events/${accepted.id}`, { token });
      return body.deliveries[0]?.status === 'succeeded';
    });
    const { body: delivered } = await api.call('GET', `/events/${accepted.id}`, { token });
    await api.call('POST', `/deliveries/${delivered.deliveries[0].id}/replay`, { token });

    const { code, printed } = await listening;
    expect(code).toBe(0);
    const shown = printed.join('\n');
    expect(shown.match(/^ {2}verified$/gm)).toHaveLength(2);
    expect(shown).toContain(`webhook-id  ${accepted.id}\n`);
    expect(shown).toContain(`webhook-id  ${accepted.id}, came before`);
    expect(shown).toContain('"order":"o-1\\u001b[2J"');
    expect(shown).not.toContain('\u001b');
    expect((await api.call('GET', `/endpoints/${endpoint.id}`, { token })).status).toBe(404);
  });

  it.each([
    ['the secret', 'v1', (secret: string) => secret, 0, /^ {2}verified$/m],
    ['the public key', 'v1a', publicKeyOf, 0, /^ {2}verified$/m],
    ['another secret', 'v1', () => generateSecret('v1'), 1, /NOT VERIFIED: its signature is not that/],
    [
      'a secret of another scheme',
      'v1a',
      () => generateSecret('v1'),
      1,
      /NOT VERIFIED: it is signed with v1a/,
    ],
  ] as const)('listen judges a delivery by %s that it is given', async (_, scheme, given, code, words) => {
    const { api_key: token } = await createTenant();
    const { body: endpoint } = await api.call('POST', '/endpoints', {
      token,
      body: { url: 'http://127.0.0.1:9/', signature: { scheme } },
    });
    let url = '';
    const listening = runCommand(
      ['listen', '--secret', given(endpoint.secret), '--count', '1', '--no-body'],
      {},
      {
        onTold: (line) => (url = /http:\S+\//.exec(line)?.[0] ?? url),
      },
    );
    await eventually(() => url !== '');
    await api.call('PATCH', `/endpoints/${endpoint.id}`, { token, body: { url } });
    const { body } = await api.call('POST', `/endpoints/${endpoint.id}/test`, { token });
    expect(body).toMatchObject({ outcome: 'succeeded' });
    const run = await listening;
    expect(run.code).toBe(code);
    expect(run.printed.join('\n')).toMatch(words);
  });

  it('listen ends when it is told to stop', async () => {
    const stopping = new AbortController();
    const run = runCommand(
      ['listen', '--secret', generateSecret('v1')],
      {},
      {
        stopping: stopping.signal,
        onTold: () => stopping.abort(),
      },
    );
    expect(await run).toMatchObject({ code: 0, printed: [] });
  });
});
