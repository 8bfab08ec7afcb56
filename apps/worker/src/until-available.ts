import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@hookstream/observability';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 5_000;

/**
 * Tries until it works: a process may start before what it depends on. Says what it waits for.
 * @throws the reason of `signal` once it aborts
 */
export async function untilAvailable<T>(
  what: string,
  logger: Logger,
  attempt: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let wait = FIRST_DELAY_MS; ; wait = Math.min(wait * 2, MAX_DELAY_MS)) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      logger.warn({ err: error, retry_in_ms: wait }, `waiting for ${what}`);
      await delay(wait, undefined, signal ? { signal } : {});
    }
  }
}
