import { randomUUID } from 'node:crypto';
import { eventually } from '@hookstream/testing';
import type { ApiAddress } from './api-client.js';

const ANSWER_TIMEOUT_MS = 5_000;
const GIVE_UP_AFTER_MS = 60_000;

/** Whatever knows where the API is at the moment. */
export interface PostedTo {
  readonly file: ApiAddress;
}

/** One request to accept an event, whatever came of it. Times are Unix ms. */
export interface PostTry {
  startedAt: number;
  endedAt: number;
  /** Absent: there was no answer. */
  status?: number;
  /** There was none within the time. */
  timedOut: boolean;
}

export interface PostingOptions {
  /** How long one request may take. */
  answerTimeoutMs?: number;
  giveUpAfterMs?: number;
  onTry?: (tried: PostTry) => void;
}

/**
 * Posts one event the way a careful application does: without an answer it is posted again under its Idempotency-Key, until the API
 * takes it. Answers the id.
 * @param instance asked anew for every request: an instance that was started again has another address
 */
export function postUntilAccepted(
  instance: () => PostedTo,
  event: Record<string, unknown>,
  options: PostingOptions = {},
): Promise<string> {
  const key = randomUUID();
  const { giveUpAfterMs = GIVE_UP_AFTER_MS } = options;
  return eventually(() => tryOnce(instance(), event, key, options), {
    timeoutMs: giveUpAfterMs,
    intervalMs: 50,
  });
}

/** Posts events for one endpoint, each until it is accepted. */
export class EventPoster {
  /** Ids of the events that were answered with 202. */
  readonly accepted = new Set<string>();

  constructor(
    private readonly instance: () => PostedTo,
    private readonly endpointId: string,
  ) {}

  /** Resolves when that many more are accepted. */
  async post(count: number, concurrency = 8): Promise<void> {
    let left = count;
    const one = async (): Promise<void> => {
      while (left-- > 0) {
        const event = {
          type: 'order.paid',
          data: { order_id: randomUUID() },
          endpoint_ids: [this.endpointId],
        };
        this.accepted.add(await postUntilAccepted(this.instance, event));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, one));
  }
}

/** Answers the id, or undefined when it has to be tried again. */
async function tryOnce(
  instance: PostedTo,
  event: Record<string, unknown>,
  key: string,
  { answerTimeoutMs = ANSWER_TIMEOUT_MS, onTry }: PostingOptions,
): Promise<string | undefined> {
  const tried: PostTry = { startedAt: Date.now(), endedAt: 0, timedOut: false };
  const { api_url, api_key } = instance.file;
  try {
    const answer = await fetch(`${api_url}/api/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${api_key}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    const text = await answer.text();
    tried.status = answer.status;
    return answer.status === 202 ? (JSON.parse(text) as { id: string }).id : undefined;
  } catch (error) {
    tried.timedOut = (error as Error).name === 'TimeoutError';
    throw error;
  } finally {
    tried.endedAt = Date.now();
    onTry?.(tried);
  }
}
