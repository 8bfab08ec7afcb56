import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from './clock.js';

/** One thing that was asked for: its id in the sink, and when asking began and was answered. */
export interface Sent {
  id: string;
  startedAt: number;
  answeredAt: number;
}

export interface LoadResult {
  sent: Sent[];
  errors: number;
  firstError?: string;
  /** From the first request to the last answer, in milliseconds. */
  elapsedMs: number;
}

type Send = (index: number) => Promise<string>;

/** `concurrency` senders, each asking again as soon as it is answered. Ends after `count`, or after `maxMs`. */
export async function closedLoop(
  options: { count: number; concurrency: number; maxMs: number },
  send: Send,
): Promise<LoadResult> {
  const record = new LoadRecord(send);
  const deadline = monotonicMs() + options.maxMs;
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < options.count && monotonicMs() < deadline) await record.one(next++);
  };
  await Promise.all(Array.from({ length: options.concurrency }, sender));
  return record.result();
}

/** Asks at a steady pace whether or not answers come, as the world does: a stall shows in every time behind it. */
export async function openLoop(
  options: { count: number; perSecond: number },
  send: Send,
): Promise<LoadResult> {
  const record = new LoadRecord(send);
  const beginning = monotonicMs();
  const underWay: Promise<void>[] = [];
  for (let index = 0; index < options.count; index++) {
    const wait = beginning + (index * 1_000) / options.perSecond - monotonicMs();
    if (wait > 0) await sleep(wait);
    underWay.push(record.one(index));
  }
  await Promise.all(underWay);
  return record.result();
}

class LoadRecord {
  private readonly sent: Sent[] = [];
  private errors = 0;
  private firstError: string | undefined;
  private readonly beginning = monotonicMs();

  constructor(private readonly send: Send) {}

  async one(index: number): Promise<void> {
    const startedAt = monotonicMs();
    try {
      const id = await this.send(index);
      this.sent.push({ id, startedAt, answeredAt: monotonicMs() });
    } catch (error) {
      this.errors += 1;
      this.firstError ??= error instanceof Error ? error.message : String(error);
    }
  }

  result(): LoadResult {
    return {
      sent: this.sent,
      errors: this.errors,
      ...(this.firstError === undefined ? {} : { firstError: this.firstError }),
      elapsedMs: monotonicMs() - this.beginning,
    };
  }
}
