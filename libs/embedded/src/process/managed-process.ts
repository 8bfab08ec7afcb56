import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isAlive, type ProcessIdentity } from './process-identity.js';

const LOG_LIMIT_BYTES = 20 * 1024 * 1024;
const TAIL_BYTES = 4_000;

export interface ExitInfo {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface StopStep {
  signal: NodeJS.Signals;
  /** How long the process has to end after this signal, in ms, before the next step. */
  waitMs: number;
  /** Send it to the whole process group (the process and what it started). */
  group?: boolean;
}

export interface ManagedProcessOptions {
  name: string;
  command: string;
  args: string[];
  /** Standard output and error are appended here. */
  logFile: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /**
   * Keeps the child's standard input open as long as this process lives: a child that reads it sees the end when its
   * supervisor dies, however it dies.
   */
  holdStdin?: boolean;
  /** How far it steps back when the machine is full, 0 to 19. Default 0. */
  niceness?: number;
}

/** Every thread has a priority of its own on Linux; those to come inherit it. A process that is gone already needs none. */
function stepBack(pid: number, niceness: number): void {
  const tasks = `/proc/${pid}/task`;
  for (const id of existsSync(tasks) ? readdirSync(tasks).map(Number) : [pid]) {
    try {
      setPriority(id, niceness);
    } catch {
      // It has ended, or this system does not allow it: then it runs as any other.
    }
  }
}

/** A child process in its own process group, so that a terminal's Ctrl-C reaches only its supervisor. */
export class ManagedProcess {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<ExitInfo>;
  private exit: ExitInfo | undefined;

  private constructor(
    readonly name: string,
    readonly logFile: string,
    private readonly logOffset: number,
    child: ChildProcess,
  ) {
    const pid = child.pid as number;
    this.identity = identify(pid) ?? { pid, startedAt: 'ended' };
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
  }

  /** @throws Error when the program cannot be run at all. */
  static async start(options: ManagedProcessOptions): Promise<ManagedProcess> {
    rotate(options.logFile);
    const log = openSync(options.logFile, 'a', 0o600);
    const logOffset = statSync(options.logFile).size;
    const spawnOptions: SpawnOptions = {
      detached: true,
      stdio: [options.holdStdin ? 'pipe' : 'ignore', log, log],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    };
    try {
      const child = spawn(options.command, options.args, spawnOptions);
      await once(child, 'spawn');
      child.stdin?.on('error', () => undefined);
      if (options.niceness !== undefined) stepBack(child.pid as number, options.niceness);
      return new ManagedProcess(options.name, options.logFile, logOffset, child);
    } catch (error) {
      throw new Error(`cannot run ${options.command}: ${(error as Error).message}`, { cause: error });
    } finally {
      closeSync(log);
    }
  }

  get pid(): number {
    return this.identity.pid;
  }

  get exitInfo(): ExitInfo | undefined {
    return this.exit;
  }

  get running(): boolean {
    return this.exit === undefined;
  }

  /** Sends the signals in turn until the process has ended. Resolves when it has. */
  async stop(steps: StopStep[]): Promise<ExitInfo> {
    for (const step of steps) {
      if (!this.running) break;
      signalProcess(this.pid, step);
      await Promise.race([this.exited, sleep(step.waitMs, undefined, { ref: false })]);
    }
    return this.exited;
  }

  /** The last lines this run of the process wrote. */
  logTail(): string {
    try {
      const written = readFileSync(this.logFile).subarray(this.logOffset);
      return written
        .subarray(Math.max(0, written.length - TAIL_BYTES))
        .toString('utf8')
        .trim();
    } catch {
      return '';
    }
  }
}

/** Stops a process that is not our child (a dead predecessor's), found by its identity. True when it lived. */
export async function stopByIdentity(identity: ProcessIdentity, steps: StopStep[]): Promise<boolean> {
  if (!isAlive(identity)) return false;
  for (const step of steps) {
    signalProcess(identity.pid, step);
    const deadline = Date.now() + step.waitMs;
    while (isAlive(identity) && Date.now() < deadline) await sleep(25);
    if (!isAlive(identity)) return true;
  }
  throw new Error(`process ${identity.pid} does not end, not even by ${steps.at(-1)?.signal ?? 'a signal'}`);
}

function signalProcess(pid: number, step: StopStep): void {
  try {
    process.kill(step.group ? -pid : pid, step.signal);
  } catch {
    // It ended in between: that is what the signal was for.
  }
}

function rotate(file: string): void {
  if (existsSync(file) && statSync(file).size > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
}
