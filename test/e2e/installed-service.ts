import { join } from 'node:path';
import {
  ALLOCATOR_ENVIRONMENT,
  freePort,
  ManagedProcess,
  SERVICE_NODE_OPTIONS,
  type StopStep,
} from '@hookstream/embedded';
import { eventually } from '@hookstream/testing';

const READY_WITHIN_MS = 120_000;
/** As orchestrators do: a while to end by itself, then no more. */
const STOP: StopStep[] = [
  { signal: 'SIGTERM', waitMs: 30_000 },
  { signal: 'SIGKILL', waitMs: 5_000, group: true },
];
/** A worker steps back behind accepting, as in a standalone instance. */
const NICENESS = { api: 0, worker: 5 };

export interface ServiceOptions {
  app: 'api' | 'worker';
  /** For people, and its log. */
  name: string;
  /** The repository that was built: which version runs. */
  home: string;
  env: NodeJS.ProcessEnv;
  logFile: string;
}

/** An API or a worker of a version, as a process of its own. */
export class InstalledService {
  private constructor(
    readonly name: string,
    readonly url: string,
    private readonly readyPath: string,
    private readonly child: ManagedProcess,
  ) {}

  static async launch({ app, name, home, env, logFile }: ServiceOptions): Promise<InstalledService> {
    const port = await freePort();
    const child = await ManagedProcess.start({
      name,
      command: process.execPath,
      args: [...SERVICE_NODE_OPTIONS, join(home, 'apps', app, 'dist', 'main.js')],
      logFile,
      cwd: home,
      niceness: NICENESS[app],
      env: {
        ...env,
        ...ALLOCATOR_ENVIRONMENT,
        [app === 'api' ? 'HOOKSTREAM_PORT' : 'HOOKSTREAM_WORKER_PORT']: String(port),
      },
    });
    const readyPath = app === 'api' ? '/api/v1/health/ready' : '/health/ready';
    return new InstalledService(name, `http://127.0.0.1:${port}`, readyPath, child);
  }

  get identity(): ManagedProcess['identity'] {
    return this.child.identity;
  }

  /** Whether it says of itself, now, that it does its work. */
  async isReady(): Promise<boolean> {
    const answer = await fetch(`${this.url}${this.readyPath}`, { signal: AbortSignal.timeout(5_000) });
    await answer.arrayBuffer();
    return answer.ok;
  }

  /** @throws Error with its last log lines */
  async ready(): Promise<void> {
    await eventually(() => !this.child.running || this.isReady(), {
      timeoutMs: READY_WITHIN_MS,
      intervalMs: 100,
    }).catch((error: unknown) => {
      throw new Error(`${this.name} is not ready (${(error as Error).message}):\n${this.child.logTail()}`);
    });
    if (!this.child.running) throw new Error(`${this.name} ended while starting:\n${this.child.logTail()}`);
  }

  /** SIGTERM, as an upgrade. @returns how long it took, in ms. @throws Error when it does not end in time, or not well */
  async end(): Promise<number> {
    if (!this.child.running) throw new Error(`${this.name} has ended by itself:\n${this.child.logTail()}`);
    const since = Date.now();
    const { code, signal } = await this.child.stop(STOP);
    // Nest ends a process by the signal that asked for it, once all is closed.
    if (code !== 0 && signal !== 'SIGTERM')
      throw new Error(`${this.name} ended with ${signal ?? code} on SIGTERM:\n${this.child.logTail()}`);
    return Date.now() - since;
  }

  /** SIGKILL, as a machine that goes away. */
  async kill(): Promise<void> {
    await this.child.stop([{ signal: 'SIGKILL', waitMs: 5_000, group: true }]);
  }
}
