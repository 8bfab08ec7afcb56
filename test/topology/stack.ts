import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { once } from 'node:events';
import {
  freePorts,
  ManagedProcess,
  startPostgres,
  type PostgresServer,
  type StopStep,
} from '@hookstream/embedded';
import { eventually } from '@hookstream/testing';
import { interpolationsOf, resolveCompose, startOrder, type ComposeFile } from './compose-file.js';
import { runPsqlScript } from './psql-script.js';
import { planService, type Grounds } from './service-plan.js';

/** Not to be had from a package registry, or without bearing on deliveries. */
const LEFT_OUT: Record<string, string> = {
  'temporal-ui': 'shows, and takes no part',
  prometheus: 'measures, and takes no part',
  grafana: 'shows, and takes no part',
};
const execute = promisify(execFile);
const ROLE_OF_THE_IMAGE = `\\getenv password POSTGRES_PASSWORD
CREATE ROLE postgres SUPERUSER LOGIN PASSWORD :'password';`;
const HEALTHY_WITHIN_MS = 180_000;
const STOP: StopStep[] = [
  { signal: 'SIGTERM', waitMs: 30_000 },
  { signal: 'SIGKILL', waitMs: 5_000, group: true },
];

export interface StackOptions {
  root: string;
  /** What the image holds, put together by deploy/docker/assemble.mjs. */
  image: string;
  /** A new directory for data, logs and programs. */
  directory: string;
  temporalServer: string;
  temporalSqlTool: string;
  say: (line: string) => void;
}

/**
 * docker-compose.yml without containers: its services as processes on this machine, started in its order, with its commands and its
 * environment. Each has that environment and PATH, nothing else.
 */
export class Stack {
  apiUrl = '';
  private readonly compose: ComposeFile;
  private readonly running = new Map<string, ManagedProcess>();
  private readonly addresses = new Map<string, { host: string; port: number }>();
  private postgres: PostgresServer | undefined;
  private ports: number[] = [];

  constructor(private readonly options: StackOptions) {
    const text = readFileSync(join(options.root, 'docker-compose.yml'), 'utf8');
    this.compose = resolveCompose(text, operatorsEnvironment(text));
  }

  /** Starts all, two workers among them, and resolves when the API accepts and the workers deliver. */
  async start(): Promise<void> {
    this.ports = await freePorts(24);
    this.linkPrograms();
    for (const name of startOrder(this.compose)) {
      if (LEFT_OUT[name] !== undefined) this.options.say(`${name}: LEFT OUT, ${LEFT_OUT[name]}`);
      else await this.bringUp(name);
    }
    await this.startWorker('worker-2');
  }

  /** Runs a service that ends by itself. @throws Error with its log when it does not end well */
  async runToItsEnd(name: string): Promise<void> {
    const child = await this.launch(name, name);
    const { code } = await child.exited;
    this.running.delete(name);
    if (code !== 0) throw new Error(`${name} ended with ${code}:\n${child.logTail()}`);
  }

  /** Runs the hookstream command with a service's environment, as `docker compose exec` does. @returns what it answered. @throws Error when it fails */
  async command(service: string, ...args: string[]): Promise<string> {
    const { cwd, env } = planService(this.service(service), this.grounds());
    const program = join('apps', 'cli', 'dist', 'main.js');
    const { stdout } = await execute(process.execPath, [program, ...args], { cwd, env });
    return stdout;
  }

  async startWorker(name: string): Promise<void> {
    const port = this.port();
    await this.launch('worker', name, { HOOKSTREAM_WORKER_PORT: String(port), HOOKSTREAM_HOST: '127.0.0.1' });
    await this.untilHealthy('worker', name, { '127.0.0.1:3001': `127.0.0.1:${port}` });
  }

  /** SIGKILL, as a machine that goes away. */
  async kill(name: string): Promise<void> {
    const child = this.process(name);
    process.kill(child.pid, 'SIGKILL');
    await child.exited;
    this.running.delete(name);
  }

  /** SIGTERM, as an upgrade. @throws Error when it does not end in time, or not well */
  async end(name: string): Promise<void> {
    const child = this.process(name);
    const { code, signal } = await child.stop(STOP);
    this.running.delete(name);
    // Nest ends a process by the signal that asked for it, once all is closed.
    if (code !== 0 && signal !== 'SIGTERM')
      throw new Error(`${name} ended with ${code ?? signal} on SIGTERM:\n${child.logTail()}`);
  }

  /** Of the database `hookstream`, as its own role. */
  databaseUrl(): string {
    return planService(this.service('api'), this.grounds()).env['DATABASE_URL'] ?? '';
  }

  async close(): Promise<void> {
    for (const [name, child] of [...this.running].reverse()) {
      await child.stop(STOP);
      this.running.delete(name);
    }
    await this.postgres?.stop();
  }

  private async bringUp(name: string): Promise<void> {
    const started = Date.now();
    const service = this.service(name);
    if (name === 'postgres') await this.startPostgres();
    else if (service.restart?.startsWith('on-failure')) await this.runToItsEnd(name);
    else if (name === 'worker') await this.startWorker('worker-1');
    else if (name === 'temporal') await this.startTemporal();
    else if (name === 'api') await this.startApi();
    else throw new Error(`docker-compose.yml has a service that this does not know: ${name}`);
    this.options.say(`${name}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }

  private async startPostgres(): Promise<void> {
    const { directory, root } = this.options;
    const { environment = {}, volumes = [] } = this.service('postgres');
    this.postgres = await startPostgres({ dataDir: directory, logFile: this.logFile('postgres') });
    this.addresses.set('postgres:5432', { host: '127.0.0.1', port: this.postgres.port });
    const harness = this.postgres.url.replace(/\/hookstream$/, '/postgres');
    // A superuser as in the official image, and nothing of what the harness made.
    await runPsqlScript(ROLE_OF_THE_IMAGE, harness, environment as Record<string, string>);
    const superuser = new URL(harness);
    superuser.username = 'postgres';
    superuser.password = String(environment['POSTGRES_PASSWORD']);
    const maintenance = superuser.href;
    await runPsqlScript(
      'DROP DATABASE hookstream;\nALTER ROLE hookstream RENAME TO harness;',
      maintenance,
      {},
    );
    const scripts = volumes.filter((mount) => mount.includes(':/docker-entrypoint-initdb.d/'));
    for (const mount of scripts) {
      const script = readFileSync(join(root, mount.split(':')[0] ?? ''), 'utf8');
      await runPsqlScript(script, maintenance, environment as Record<string, string>);
    }
  }

  private async startTemporal(): Promise<void> {
    const port = this.port();
    const own = Object.fromEntries(
      [
        'FRONTEND_HTTP_PORT',
        'FRONTEND_MEMBERSHIP_PORT',
        'MATCHING_GRPC_PORT',
        'MATCHING_MEMBERSHIP_PORT',
        'HISTORY_GRPC_PORT',
        'HISTORY_MEMBERSHIP_PORT',
        'WORKER_GRPC_PORT',
        'WORKER_MEMBERSHIP_PORT',
      ].map((name) => [name, String(this.port())]),
    );
    this.addresses.set('temporal:7233', { host: '127.0.0.1', port });
    await this.launch('temporal', 'temporal', {
      ...own,
      FRONTEND_GRPC_PORT: String(port),
      PROMETHEUS_ENDPOINT: `127.0.0.1:${this.port()}`,
      BIND_ON_IP: '127.0.0.1',
    });
    await this.untilHealthy('temporal', 'temporal', { '7233': String(port) });
  }

  private async startApi(): Promise<void> {
    const port = this.port();
    this.apiUrl = `http://127.0.0.1:${port}`;
    await this.launch('api', 'api', { HOOKSTREAM_PORT: String(port), HOOKSTREAM_HOST: '127.0.0.1' });
    await this.untilHealthy('api', 'api', { '127.0.0.1:3000': `127.0.0.1:${port}` });
  }

  private async launch(
    service: string,
    name: string,
    overrides: Record<string, string> = {},
  ): Promise<ManagedProcess> {
    const plan = planService(this.service(service), this.grounds());
    const path = `${join(this.options.directory, 'bin')}:/usr/bin:/bin`;
    const child = await ManagedProcess.start({
      name,
      command: plan.command === 'temporal-server' ? this.options.temporalServer : plan.command,
      args: plan.args,
      cwd: plan.cwd,
      logFile: this.logFile(name),
      env: { PATH: path, ...plan.env, ...overrides },
    });
    this.running.set(name, child);
    return child;
  }

  /** By the service's own health check. */
  private async untilHealthy(service: string, name: string, local: Record<string, string>): Promise<void> {
    const test = this.service(service).healthcheck?.test ?? [];
    const words = test
      .slice(1)
      .map((word) => Object.entries(local).reduce((text, [there, here]) => text.replace(there, here), word));
    const child = this.process(name);
    await eventually(
      async () => {
        if (!child.running) return true;
        return words[0] === 'nc' ? connects(Number(words.at(-1))) : this.passes(words);
      },
      { timeoutMs: HEALTHY_WITHIN_MS, intervalMs: 250 },
    );
    if (!child.running) throw new Error(`${name} ended:\n${child.logTail()}`);
  }

  private async passes([, ...args]: string[]): Promise<boolean> {
    const check = await ManagedProcess.start({
      name: 'health check',
      command: process.execPath,
      args,
      cwd: this.options.image,
      logFile: this.logFile('health'),
      env: {},
    });
    return (await check.exited).code === 0;
  }

  /** In a directory of their own, so that a script finds them by the names they have in the image. */
  private linkPrograms(): void {
    const bin = join(this.options.directory, 'bin');
    mkdirSync(bin, { recursive: true });
    chmodSync(this.options.directory, 0o711);
    const link = join(bin, 'temporal-sql-tool');
    rmSync(link, { force: true });
    symlinkSync(this.options.temporalSqlTool, link);
  }

  private service(name: string): ComposeFile['services'][string] {
    const service = this.compose.services[name];
    if (!service) throw new Error(`docker-compose.yml has no service ${name}`);
    return service;
  }

  private process(name: string): ManagedProcess {
    const child = this.running.get(name);
    if (!child) throw new Error(`${name} does not run`);
    return child;
  }

  private grounds(): Grounds {
    return { root: this.options.root, image: this.options.image, addresses: this.addresses };
  }

  private port(): number {
    const port = this.ports.pop();
    if (port === undefined) throw new Error('no ports left');
    return port;
  }

  private logFile(name: string): string {
    return join(this.options.directory, `${name}.log`);
  }
}

/** A .env as an operator makes it, with receivers on this machine allowed. */
function operatorsEnvironment(compose: string): Record<string, string> {
  const required = interpolationsOf(compose).filter(({ kind }) => kind === '?');
  return {
    ...Object.fromEntries(required.map(({ name }) => [name, randomBytes(24).toString('hex')])),
    HOOKSTREAM_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    HOOKSTREAM_EGRESS_ALLOW_CIDRS: '127.0.0.0/8',
    HOOKSTREAM_EGRESS_SCHEMES: 'https,http',
  };
}

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
