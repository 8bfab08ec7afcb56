import { ChildCalls } from '../children/child-calls.js';
import type { GeneratorHandlers } from './generator-protocol.js';
import type { LoadResult } from './load-loops.js';

const EVENTS_PATH = '/api/v1/events';
const EVENT_BYTES = 1_024;

/** Whom to post to, and what. */
export interface Posting {
  to: { apiUrl: string; apiKey: string };
  type: string;
  count: number;
  connections: number;
  /** Default: where events are accepted. */
  path?: string;
  /** Of a body, about. Default 1,024. */
  bytes?: number;
}

/** This side of the generator process. */
export class LoadGenerator {
  private constructor(private readonly calls: ChildCalls<GeneratorHandlers>) {}

  static async start(env: NodeJS.ProcessEnv): Promise<LoadGenerator> {
    const main = new URL('generator-main.js', import.meta.url);
    return new LoadGenerator(await ChildCalls.start<GeneratorHandlers>('generator', main, [], env));
  }

  get pid(): number {
    return this.calls.pid;
  }

  /** Over all connections, each posting again as soon as it is answered. Ends after `count`, or after `maxMs`. */
  closedLoop(posting: Posting, maxMs: number): Promise<LoadResult> {
    return this.calls.call('closedLoop', { ...posterOptions(posting), maxMs });
  }

  /** At a steady pace, whether or not answers come. */
  openLoop(posting: Posting, perSecond: number): Promise<LoadResult> {
    return this.calls.call('openLoop', { ...posterOptions(posting), perSecond });
  }

  stop(): Promise<void> {
    return this.calls.stop();
  }
}

function posterOptions({ to, path = EVENTS_PATH, bytes = EVENT_BYTES, ...rest }: Posting) {
  return { ...rest, origin: to.apiUrl, apiKey: to.apiKey, path, size: bytes };
}
