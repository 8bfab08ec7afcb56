// Real: the whole instance as npm start runs it (supervisor, Postgres, Temporal, API, worker) and a receiver on loopback.
import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { identify, isPortFree } from '@hookstream/embedded';
import { eventually, TestReceiver } from '@hookstream/testing';
import { makeDataDirectory, StandaloneInstance, survivors, type ProcessName } from './standalone-instance.js';

const START_MS = 120_000;

async function deliverOne(
  instance: StandaloneInstance,
  receiver: TestReceiver,
  path: string,
): Promise<string> {
  const endpoint = await instance.call<{ id: string }>('POST', '/endpoints', { url: receiver.url(path) });
  expect(endpoint.status).toBe(201);
  const event = await instance.call<{ id: string }>('POST', '/events', {
    type: 'order.paid',
    data: { n: 1 },
    endpoint_ids: [endpoint.body.id],
  });
  expect(event.status).toBe(202);
  await receiver.waitForRequests(path, 1, 20_000);
  return event.body.id;
}

describe('a standalone instance', () => {
  let instance: StandaloneInstance;
  let receiver: TestReceiver;

  beforeAll(async () => {
    receiver = await TestReceiver.start();
    instance = await StandaloneInstance.start();
  }, START_MS);
  afterAll(async () => {
    await instance?.stop();
    await receiver?.close();
  }, START_MS);

  it('describes itself in instance.json, readable by its owner only', () => {
    const file = instance.file;
    expect(Object.keys(file)).toEqual([
      'api_url',
      'api_key',
      'admin_token',
      'tenant_id',
      'temporal_address',
      'temporal_ui_url',
      'database_url',
      'processes',
    ]);
    expect(file.api_key).toMatch(/^hs_live_/);
    expect(file.tenant_id).toMatch(/^tnt_/);
    expect(statSync(join(instance.dataDir, 'instance.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(instance.dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
    for (const identity of Object.values(instance.identities())) expect(identity).toBeDefined();
  });

  it('prints where everything is, the key, and what it may deliver to', () => {
    const { api_url, api_key, temporal_ui_url } = instance.file;
    for (const part of [
      `${api_url}/api/v1`,
      `${api_url}/docs`,
      temporal_ui_url,
      api_key,
      'HOOKSTREAM_EGRESS_ALLOW_CIDRS=127.0.0.0/8,::1/128',
      instance.dataDir,
    ]) {
      expect(instance.output).toContain(part);
    }
  });

  it('serves the docs and the Web UI', async () => {
    const { api_url, temporal_ui_url } = instance.file;
    for (const url of [`${api_url}/docs`, `${api_url}/docs-json`, temporal_ui_url]) {
      expect((await fetch(url)).status).toBe(200);
    }
  });

  it('prints curl lines that work as printed', async () => {
    const lines = instance.output.split('\n').filter((line) => line.startsWith('curl '));
    expect(lines).toHaveLength(2);
    const { execFileSync } = await import('node:child_process');
    const answers = lines.map(
      (line) => JSON.parse(execFileSync('sh', ['-c', line], { encoding: 'utf8' })) as { id: string },
    );
    expect(answers[0]?.id).toMatch(/^ep_/);
    expect(answers[1]).toMatchObject({ type: 'order.paid', deliveries: 1 });
    await instance.call('DELETE', `/endpoints/${answers[0]?.id}`);
  });

  it('delivers to a receiver on loopback', async () => {
    const id = await deliverOne(instance, receiver, '/plain');
    expect([...receiver.webhookIds('/plain')]).toEqual([id]);
  });

  it.each<ProcessName>(['worker', 'api', 'temporal', 'postgres'])(
    'starts a killed %s again and says so',
    async (name) => {
      const supervisor = instance.supervisorPid;
      const before = instance.kill(name);
      await instance.restarted(name, before);
      expect(identify(supervisor)).toBeDefined();
      expect(instance.output).toContain(`hookstream: ${name} was ended by SIGKILL; starting it again`);
      await deliverOne(instance, receiver, `/after-${name}`);
    },
    60_000,
  );

  it(
    'refuses a second instance on the same data directory, and the first one does not mind',
    async () => {
      const second = await StandaloneInstance.launch({ dataDir: instance.dataDir });
      expect(await second.ended()).toBe(1);
      await second.stop();
      expect(second.output).toContain(
        `an instance already runs on ${instance.dataDir} (process ${instance.supervisorPid})`,
      );
      expect((await instance.call('GET', '/endpoints')).status).toBe(200);
    },
    START_MS,
  );
});

describe('stopping and failing', () => {
  /** Of the three signals that stop an instance each test takes another. */
  async function stopsCleanly(instance: StandaloneInstance, signal: NodeJS.Signals): Promise<void> {
    const identities = instance.identities();
    expect(await instance.stop(signal)).toBe(0);
    expect(survivors(identities)).toEqual([]);
    expect(existsSync(join(instance.dataDir, 'instance.json'))).toBe(false);
  }

  it(
    'SIGTERM leaves nothing running, and the next start finds everything again',
    async () => {
      const dataDir = makeDataDirectory();
      try {
        const first = await StandaloneInstance.start({ dataDir });
        const { api_key, tenant_id } = first.file;
        const endpoint = await first.call<{ id: string }>('POST', '/endpoints', {
          url: 'http://127.0.0.1:9/',
        });
        await stopsCleanly(first, 'SIGTERM');
        const second = await StandaloneInstance.start({ dataDir });
        try {
          expect(second.file).toMatchObject({ api_key, tenant_id });
          expect((await second.call('GET', `/endpoints/${endpoint.body.id}`)).status).toBe(200);
        } finally {
          await second.stop();
        }
      } finally {
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
    2 * START_MS,
  );

  it.each(['HOOKSTREAM_PORT', 'HOOKSTREAM_TEMPORAL_UI_PORT'])(
    'a taken port is told with the setting that moves it: %s',
    async (setting) => {
      const blocker = createServer();
      await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
      const port = (blocker.address() as { port: number }).port;
      try {
        const instance = await StandaloneInstance.launch({ env: { [setting]: String(port) } });
        expect(await instance.ended()).toBe(1);
        expect(instance.output).toContain(`port ${port}`);
        expect(instance.output).toContain(setting);
        expect(existsSync(join(instance.dataDir, 'processes.json'))).toBe(false);
        await instance.stop();
      } finally {
        await new Promise((resolve) => blocker.close(resolve));
      }
    },
    START_MS,
  );

  it(
    'a start that fails half way stops what it had started',
    async () => {
      const dataDir = makeDataDirectory();
      try {
        const instance = await StandaloneInstance.launch({
          dataDir,
          env: { HOOKSTREAM_TEMPORAL_CLI: '/bin/false' },
        });
        expect(await instance.ended()).toBe(1);
        await instance.stop();
        expect(instance.output).toContain('Postgres ready');
        expect(instance.output).toContain('HOOKSTREAM_TEMPORAL_CLI names /bin/false');
        expect(existsSync(join(dataDir, 'processes.json'))).toBe(false);
        expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
      } finally {
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
    START_MS,
  );

  it(
    'wrong settings are told all at once, by name',
    async () => {
      const instance = await StandaloneInstance.launch({
        env: { HOOKSTREAM_RETENTION_DAYS: 'many', HOOKSTREAM_EGRESS_ALLOW_CIDRS: 'everything' },
      });
      expect(await instance.ended()).toBe(1);
      await instance.stop();
      expect(instance.output).toMatch(/HOOKSTREAM_EGRESS_ALLOW_CIDRS|HOOKSTREAM_RETENTION_DAYS/);
      expect(instance.output).not.toContain('everything');
    },
    START_MS,
  );

  it(
    'after kill -9 of the supervisor the children end or are cleared by the next start, and the data is there; SIGHUP stops it',
    async () => {
      const dataDir = makeDataDirectory();
      const receiver = await TestReceiver.start();
      try {
        const first = await StandaloneInstance.start({ dataDir });
        const eventId = await deliverOne(first, receiver, '/before');
        const { api_key } = first.file;
        const identities = first.identities();
        await first.killSupervisor();
        // The API and the worker notice by themselves.
        await eventually(() => survivors({ api: identities.api, worker: identities.worker }).length === 0, {
          timeoutMs: 30_000,
        });
        expect(survivors(identities)).toEqual(['postgres', 'temporal']);

        const second = await StandaloneInstance.start({ dataDir });
        try {
          expect(survivors(identities)).toEqual([]);
          expect(second.output).toContain(
            'an earlier run that was killed had left temporal, postgres running: stopped',
          );
          expect(second.file.api_key).toBe(api_key);
          expect((await second.call('GET', `/events/${eventId}`)).status).toBe(200);
          await deliverOne(second, receiver, '/after');
          await stopsCleanly(second, 'SIGHUP');
        } finally {
          await second.stop();
        }
        await first.stop();
      } finally {
        await receiver.close();
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
    3 * START_MS,
  );

  it(
    'a directory Postgres cannot reach still works; SIGINT stops it',
    async () => {
      const dataDir = makeDataDirectory();
      chmodSync(dataDir, 0o700);
      try {
        const instance = await StandaloneInstance.start({ dataDir });
        const { api_url } = instance.file;
        expect((await instance.call('GET', '/endpoints')).status).toBe(200);
        if (process.getuid?.() === 0)
          expect(instance.output).toMatch(/who cannot reach .*: its files are kept in/);
        await stopsCleanly(instance, 'SIGINT');
        expect(await isPortFree(Number(new URL(api_url).port), '127.0.0.1')).toBe(true);
      } finally {
        // Exactly this instance's cluster: other instances keep theirs in the same place.
        const { directory } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as {
          directory: string;
        };
        rmSync(resolve(dataDir, directory), { recursive: true, force: true });
        rmSync(dataDir, { recursive: true, force: true });
      }
    },
    START_MS,
  );
});
