import { ChildCalls } from '../children/child-calls.js';
import type { BareAcceptHandlers } from './bare-accept-protocol.js';

/** The yardstick of accepting: the same requests, stored by plain Fastify and `pg` in a database of its own on the same server. */
export class BareAccept {
  /** It asks nobody who they are. */
  readonly apiKey = 'none';

  private constructor(
    private readonly calls: ChildCalls<BareAcceptHandlers>,
    readonly apiUrl: string,
  ) {}

  /** @param databaseUrl of any database of the server, as one who may create databases */
  static async start(databaseUrl: string, env: NodeJS.ProcessEnv): Promise<BareAccept> {
    const main = new URL('bare-accept-main.js', import.meta.url);
    const calls = await ChildCalls.start<BareAcceptHandlers>('bare accepting', main, [databaseUrl], env);
    return new BareAccept(calls, `http://127.0.0.1:${await calls.call('port', undefined)}`);
  }

  get pid(): number {
    return this.calls.pid;
  }

  stored(): Promise<number> {
    return this.calls.call('stored', undefined);
  }

  stop(): Promise<void> {
    return this.calls.stop();
  }
}
