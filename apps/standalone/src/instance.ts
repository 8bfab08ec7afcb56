import {
  ALLOCATOR_ENVIRONMENT,
  ManagedProcess,
  resolveTemporalBinary,
  SERVICE_NODE_OPTIONS,
  startPostgres,
  startTemporal,
} from '@hookstream/embedded';
import { ensurePartitions, openDatabase, runMigrations } from '@hookstream/persistence';
import { fileURLToPath } from 'node:url';
import { createTenant, isKeyValid, waitUntilReady } from './api-client.js';
import type { InstancePlan } from './instance-plan.js';
import { keepTenant } from './instance-secrets.js';
import { PlainError } from './plain-error.js';
import { ProcessRecord, STOP_ORDER, stopSteps, type ProcessName } from './process-record.js';
import { SupervisedChild } from './supervised-child.js';

const READY_TIMEOUT_MS = 60_000;
/**
 * On a full machine accepting goes first: what was accepted waits safely in the outbox, what was not is an error at the
 * application's side.
 */
const BEHIND_ACCEPT = 5;
/** A child that ends more often than this before all was ready is not going to run. */
const START_FAILURES = 2;
const APPS = fileURLToPath(new URL('../..', import.meta.url));
const EXIT_WITH_SUPERVISOR = new URL('exit-with-supervisor.js', import.meta.url).href;

/** Postgres, Temporal, worker and API as four supervised children of this process. */
export class Instance {
  private readonly children = new Map<ProcessName, SupervisedChild>();
  private readonly record: ProcessRecord;
  private databaseUrl = '';
  private temporalBinary = '';
  private tenant: { tenant_id: string; api_key: string } | undefined;
  private ready = false;
  private stopping = false;

  constructor(
    private readonly plan: InstancePlan,
    private readonly say: (line: string) => void,
  ) {
    this.record = new ProcessRecord(plan.directory);
  }

  /** Starts all in order and resolves when events can be taken and delivered. `stop` undoes a failed start. */
  async start(): Promise<{ api_key: string }> {
    await this.step('Postgres', () => this.startChild('postgres', () => this.startPostgres()));
    await this.step('Migrations', () => this.migrate());
    await this.findTemporal();
    await this.step('Temporal server', () => this.startChild('temporal', () => this.startTemporal()));
    await this.step('Worker and API', async () => {
      await this.startChild('worker', () => this.startApp('worker'));
      await this.startChild('api', () => this.startApp('api'));
      await this.waitUntilReady();
    });
    this.tenant = await this.firstTenant();
    this.ready = true;
    this.writeInstanceFile();
    return this.tenant;
  }

  /** Stops what runs, in order. Safe at any moment, also half way through a start. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.ready = false;
    this.plan.directory.remove('instance.json');
    for (const name of STOP_ORDER) await this.children.get(name)?.stop();
    this.record.clear();
  }

  /** Kills what runs, at once. */
  kill(): void {
    for (const pid of Object.values(this.record.pids())) {
      try {
        if (pid > 0) process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  }

  private async startChild(name: ProcessName, start: () => Promise<ManagedProcess>): Promise<void> {
    const child = new SupervisedChild({
      name,
      stopSteps: stopSteps(name, this.plan.graceMs),
      say: this.say,
      start: async () => {
        const running = await start();
        this.record.set(name, running.identity);
        if (this.ready) this.writeInstanceFile();
        return running;
      },
    });
    this.children.set(name, child);
    await child.start();
  }

  private async startPostgres(): Promise<ManagedProcess> {
    const { directory, ports } = this.plan;
    const server = await startPostgres({
      dataDir: directory.path,
      logFile: directory.logFile('postgres'),
      port: ports.postgres,
      notice: this.say,
      onSpawn: (identity) => this.record.set('postgres', identity),
    });
    this.databaseUrl = server.url;
    return server.process;
  }

  private async migrate(): Promise<void> {
    const database = await openDatabase({
      url: this.databaseUrl,
      poolSize: 2,
      applicationName: 'hookstream-standalone',
    });
    try {
      await runMigrations(database);
      await ensurePartitions(database.pool, { now: Date.now(), aheadMs: this.plan.partitionsAheadMs });
    } finally {
      await database.close();
    }
  }

  private async findTemporal(): Promise<void> {
    const env = this.plan.childEnvironment(this.databaseUrl);
    const binary = await resolveTemporalBinary({ env, notice: this.say }).catch((error: unknown) => {
      throw new PlainError((error as Error).message);
    });
    this.temporalBinary = binary.path;
    this.say(`Temporal program: ${binary.path} (${binary.source})`);
  }

  private async startTemporal(): Promise<ManagedProcess> {
    const { directory, ports } = this.plan;
    const server = await startTemporal({
      binary: this.temporalBinary,
      databaseFile: directory.temporalDatabase,
      logFile: directory.logFile('temporal'),
      port: ports.temporal,
      uiPort: ports.temporalUi,
      niceness: BEHIND_ACCEPT,
      onSpawn: (identity) => this.record.set('temporal', identity),
    });
    return server.process;
  }

  private startApp(name: 'api' | 'worker'): Promise<ManagedProcess> {
    return ManagedProcess.start({
      name,
      command: process.execPath,
      args: [...SERVICE_NODE_OPTIONS, '--import', EXIT_WITH_SUPERVISOR, `${APPS}/${name}/dist/main.js`],
      logFile: this.plan.directory.logFile(name),
      env: { ...ALLOCATOR_ENVIRONMENT, ...this.plan.childEnvironment(this.databaseUrl) },
      holdStdin: true,
      ...(name === 'worker' ? { niceness: BEHIND_ACCEPT } : {}),
    });
  }

  private async waitUntilReady(): Promise<void> {
    const inVain = (): SupervisedChild | undefined =>
      [...this.children.values()].find((child) => child.recentFailures > START_FAILURES);
    try {
      await waitUntilReady(this.plan.apiUrl, READY_TIMEOUT_MS, () => !this.stopping && !inVain());
    } catch (error) {
      throw new PlainError(
        `the API did not get ready: ${(error as Error).message}. Logs: ${this.plan.directory.logs}\n${inVain()?.logTail() ?? ''}`,
      );
    }
  }

  private async firstTenant(): Promise<{ tenant_id: string; api_key: string }> {
    const { apiUrl, directory, secrets } = this.plan;
    const { tenant_id, api_key } = secrets;
    if (tenant_id !== undefined && api_key !== undefined) {
      if (await isKeyValid(apiUrl, api_key)) return { tenant_id, api_key };
      this.say(
        'the API key kept from the first start is no longer valid: a new tenant with a new key is made',
      );
    }
    const tenant = await createTenant(apiUrl, secrets.admin_token, 'default');
    keepTenant(directory, tenant);
    return tenant;
  }

  private writeInstanceFile(): void {
    this.plan.directory.writeJson('instance.json', {
      api_url: this.plan.apiUrl,
      api_key: this.tenant?.api_key,
      admin_token: this.plan.secrets.admin_token,
      tenant_id: this.tenant?.tenant_id,
      temporal_address: this.plan.temporalAddress,
      temporal_ui_url: this.plan.temporalUiUrl,
      database_url: this.databaseUrl,
      processes: this.record.pids(),
    });
  }

  private async step(what: string, work: () => Promise<void>): Promise<void> {
    if (this.stopping) throw new PlainError('stopped while starting');
    const started = Date.now();
    this.say(`${what} …`);
    await work();
    this.say(`${what} ready in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
}
