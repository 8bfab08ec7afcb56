import { ChildCalls } from '../children/child-calls.js';
import type { LoadResult } from '../generator/load-loops.js';
import type { BareHandlers } from './bare-protocol.js';

/** The yardstick: the same request to the same sink, made by a minimal workflow on the same Temporal server. */
export class BareTemporal {
  private constructor(private readonly calls: ChildCalls<BareHandlers>) {}

  static async start(
    options: { address: string; namespace: string; sinkOrigin: string },
    env: NodeJS.ProcessEnv,
  ): Promise<BareTemporal> {
    const { address, namespace, sinkOrigin } = options;
    const main = new URL('bare-main.js', import.meta.url);
    return new BareTemporal(
      await ChildCalls.start<BareHandlers>('bare Temporal', main, [address, namespace, sinkOrigin], env),
    );
  }

  get pid(): number {
    return this.calls.pid;
  }

  closedLoop(input: Parameters<BareHandlers['closedLoop']>[0]): Promise<LoadResult> {
    return this.calls.call('closedLoop', input);
  }

  openLoop(input: Parameters<BareHandlers['openLoop']>[0]): Promise<LoadResult> {
    return this.calls.call('openLoop', input);
  }

  stop(): Promise<void> {
    return this.calls.stop();
  }
}
