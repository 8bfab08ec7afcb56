// Real: Postgres, Temporal, an API and a worker as their processes run them, and the program itself. Each case breaks one thing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { HOUR_MS } from '@hookstream/domain';
import { examine, type ExamineOptions, type Finding } from '@hookstream/cli';
import { SCHEDULE_ID } from '@hookstream/contracts';
import { generateEncryptionKey } from '@hookstream/signing';
import { connectTemporal, ensureNamespace } from '@hookstream/temporal-client';
import { createTestDatabase, eventually } from '@hookstream/testing';
import type { HookstreamWorker } from '@hookstream/worker';
import { OPERATOR_TOKEN, type TestApi } from './api-fixture.js';
import { startApiInOwnNamespace, startApiWorker } from './api-worker.js';
import { StoredDeliveries } from './stored-deliveries.js';

const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'apps', 'cli', 'bin', 'hookstream.mjs');

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('hookstream doctor', () => {
  let api: TestApi;
  let worker: HookstreamWorker;
  let healthy: Record<string, string>;
  const broken: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    api = await startApiInOwnNamespace();
    worker = await startApiWorker(api);
    const { database, temporal, encryptionKeys } = api.config;
    healthy = {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      HOOKSTREAM_ENCRYPTION_KEY: encryptionKeys.join(','),
      HOOKSTREAM_ADMIN_TOKEN: OPERATOR_TOKEN,
      HOOKSTREAM_EGRESS_ALLOW_CIDRS: '127.0.0.0/8',
      HOOKSTREAM_EGRESS_SCHEMES: 'https,http',
    };
    const { key } = await api.createTenant();
    const body = { url: 'http://127.0.0.1:9/', headers: { authorization: 'Bearer of-the-endpoint' } };
    expect((await api.call('POST', '/endpoints', { token: key, body })).status).toBe(201);
  });
  afterEach(async () => {
    for (const mend of broken.splice(0).reverse()) await mend();
  });
  afterAll(async () => {
    await worker.stop();
    await api.close();
  });

  /** A database of this case's own, with the schema and nothing in it. */
  const spareDatabase = async () => {
    const database = await createTestDatabase();
    broken.push(() => database.drop());
    return database;
  };
  const sqlOn = async (statement: string) => {
    const database = await spareDatabase();
    const { pool } = await database.open();
    const { rows } = await pool.query<{ name: string }>('SELECT current_database() AS name');
    await pool.query(statement.replaceAll('THIS_DATABASE', rows[0]?.name ?? ''));
    return { env: { DATABASE_URL: database.url } };
  };
  const urlWith = (change: (url: URL) => void): string => {
    const url = new URL(healthy['DATABASE_URL'] as string);
    change(url);
    return url.href;
  };

  interface Broken {
    env?: Record<string, string>;
    now?: () => number;
  }
  const cases: [
    what: string,
    breakIt: () => Broken | Promise<Broken>,
    check: string,
    detail: RegExp,
    mend: RegExp,
  ][] = [
    [
      'a setting is missing and another wrong',
      () => ({ env: { HOOKSTREAM_ADMIN_TOKEN: '', HOOKSTREAM_DATABASE_POOL_SIZE: 'many' } }),
      'settings',
      /HOOKSTREAM_DATABASE_POOL_SIZE must be a whole number[^]*HOOKSTREAM_ADMIN_TOKEN is required/,
      /configuration\.md/,
    ],
    [
      'nothing listens where Postgres should',
      async () => {
        const port = String(await unusedPort());
        return { env: { DATABASE_URL: urlWith((url) => (url.port = port)) } };
      },
      'postgres',
      /nothing listens.*127\.0\.0\.1:\d+/,
      /Start Postgres/,
    ],
    [
      'the database does not exist',
      () => ({ env: { DATABASE_URL: urlWith((url) => (url.pathname = '/nowhere')) } }),
      'postgres',
      /does not exist.*nowhere/,
      /CREATE DATABASE/,
    ],
    [
      'the password is wrong',
      () => ({ env: { DATABASE_URL: urlWith((url) => (url.password = 'not-the-password')) } }),
      'postgres',
      /refuses the password/,
      /percent-encoded/,
    ],
    [
      'no migration has run',
      () => sqlOn('DROP SCHEMA public CASCADE; CREATE SCHEMA public'),
      'migrations',
      /\d+ have not run/,
      /hookstream migrate/,
    ],
    [
      'the schema is newer than this version',
      () => sqlOn(`INSERT INTO migrations (timestamp, name) VALUES (99, 'OfTheFuture99')`),
      'migrations',
      /newer.*OfTheFuture99/,
      /Upgrade/,
    ],
    [
      "tomorrow's partitions are missing",
      () =>
        sqlOn(
          `DO $$ DECLARE name text; BEGIN
             FOR name IN SELECT relname FROM pg_class WHERE relname ~ '^attempts_[0-9]{8}$' LOOP EXECUTE 'DROP TABLE ' || name; END LOOP;
           END $$`,
        ),
      'partitions',
      /missing: attempts_\d{8}/,
      /retention run/,
    ],
    [
      'commits are answered before they are on disk',
      () => sqlOn('ALTER DATABASE THIS_DATABASE SET synchronous_commit = off'),
      'durability',
      /synchronous_commit/,
      /ALTER SYSTEM SET/,
    ],
    [
      'the pool is larger than Postgres',
      () => ({ env: { HOOKSTREAM_DATABASE_POOL_SIZE: '500' } }),
      'connections',
      /takes up to 506/,
      /Lower HOOKSTREAM_DATABASE_POOL_SIZE/,
    ],
    [
      'the user does not own the tables',
      async () => {
        const role = `role_${randomBytes(4).toString('hex')}`;
        const database = await spareDatabase();
        const { pool } = await database.open();
        await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
        broken.splice(-1, 0, () => api.rows(`DROP ROLE ${role}`));
        const url = new URL(database.url);
        Object.assign(url, { username: role, password: 'secret' });
        return { env: { DATABASE_URL: url.href } };
      },
      'rights',
      /may not create tables|does not own/,
      /OWNER TO/,
    ],
    [
      'the clocks differ',
      () => ({ now: () => Date.now() - HOUR_MS }),
      'clocks',
      /36\d\d(\.\d+)? s ahead of this machine/,
      /NTP/,
    ],
    [
      'the encryption key is another',
      () => ({ env: { HOOKSTREAM_ENCRYPTION_KEY: generateEncryptionKey() } }),
      'encryption keys',
      /2 of 2 stored secrets cannot be opened/,
      /HOOKSTREAM_ENCRYPTION_KEY/,
    ],
    [
      'no worker runs',
      async () => ({ env: { DATABASE_URL: (await spareDatabase()).url } }),
      'workers',
      /none was seen/,
      /Start a worker/,
    ],
    [
      'a worker lives and nothing goes out',
      async () => {
        const store = await StoredDeliveries.create();
        broken.push(() => store.drop());
        await store.acceptOne(await store.endpoint());
        await store.database.pool.query(`
          UPDATE outbox SET claimable_at = now() - interval '1 hour';
          UPDATE endpoints SET updated_at = now() - interval '1 hour';
          INSERT INTO workers (id, started_at, seen_at) VALUES ('w', now(), now())`);
        return { env: { DATABASE_URL: store.testDatabase.url } };
      },
      'workers',
      /1 alive, but a delivery has been due for 36\d\d s/,
      /log/,
    ],
    [
      'Temporal is not there',
      async () => ({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${await unusedPort()}` } }),
      'temporal',
      /does not answer at 127\.0\.0\.1/,
      /7233/,
    ],
    [
      'a certificate is not there',
      () => ({ env: { TEMPORAL_TLS: 'true', TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nowhere/ca.pem' } }),
      'temporal',
      /ca\.pem/,
      /TEMPORAL_TLS/,
    ],
    [
      'the namespace is not there',
      () => ({ env: { TEMPORAL_NAMESPACE: 'never-made' } }),
      'namespace',
      /none named never-made/,
      /namespace create/,
    ],
    [
      'the namespace has no search attributes, and no worker',
      async () => {
        const namespace = `test-${randomBytes(4).toString('hex')}`;
        const temporal = connectTemporal({ address: healthy['TEMPORAL_ADDRESS'] as string, namespace });
        broken.push(() => temporal.close());
        await ensureNamespace(temporal, { retentionMs: 24 * HOUR_MS });
        return { env: { TEMPORAL_NAMESPACE: namespace } };
      },
      'search attributes',
      /HookstreamTenantId/,
      /search-attribute create/,
    ],
    [
      'workers poll another namespace',
      () => ({ env: { TEMPORAL_NAMESPACE: 'default' } }),
      'task queues',
      /no worker polls hookstream-deliveries/,
      /TEMPORAL_NAMESPACE/,
    ],
    [
      'somebody paused maintenance',
      async () => {
        const schedule = api.temporal.client.schedule.getHandle(SCHEDULE_ID.maintenance);
        broken.push(() => schedule.unpause());
        await schedule.pause();
        return {};
      },
      'maintenance schedule',
      /paused/,
      /--unpause/,
    ],
    [
      'every address is allowed',
      () => ({ env: { HOOKSTREAM_EGRESS_ALLOW_CIDRS: '0.0.0.0/0' } }),
      'egress addresses',
      /0\.0\.0\.0\/0/,
      /Name the ranges/,
    ],
    [
      'a range is none',
      () => ({ env: { HOOKSTREAM_EGRESS_ALLOW_CIDRS: '10.0.0.0/99' } }),
      'egress addresses',
      /10\.0\.0\.0\/99/,
      /does not start/,
    ],
    [
      'the proxy is down',
      async () => ({
        env: { HOOKSTREAM_EGRESS_PROXY_URL: `http://user:of-the-proxy@127.0.0.1:${await unusedPort()}` },
      }),
      'egress proxy',
      /takes no connections \(ECONNREFUSED\)/,
      /HOOKSTREAM_EGRESS_PROXY_URL/,
    ],
    [
      'an endpoint is where the settings let nothing go',
      () => ({ env: { HOOKSTREAM_EGRESS_ALLOW_CIDRS: '' } }),
      'endpoints',
      /1 of 1 enabled endpoints.*ep_/,
      /HOOKSTREAM_EGRESS_ALLOW_CIDRS/,
    ],
  ];

  const examined = (change: Broken = {}, processes: ExamineOptions['processes'] = ['api', 'worker']) =>
    examine({
      env: { ...healthy, ...change.env },
      processes,
      ...(change.now === undefined ? {} : { now: change.now }),
    });
  const named = (findings: readonly Finding[], check: string) =>
    findings.filter((finding) => finding.check === check && finding.state !== 'ok');

  it('finds nothing where nothing is broken', async () => {
    await eventually(
      async () => {
        const findings = await examined();
        // the Postgres of the tests does without fsync, and endpoints on loopback have http URLs
        expect(findings.filter(({ state }) => state !== 'ok').map(({ check }) => check)).toEqual([
          'durability',
          'egress addresses',
        ]);
        return true;
      },
      { timeoutMs: 30_000 },
    );
  });

  it.each(cases)('finds that %s, and says how to mend it', async (_, breakIt, check, detail, mend) => {
    const found = named(await examined(await breakIt()), check);
    expect(found.map((finding) => finding.detail).join('\n')).toMatch(detail);
    expect(found.map((finding) => finding.mend).join('\n')).toMatch(mend);
    expect(found.every(({ state }) => state === 'failed' || state === 'warning')).toBe(true);
  });

  it('ends with code 1 and shows no secret, whatever is broken', async () => {
    const env = {
      ...healthy,
      DATABASE_URL: urlWith((url) => (url.password = 'not-the-password')),
      HOOKSTREAM_EGRESS_PROXY_URL: `http://user:of-the-proxy@127.0.0.1:${await unusedPort()}`,
    };
    const child = spawn(process.execPath, [PROGRAM, 'doctor', '--process', 'worker'], { env });
    const exited = once(child, 'exit');
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect((await exited)[0]).toBe(1);
    expect(output).toContain('refuses the password');
    for (const secret of ['not-the-password', 'of-the-proxy', OPERATOR_TOKEN, ...api.config.encryptionKeys])
      expect(output + errors).not.toContain(secret);
  });
});
