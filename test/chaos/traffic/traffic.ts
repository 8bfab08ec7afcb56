import { setTimeout as sleep } from 'node:timers/promises';
import { postUntilAccepted, type PostTry } from '../../e2e/event-poster.js';
import type { StandaloneInstance } from '../../e2e/standalone-instance.js';

/** An event that was answered with 202. */
export interface AcceptedEvent {
  id: string;
  type: string;
}

/** An API that answers nothing for so long hangs. Milliseconds. */
export const POST_ANSWERED_WITHIN_MS = 25_000;
/** An event that is not taken within this time after all is up again is given up, and told. */
const GIVE_UP_AFTER_MS = 120_000;

const ORDER_KEYS = 6;
/** Events per second of each type; together with the two deliveries of each shared one, 27 deliveries a second. */
const PER_SECOND: Record<string, number> = {
  'chaos.good': 5,
  'chaos.paced': 3,
  'chaos.moody': 3,
  'chaos.sick': 3,
  'chaos.untrusted': 0.5,
  'chaos.plain': 0.5,
};
const SHARED_PER_SECOND = 6;

/** A steady load of events of every kind, each posted until it is accepted. */
export class Traffic {
  readonly accepted: AcceptedEvent[] = [];
  readonly tries: PostTry[] = [];
  /** Events that no number of tries got accepted. */
  readonly givenUp: string[] = [];
  private stopped = false;
  private readonly underWay = new Set<Promise<void>>();
  private loops: Promise<void>[] = [];

  /** @param rate share of the usual load */
  constructor(
    private readonly instance: StandaloneInstance,
    private readonly rate: number,
  ) {}

  start(): void {
    this.loops = [
      ...Object.entries(PER_SECOND).map(([type, perSecond]) => this.steady(type, perSecond * this.rate)),
      ...Array.from({ length: ORDER_KEYS }, (_, index) => this.inOrder(`key-${index + 1}`)),
    ];
  }

  /** Posts nothing new and waits until all that was begun is accepted. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops);
    await Promise.all(this.underWay);
  }

  /** Whether or not answers come, as the world does. */
  private async steady(type: string, perSecond: number): Promise<void> {
    const beginning = Date.now();
    for (let number = 1; !this.stopped; number++) {
      const posting = this.post(type, { number }).finally(() => this.underWay.delete(posting));
      this.underWay.add(posting);
      await sleep(Math.max(0, beginning + (number * 1_000) / perSecond - Date.now()));
    }
  }

  /** One after another: only so is there an order in which they were accepted. */
  private async inOrder(key: string): Promise<void> {
    for (let seq = 1; !this.stopped; seq++) {
      const pace = sleep((ORDER_KEYS * 1_000) / (SHARED_PER_SECOND * this.rate));
      await this.post('chaos.shared', { key, seq });
      await pace;
    }
  }

  private async post(type: string, data: Record<string, unknown>): Promise<void> {
    const options = {
      answerTimeoutMs: POST_ANSWERED_WITHIN_MS,
      giveUpAfterMs: GIVE_UP_AFTER_MS,
      onTry: (tried: PostTry) => void this.tries.push(tried),
    };
    try {
      const id = await postUntilAccepted(() => this.instance, { type, data }, options);
      this.accepted.push({ id, type });
    } catch (error) {
      this.givenUp.push(`${type}: ${(error as Error).message}`);
    }
  }
}
