import { ChildCalls } from '../children/child-calls.js';
import type { BareExpressHandlers } from './bare-express-protocol.js';

/** The yardstick of the express lane: claim, sign, POST and record straight from Postgres, in one process and with nothing around it. */
export class BareExpress {
  private constructor(private readonly calls: ChildCalls<BareExpressHandlers>) {}

  /** @param databaseUrl of any database of the server, as one who may create tables in it */
  static async start(databaseUrl: string, sinkOrigin: string, env: NodeJS.ProcessEnv): Promise<BareExpress> {
    const main = new URL('bare-express-main.js', import.meta.url);
    return new BareExpress(
      await ChildCalls.start<BareExpressHandlers>('bare express', main, [databaseUrl, sinkOrigin], env),
    );
  }

  get pid(): number {
    return this.calls.pid;
  }

  /** @returns how long it took, in milliseconds */
  drain(path: string, count: number, bytes: number): Promise<number> {
    return this.calls.call('drain', { path, count, bytes });
  }

  stop(): Promise<void> {
    return this.calls.stop();
  }
}
