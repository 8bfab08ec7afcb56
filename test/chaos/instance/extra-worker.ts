import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NAMESPACE } from '@hookstream/contracts';
import { ManagedProcess, SERVICE_NODE_OPTIONS, type StopStep } from '@hookstream/embedded';
import { startProcessGuard, type ProcessGuard } from '@hookstream/testing';
import type { StandaloneInstance } from '../../e2e/standalone-instance.js';

const APPS = new URL('../../../../apps/', import.meta.url);
const WORKER = fileURLToPath(new URL('worker/dist/main.js', APPS));
const EXIT_WITH_US = fileURLToPath(new URL('standalone/dist/exit-with-supervisor.js', APPS));
const AGAIN_AFTER_MS = 300;
const STOP_STEPS: StopStep[] = [
  { signal: 'SIGTERM', waitMs: 15_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];

/** A worker process beside the one of an instance, as another machine would run it; started again whenever it ends. */
export class ExtraWorker {
  private stopping = false;
  private watching: Promise<void>;
  /** Ends of its processes that nobody but themselves brought about. */
  readonly ownEnds: string[] = [];
  private killed = 0;

  private constructor(
    readonly name: string,
    readonly logFile: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly guard: ProcessGuard,
    private current: ManagedProcess,
  ) {
    this.watching = this.watch();
  }

  static async start(
    name: string,
    instance: StandaloneInstance,
    baseEnv: NodeJS.ProcessEnv,
  ): Promise<ExtraWorker> {
    const logFile = join(instance.dataDir, 'logs', `${name}.log`);
    const env = workerEnvironment(instance, baseEnv);
    const guard = startProcessGuard(join(instance.dataDir, 'none'));
    const first = await launch(name, logFile, env, guard);
    return new ExtraWorker(name, logFile, env, guard, first);
  }

  get pid(): number {
    return this.current.pid;
  }

  kill(): void {
    this.killed = this.pid;
    process.kill(this.pid, 'SIGKILL');
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.current.stop(STOP_STEPS);
    await this.watching;
    await this.current.stop(STOP_STEPS);
    this.guard.dismiss();
  }

  private async watch(): Promise<void> {
    while (!this.stopping) {
      const { code, signal } = await this.current.exited;
      if (this.stopping) return;
      if (this.killed !== this.pid)
        this.ownEnds.push(`${this.name} ended by itself (${signal ?? `code ${code}`})`);
      await sleep(AGAIN_AFTER_MS);
      this.current = await launch(this.name, this.logFile, this.env, this.guard);
    }
  }
}

async function launch(
  name: string,
  logFile: string,
  env: NodeJS.ProcessEnv,
  guard: ProcessGuard,
): Promise<ManagedProcess> {
  const child = await ManagedProcess.start({
    name,
    command: process.execPath,
    args: [...SERVICE_NODE_OPTIONS, '--import', EXIT_WITH_US, WORKER],
    logFile,
    env,
    holdStdin: true,
    // As the instance's own: delivery steps back behind accept.
    niceness: 5,
  });
  guard.watch(child.identity);
  return child;
}

/** What the instance gives its own worker, from what it says of itself in its data directory. */
function workerEnvironment(instance: StandaloneInstance, baseEnv: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { database_url, temporal_address, temporal_ui_url, admin_token } = instance.file;
  const secrets = JSON.parse(readFileSync(join(instance.dataDir, 'secrets.json'), 'utf8')) as {
    encryption_key: string;
  };
  return {
    ...baseEnv,
    NODE_ENV: 'production',
    DATABASE_URL: database_url,
    TEMPORAL_ADDRESS: temporal_address,
    TEMPORAL_NAMESPACE: NAMESPACE,
    HOOKSTREAM_TEMPORAL_UI_URL: temporal_ui_url,
    HOOKSTREAM_ADMIN_TOKEN: admin_token,
    HOOKSTREAM_ENCRYPTION_KEY: secrets.encryption_key,
    HOOKSTREAM_EGRESS_ALLOW_CIDRS: '127.0.0.0/8',
    HOOKSTREAM_EGRESS_SCHEMES: 'https,http',
  };
}

/** How many worker processes have said in the log that they run. */
export function runsTold(logFile: string): number {
  return existsSync(logFile) ? readFileSync(logFile, 'utf8').split('"worker running"').length - 1 : 0;
}
