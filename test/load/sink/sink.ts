import { setTimeout as sleep } from 'node:timers/promises';
import { ChildCalls } from '../children/child-calls.js';
import { monotonicMs } from '../generator/clock.js';
import type { Collected, SinkHandlers } from './sink-protocol.js';

const LOOK_EVERY_MS = 100;
const TELL_EVERY_MS = 10_000;
/** One signature in this many is verified: enough to notice, too few to cost. */
const VERIFY_EVERY = 25;

/** The generator's side of the sink process. */
export class Sink {
  private constructor(
    private readonly calls: ChildCalls<SinkHandlers>,
    readonly origin: string,
  ) {}

  static async start(env: NodeJS.ProcessEnv): Promise<Sink> {
    const calls = await ChildCalls.start<SinkHandlers>(
      'sink',
      new URL('sink-main.js', import.meta.url),
      [],
      env,
    );
    return new Sink(calls, `http://127.0.0.1:${await calls.call('port', undefined)}`);
  }

  get pid(): number {
    return this.calls.pid;
  }

  verify(path: string, secret: string): Promise<void> {
    return this.calls.call('verify', { path, secret, every: VERIFY_EVERY });
  }

  /** How the path answers from now on. Default: 200 at once. */
  answer(path: string, how: { status?: number; afterMs?: number }): Promise<void> {
    return this.calls.call('answer', { path, status: how.status ?? 200, afterMs: how.afterMs ?? 0 });
  }

  /** How many different ids have arrived at the path. */
  count(path: string): Promise<number> {
    return this.calls.call('count', { path });
  }

  /** Waits until `expected` different ids have arrived. Gives up after `idleMs` without a new one. */
  async waitFor(
    path: string,
    expected: number,
    options: { idleMs: number; progress?: (arrived: number) => void },
  ): Promise<void> {
    let last = -1;
    let movedAt = monotonicMs();
    let toldAt = movedAt;
    for (;;) {
      const arrived = await this.count(path);
      if (arrived >= expected) return;
      if (arrived !== last) movedAt = monotonicMs();
      last = arrived;
      if (monotonicMs() - movedAt > options.idleMs) return;
      if (monotonicMs() - toldAt > TELL_EVERY_MS) {
        toldAt = monotonicMs();
        options.progress?.(arrived);
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  collect(path: string): Promise<Collected> {
    return this.calls.call('collect', { path });
  }

  stop(): Promise<void> {
    return this.calls.stop();
  }
}
