import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NAMESPACE } from '@hookstream/contracts';
import { ALLOCATOR_ENVIRONMENT, SERVICE_NODE_OPTIONS, freePorts, identify } from '@hookstream/embedded';
import { eventually, startProcessGuard, type ProcessGuard } from '@hookstream/testing';

const START_SCRIPT = fileURLToPath(new URL('../../../../scripts/start.mjs', import.meta.url));
const WORKER = fileURLToPath(new URL('../../../../apps/worker/dist/main.js', import.meta.url));
const READY_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 60_000;
const WORKER_NICENESS = 5;
const LOG_TAIL_CHARACTERS = 3_000;

/** What the instance says of itself in its data directory. */
export interface InstanceFacts {
  api_url: string;
  api_key: string;
  admin_token: string;
  temporal_address: string;
  database_url: string;
  processes: Record<'postgres' | 'temporal' | 'api' | 'worker', number>;
}

export interface ExtraWorker {
  pid: number;
  stop(): Promise<void>;
}

/** A standalone instance of the bench's own, as `npm start` runs it: temporary data, free ports, default settings. */
export class BenchInstance {
  private constructor(
    private readonly directory: string,
    readonly facts: InstanceFacts,
  ) {}

  /**
   * @param onLaunch given what stops it, long before it is ready; to be called in any case.
   * @throws Error with the supervisor's last lines.
   */
  static async start(
    environment: NodeJS.ProcessEnv,
    onLaunch: (stop: () => Promise<void>) => void,
  ): Promise<BenchInstance> {
    const directory = mkdtempSync(join(tmpdir(), 'hookstream-bench-'));
    // As root, Postgres runs as another user, who has to get through to its own directory below.
    chmodSync(directory, 0o711);
    const guard = startProcessGuard(directory);
    const supervisor = await launch(directory, environment, guard);
    onLaunch(async () => {
      await end(supervisor);
      guard.dismiss();
      rmSync(directory, { recursive: true, force: true });
    });
    try {
      return new BenchInstance(directory, await untilReady(directory, supervisor));
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`the instance did not start: ${message}\n${logTail(directory)}`, { cause: error });
    }
  }

  /**
   * One worker more, beside the instance's own. It ends when this process does.
   * @throws Error when it ends before it is ready
   */
  async startWorker(environment: NodeJS.ProcessEnv): Promise<ExtraWorker> {
    const { encryption_key } = JSON.parse(readFileSync(join(this.directory, 'secrets.json'), 'utf8')) as {
      encryption_key: string;
    };
    const log = openSync(join(this.directory, 'logs', 'worker-2.log'), 'a', 0o600);
    const child = fork(WORKER, [], {
      detached: true,
      execArgv: [...SERVICE_NODE_OPTIONS],
      stdio: ['ignore', log, log, 'ipc'],
      env: {
        ...environment,
        ...ALLOCATOR_ENVIRONMENT,
        NODE_ENV: 'production',
        DATABASE_URL: this.facts.database_url,
        TEMPORAL_ADDRESS: this.facts.temporal_address,
        TEMPORAL_NAMESPACE: NAMESPACE,
        HOOKSTREAM_ENCRYPTION_KEY: encryption_key,
        HOOKSTREAM_EGRESS_ALLOW_CIDRS: '127.0.0.0/8',
        HOOKSTREAM_EGRESS_SCHEMES: 'http,https',
      },
    });
    closeSync(log);
    const ready = await Promise.race([once(child, 'message').then(() => true), once(child, 'exit')]);
    if (ready !== true) throw new Error('the second worker ended while it was starting');
    // as the standalone command does with its own worker
    setPriority(child.pid as number, WORKER_NICENESS);
    return { pid: child.pid as number, stop: () => end(child) };
  }

  /** Names of processes that ended and were started again since {@link start}. */
  restarted(): string[] {
    const now = readFacts(this.directory)?.processes;
    const names = Object.keys(this.facts.processes) as (keyof InstanceFacts['processes'])[];
    return names.filter((name) => now?.[name] !== this.facts.processes[name]);
  }
}

async function launch(
  directory: string,
  environment: NodeJS.ProcessEnv,
  guard: ProcessGuard,
): Promise<ChildProcess> {
  const [api, temporalUi] = (await freePorts(2)) as [number, number];
  const log = openSync(join(directory, 'start.log'), 'a', 0o600);
  const supervisor = spawn(process.execPath, [START_SCRIPT], {
    // Out of the terminal's process group: Ctrl-C is for the bench, which then stops the instance in order.
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...environment,
      HOOKSTREAM_DATA_DIR: directory,
      HOOKSTREAM_PORT: String(api),
      HOOKSTREAM_TEMPORAL_UI_PORT: String(temporalUi),
    },
  });
  closeSync(log);
  await once(supervisor, 'spawn');
  const identity = identify(supervisor.pid as number);
  if (identity) {
    guard.watch(identity, [
      { signal: 'SIGTERM', waitMs: STOP_WITHIN_MS },
      { signal: 'SIGKILL', waitMs: 5_000, group: true },
    ]);
  }
  return supervisor;
}

async function untilReady(directory: string, supervisor: ChildProcess): Promise<InstanceFacts> {
  const facts = await eventually(() => readFacts(directory) ?? (hasEnded(supervisor) ? null : undefined), {
    timeoutMs: READY_WITHIN_MS,
  });
  if (facts === null) throw new Error('its supervisor ended');
  return facts;
}

function readFacts(directory: string): InstanceFacts | undefined {
  const file = join(directory, 'instance.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as InstanceFacts) : undefined;
}

function hasEnded(supervisor: ChildProcess): boolean {
  return supervisor.exitCode !== null || supervisor.signalCode !== null;
}

async function end(supervisor: ChildProcess): Promise<void> {
  if (hasEnded(supervisor)) return;
  const exited = once(supervisor, 'exit');
  const impatience = setTimeout(() => supervisor.kill('SIGKILL'), STOP_WITHIN_MS);
  supervisor.kill('SIGTERM');
  await exited;
  clearTimeout(impatience);
}

function logTail(directory: string): string {
  try {
    return readFileSync(join(directory, 'start.log'), 'utf8').slice(-LOG_TAIL_CHARACTERS);
  } catch {
    return '';
  }
}
