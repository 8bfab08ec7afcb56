import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NAMESPACE } from '@hookstream/contracts';
import {
  resolveTemporalBinary,
  startPostgres,
  startTemporal,
  type PostgresServer,
  type TemporalServer,
} from '@hookstream/embedded';
import { generateEncryptionKey } from '@hookstream/signing';
import { startProcessGuard } from '@hookstream/testing';
import { TenantClient } from './api-client.js';
import { InstalledService, type ServiceOptions } from './installed-service.js';

const execute = promisify(execFile);
/** The version that these tests belong to. */
export const THIS_VERSION = fileURLToPath(new URL('../../..', import.meta.url));

/** What an operator keeps apart from the database. */
export interface InstallationSecrets {
  adminToken: string;
  encryptionKey: string;
}

export interface InstallationOptions {
  /** For data and logs; made when missing. */
  directory: string;
  /** Default: new ones. */
  secrets?: InstallationSecrets;
  /** For API, worker and command line, over those that allow receivers on this machine. */
  settings?: Record<string, string>;
  /** Directory of the Postgres programs to use in place of the embedded ones. */
  postgresPrograms?: string;
  notice?: (line: string) => void;
}

/**
 * An installation as production has it: API and workers are processes that come and go, of any version, beside a Postgres and a Temporal
 * that stay. Each process has the settings and PATH in its environment, nothing else. All end when this process dies.
 */
export class Installation {
  readonly secrets: InstallationSecrets;
  private readonly services = new Set<InstalledService>();
  private readonly guard: ReturnType<typeof startProcessGuard>;
  private postgres: PostgresServer | undefined;
  private temporal: TemporalServer | undefined;

  constructor(private readonly options: InstallationOptions) {
    this.secrets = options.secrets ?? {
      adminToken: randomBytes(24).toString('base64url'),
      encryptionKey: generateEncryptionKey(),
    };
    mkdirSync(join(options.directory, 'logs'), { recursive: true });
    // As root, Postgres runs as another user, who has to get through to its own directory below.
    chmodSync(options.directory, 0o711);
    this.guard = startProcessGuard(join(options.directory, 'none'));
  }

  /** Finds what is in the directory again, or begins with empty servers. */
  async startServers(): Promise<void> {
    await this.startPostgres();
    const notice = this.options.notice ?? (() => undefined);
    const { path } = await resolveTemporalBinary({ env: process.env, notice });
    this.temporal = await startTemporal({
      binary: path,
      databaseFile: join(this.options.directory, 'temporal.db'),
      logFile: this.logFile('temporal'),
      uiPort: false,
      niceness: 5,
      onSpawn: (identity) => this.guard.watch(identity),
    });
  }

  /** Also to start it again after {@link stopPostgres}, where nothing else runs yet. */
  async startPostgres(): Promise<void> {
    this.postgres = await startPostgres({
      dataDir: this.options.directory,
      logFile: this.logFile('postgres'),
      ...(this.options.postgresPrograms === undefined ? {} : { programs: this.options.postgresPrograms }),
      onSpawn: (identity) => this.guard.watch(identity),
    });
  }

  async stopPostgres(): Promise<void> {
    await this.postgres?.stop();
  }

  get databaseUrl(): string {
    return this.server.url;
  }

  /** Of its Postgres: PGDATA. */
  get clusterDirectory(): string {
    return this.server.clusterDirectory;
  }

  get temporalAddress(): string {
    if (!this.temporal) throw new Error('Temporal does not run');
    return this.temporal.address;
  }

  /** Starts one and waits until it says that it is ready. */
  async start(
    app: 'api' | 'worker',
    options: Partial<Pick<ServiceOptions, 'name' | 'home'>> = {},
  ): Promise<InstalledService> {
    const { name = app, home = THIS_VERSION } = options;
    const service = await InstalledService.launch({
      ...{ app, name, home, env: this.environment() },
      logFile: this.logFile(name),
    });
    this.services.add(service);
    this.guard.watch(service.identity);
    await service.ready();
    return service;
  }

  /** Runs the hookstream command of a version. @returns what it answered. @throws Error with all it said when it fails */
  async command(args: string[], home = THIS_VERSION): Promise<string> {
    const program = join(home, 'apps', 'cli', 'dist', 'main.js');
    try {
      return (await execute(process.execPath, [program, ...args], { cwd: home, env: this.environment() }))
        .stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`hookstream ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
    }
  }

  /** @param apiUrl of an API that runs */
  async createTenant(apiUrl: string, home = THIS_VERSION): Promise<TenantClient> {
    const answer = await this.command(['tenant', 'create', '--name', 'Acme', '--json'], home);
    const { api_key } = JSON.parse(answer) as { api_key: string };
    return new TenantClient({ api_url: apiUrl, api_key });
  }

  /** Everything at once, as a site that is lost. */
  async kill(): Promise<void> {
    await Promise.all([
      ...[...this.services].map((service) => service.kill()),
      this.postgres?.process.stop([{ signal: 'SIGKILL', waitMs: 5_000, group: true }]),
      this.temporal?.process.stop([{ signal: 'SIGKILL', waitMs: 5_000, group: true }]),
    ]);
    this.guard.dismiss();
  }

  /** Ends what runs, in order. Safe at any moment. */
  async close(): Promise<void> {
    for (const service of this.services) await service.kill();
    await this.temporal?.stop();
    await this.postgres?.stop();
    this.guard.dismiss();
  }

  private get server(): PostgresServer {
    if (!this.postgres) throw new Error('Postgres does not run');
    return this.postgres;
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      DATABASE_URL: this.databaseUrl,
      TEMPORAL_ADDRESS: this.temporalAddress,
      TEMPORAL_NAMESPACE: NAMESPACE,
      HOOKSTREAM_HOST: '127.0.0.1',
      HOOKSTREAM_ADMIN_TOKEN: this.secrets.adminToken,
      HOOKSTREAM_ENCRYPTION_KEY: this.secrets.encryptionKey,
      HOOKSTREAM_EGRESS_ALLOW_CIDRS: '127.0.0.0/8',
      HOOKSTREAM_EGRESS_SCHEMES: 'https,http',
      ...this.options.settings,
    };
  }

  private logFile(name: string): string {
    return join(this.options.directory, 'logs', `${name}.log`);
  }
}
