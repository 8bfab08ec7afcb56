import type { AsyncLocalStorage } from 'node:async_hooks';

/** Every worker of a process has the same context of activities. */
const resting = new WeakSet<object>();

/**
 * Keeps a context of the SDK (an AsyncLocalStorage: of a connection its calls', of a worker its activities') switched on only while something runs
 * in it. The SDK switches it on with the first run and never off; from then on Node before version 24 follows every promise of the
 * process, which costs whoever accepts events a sixth of its processor time. Where nothing is under way there is no context to keep.
 */
export function restContext<Context>(storage: AsyncLocalStorage<Context>): void {
  if (resting.has(storage)) return;
  resting.add(storage);
  const run: <R>(context: Context, work: () => R) => R = storage.run.bind(storage);
  let underWay = 0;
  const ended = (): void => {
    underWay -= 1;
    if (underWay === 0) storage.disable();
  };
  storage.run = <R>(context: Context, work: () => R): R => {
    underWay += 1;
    let result: R;
    try {
      result = run(context, work);
    } catch (error) {
      ended();
      throw error;
    }
    // the promise that the caller gets is the one that is followed: what it awaits afterwards is not the call's any more
    if (result instanceof Promise) result.then(ended, ended);
    else ended();
    return result;
  };
}
