import { randomUUID } from 'node:crypto';
import { eventually } from '@hookstream/testing';
import type { StandaloneInstance } from './standalone-instance.js';

const ANSWER_TIMEOUT_MS = 5_000;
const GIVE_UP_AFTER_MS = 60_000;

/**
 * Posts events the way a careful application does: an event without an answer is posted again under its Idempotency-Key,
 * until the API takes it.
 */
export class EventPoster {
  /** Ids of the events that were answered with 202. */
  readonly accepted = new Set<string>();

  /** @param instance asked anew for every request: an instance that was started again has another address */
  constructor(
    private readonly instance: () => StandaloneInstance,
    private readonly endpointId: string,
  ) {}

  /** Resolves when that many more are accepted. */
  async post(count: number, concurrency = 8): Promise<void> {
    let left = count;
    const one = async (): Promise<void> => {
      while (left-- > 0) await this.untilAccepted();
    };
    await Promise.all(Array.from({ length: concurrency }, one));
  }

  private async untilAccepted(): Promise<void> {
    const key = randomUUID();
    const id = await eventually(() => this.tryOnce(key), { timeoutMs: GIVE_UP_AFTER_MS, intervalMs: 50 });
    this.accepted.add(id);
  }

  /** Answers the id, or undefined when it has to be tried again. */
  private async tryOnce(key: string): Promise<string | undefined> {
    const { api_url, api_key } = this.instance().file;
    const answer = await fetch(`${api_url}/api/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${api_key}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ type: 'order.paid', data: { key }, endpoint_ids: [this.endpointId] }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const text = await answer.text();
    return answer.status === 202 ? (JSON.parse(text) as { id: string }).id : undefined;
  }
}
