import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Default 10 s. */
  timeoutMs?: number;
  /** Default 25 ms. */
  intervalMs?: number;
}

/**
 * Calls `probe` until it neither throws nor answers undefined or false, and answers what it answered.
 * @throws its last error (or a plain one) when the time is up.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline)
      throw failure instanceof Error
        ? failure
        : new Error(`not so within ${timeoutMs} ms`, { cause: failure });
    await sleep(options.intervalMs ?? 25);
  }
}
