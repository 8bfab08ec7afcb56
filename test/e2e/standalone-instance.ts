import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  freePorts,
  identify,
  isAlive,
  stopByIdentity,
  type ProcessIdentity,
  type StopStep,
} from '@hookstream/embedded';
import { eventually, startProcessGuard } from '@hookstream/testing';
import { callApi, type ApiAddress, type ApiAnswer, type ApiCaller } from './api-client.js';

const SUPERVISOR = fileURLToPath(new URL('../../../apps/standalone/dist/main.js', import.meta.url));
const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 40_000;

export type ProcessName = 'postgres' | 'temporal' | 'api' | 'worker';

/** What `instance.json` holds. */
export interface InstanceFile extends ApiAddress {
  admin_token: string;
  tenant_id: string;
  temporal_address: string;
  temporal_ui_url: string;
  database_url: string;
  processes: Record<ProcessName, number>;
}

export interface StandaloneOptions {
  /** Default: a fresh temporary directory, removed by `stop`. */
  dataDir?: string;
  /** Added to the environment, e.g. HOOKSTREAM_PORT. */
  env?: Record<string, string>;
  /** Default: that of this process. */
  baseEnv?: NodeJS.ProcessEnv;
}

/**
 * A standalone instance as `npm start` runs it once built: a supervisor process with its four children, on free ports. Should the test
 * run die, a guard ends it.
 */
export class StandaloneInstance implements ApiCaller {
  private exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  private readonly exited: Promise<void>;
  private text = '';

  private constructor(
    readonly dataDir: string,
    private readonly temporary: boolean,
    private readonly child: ChildProcess,
    private readonly release: () => void,
  ) {
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.exit = { code, signal };
        resolve();
      });
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.text += chunk.toString('utf8')));
  }

  /** Starts one and waits until it is ready. */
  static async start(options: StandaloneOptions = {}): Promise<StandaloneInstance> {
    const instance = await StandaloneInstance.launch(options);
    try {
      await instance.ready();
      return instance;
    } catch (error) {
      await instance.stop();
      throw error;
    }
  }

  /** Starts one without waiting: for starts that are meant to fail. */
  static async launch(options: StandaloneOptions = {}): Promise<StandaloneInstance> {
    const [apiPort, uiPort] = (await freePorts(2)) as [number, number];
    const temporary = options.dataDir === undefined;
    const dataDir = options.dataDir ?? makeDataDirectory();
    const child = spawn(process.execPath, [SUPERVISOR], {
      // A group of its own: what a terminal sends to the test run does not reach it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...withoutTestRunner(options.baseEnv ?? process.env),
        HOOKSTREAM_DATA_DIR: dataDir,
        HOOKSTREAM_PORT: String(apiPort),
        HOOKSTREAM_TEMPORAL_UI_PORT: String(uiPort),
        ...options.env,
      },
    });
    const guard = startProcessGuard(temporary ? dataDir : join(dataDir, 'none'));
    const identity = identify(child.pid as number);
    if (identity) {
      guard.watch(identity, [
        { signal: 'SIGTERM', waitMs: STOP_TIMEOUT_MS },
        { signal: 'SIGKILL', waitMs: 5_000, group: true },
      ]);
    }
    return new StandaloneInstance(dataDir, temporary, child, () => {
      guard.dismiss();
      if (temporary) rmSync(dataDir, { recursive: true, force: true });
    });
  }

  /** All it has printed so far. */
  get output(): string {
    return this.text;
  }

  get supervisorPid(): number {
    return this.child.pid as number;
  }

  /** `instance.json` as it is now. @throws when the instance is not ready */
  get file(): InstanceFile {
    return JSON.parse(readFileSync(join(this.dataDir, 'instance.json'), 'utf8')) as InstanceFile;
  }

  async ready(): Promise<void> {
    await eventually(
      () => {
        if (this.exit) throw new Error(`the instance ended while starting:\n${this.text}`);
        // Not by the file: a supervisor that was killed leaves its own behind.
        return this.text.includes('Hookstream is ready');
      },
      { timeoutMs: READY_TIMEOUT_MS, intervalMs: 50 },
    ).catch((error: unknown) => {
      throw new Error(`the instance is not ready:\n${this.text}`, { cause: error });
    });
  }

  /** Calls the API as its first tenant; `path` below `/api/v1`. */
  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<ApiAnswer<T>> {
    return callApi<T>(this.file, method, path, body);
  }

  identities(): Record<ProcessName, ProcessIdentity | undefined> {
    const { processes } = this.file;
    const of = (name: ProcessName): ProcessIdentity | undefined => identify(processes[name]);
    return { postgres: of('postgres'), temporal: of('temporal'), api: of('api'), worker: of('worker') };
  }

  /** kill -9 of one of the four. Answers its id. */
  kill(name: ProcessName): number {
    const pid = this.file.processes[name];
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  /** kill -9 of the supervisor alone. Its children stay for the next start to find. */
  async killSupervisor(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Resolves when the process runs under another id than before, and the API says that all is ready. */
  async restarted(name: ProcessName, previousPid: number, timeoutMs = 30_000): Promise<void> {
    await eventually(
      async () => {
        if (this.file.processes[name] === previousPid || !identify(this.file.processes[name])) return false;
        const answer = await fetch(`${this.file.api_url}/api/v1/health/ready`, {
          signal: AbortSignal.timeout(5_000),
        });
        await answer.arrayBuffer();
        return answer.ok;
      },
      { timeoutMs, intervalMs: 50 },
    );
  }

  /** Asks it to stop and waits until it has. Answers the exit code. The data of a temporary directory is removed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.exit) this.child.kill(signal);
    const code = await this.ended();
    if (this.exit?.signal === 'SIGKILL' && this.temporary) await this.killAll();
    this.release();
    return code;
  }

  /** Waits until the supervisor has ended by itself. */
  async ended(): Promise<number | null> {
    const timer = setTimeout(() => void this.killAll(), STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
    return this.exit?.code ?? null;
  }

  /** Kills the supervisor and the four: for a test that failed, so that nothing of it outlives it. */
  private async killAll(): Promise<void> {
    this.child.kill('SIGKILL');
    const record = join(this.dataDir, 'processes.json');
    if (!existsSync(record)) return;
    const running = JSON.parse(readFileSync(record, 'utf8')) as Record<string, ProcessIdentity>;
    const steps: StopStep[] = [{ signal: 'SIGKILL', waitMs: 5_000, group: true }];
    await Promise.allSettled(Object.values(running).map((identity) => stopByIdentity(identity, steps)));
  }
}

/** A temporary directory that other users may pass through: as root, Postgres runs as one. */
export function makeDataDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'hookstream-e2e-'));
  chmodSync(directory, 0o711);
  return directory;
}

/** Those of the processes that still live. */
export function survivors(identities: Record<string, ProcessIdentity | undefined>): string[] {
  return Object.entries(identities)
    .filter(([, identity]) => identity !== undefined && isAlive(identity))
    .map(([name]) => name);
}

function withoutTestRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = { ...env };
  for (const name of ['NODE_OPTIONS', 'NODE_ENV', 'JEST_WORKER_ID', 'npm_lifecycle_event']) delete own[name];
  return own;
}
