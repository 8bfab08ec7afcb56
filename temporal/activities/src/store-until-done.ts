import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@hookstream/observability';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

/**
 * Stores what has already happened outside, trying again until it succeeds. Giving up would mean to send again what the
 * receiver has: our database being away must not cost the receiver a duplicate. Ends early only when `signal` aborts.
 */
export async function storeUntilDone(
  store: () => Promise<void>,
  logger: Logger,
  signal?: AbortSignal,
): Promise<void> {
  for (let wait = FIRST_DELAY_MS; ; wait = Math.min(wait * 2, MAX_DELAY_MS)) {
    try {
      return await store();
    } catch (error) {
      signal?.throwIfAborted();
      logger.warn(
        { err: error, retry_in_ms: wait },
        'an attempt is made but not yet recorded: the database did not take it; trying again',
      );
      await delay(wait, undefined, { signal });
    }
  }
}
