import type { ExitInfo, ManagedProcess, StopStep } from '@hookstream/embedded';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits before the starts that follow an end. The first is at once: most ends are accidents that do not repeat. */
const BACK_OFF_MS = [0, 500, 1_000, 2_000, 5_000, 10_000];
/** After running this long, an end counts as the first again. */
const STABLE_MS = 30_000;

export interface SupervisedChildOptions {
  name: string;
  /** Starts the process and resolves when it does its work, or throws with nothing left running. */
  start: () => Promise<ManagedProcess>;
  stopSteps: StopStep[];
  say: (line: string) => void;
}

/** A child process that is started again, with back-off, whenever it ends without being asked to. */
export class SupervisedChild {
  private current: ManagedProcess | undefined;
  private readonly stopping = new AbortController();
  private watching: Promise<void> = Promise.resolve();

  private failures = 0;

  constructor(private readonly options: SupervisedChildOptions) {}

  /** How many times it has ended or failed to start since it last ran for a while. */
  get recentFailures(): number {
    return this.failures;
  }

  /** The last lines its newest process wrote. */
  logTail(): string {
    return this.current?.logTail() ?? '';
  }

  /** The first start. Its failure is the caller's; from then on failures are retried here. */
  async start(): Promise<void> {
    const starting = this.options.start();
    // Until then, a stop waits for the start to end in one way or the other.
    this.watching = starting.then(
      () => undefined,
      () => undefined,
    );
    this.current = await starting;
    this.watching = this.watch(this.current);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.current?.stop(this.options.stopSteps);
    await this.watching;
    // A start that was under way when the stop was asked for.
    await this.current?.stop(this.options.stopSteps);
  }

  private async watch(first: ManagedProcess): Promise<void> {
    for (let running: ManagedProcess | undefined = first; ;) {
      if (running) {
        const startedAt = Date.now();
        const exit = await running.exited;
        if (this.stopping.signal.aborted) return;
        if (Date.now() - startedAt > STABLE_MS) this.failures = 0;
        this.tell(describe(exit));
      }
      running = await this.restart();
      if (this.stopping.signal.aborted) return;
    }
  }

  private async restart(): Promise<ManagedProcess | undefined> {
    await sleep(waitBefore(this.failures++), undefined, { signal: this.stopping.signal }).catch(
      () => undefined,
    );
    if (this.stopping.signal.aborted) return undefined;
    try {
      this.current = await this.options.start();
      this.options.say(`${this.options.name} is running again (process ${this.current.pid})`);
      return this.current;
    } catch (error) {
      if (!this.stopping.signal.aborted) this.tell(`did not start: ${(error as Error).message}`);
      return undefined;
    }
  }

  private tell(what: string): void {
    const wait = waitBefore(this.failures);
    this.options.say(
      `${this.options.name} ${what}; starting it again ${wait === 0 ? 'now' : `in ${wait / 1000} s`}`,
    );
  }
}

function waitBefore(failures: number): number {
  return BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)] as number;
}

function describe(exit: ExitInfo): string {
  return exit.signal ? `was ended by ${exit.signal}` : `ended with code ${exit.code}`;
}
