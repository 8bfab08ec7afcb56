import type { Connection } from '@temporalio/client';

/**
 * Keeps the connection's call context (its AsyncLocalStorage) switched on only while a call is under way. The SDK switches it on with the
 * first call and never off; from then on Node before version 24 follows every promise of the process, which costs whoever
 * accepts events a sixth of its processor time. Where nothing is under way there is no context to keep.
 */
export function restCallContext(connection: Connection): void {
  const storage = connection.callContextStorage;
  const run = storage.run.bind(storage) as <R>(context: unknown, work: () => R) => R;
  let underWay = 0;
  const ended = (): void => {
    underWay -= 1;
    if (underWay === 0) storage.disable();
  };
  storage.run = <R>(context: unknown, work: () => R): R => {
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
