import { setTimeout as sleep } from 'node:timers/promises';
import { postUntilAccepted, type PostedTo, type PostTry } from '../../e2e/event-poster.js';

/** An event that was answered with 202. */
export interface AcceptedEvent {
  id: string;
  type: string;
}

/** An API that answers nothing for so long hangs. Milliseconds. */
export const POST_ANSWERED_WITHIN_MS = 25_000;
/** An event that is not taken within this time after all is up again is given up, and told. */
const GIVE_UP_AFTER_MS = 120_000;

/** What is posted. Rates are events per second. */
export interface TrafficPlan {
  /** Of each event type. */
  perSecond: Record<string, number>;
  /** Events of one type whose order matters, shared out among so many keys. */
  inOrder: { type: string; keys: number; perSecond: number };
}

/** A steady load of events of every kind, each posted until it is accepted. */
export class Traffic {
  readonly accepted: AcceptedEvent[] = [];
  readonly tries: PostTry[] = [];
  /** Events that no number of tries got accepted. */
  readonly givenUp: string[] = [];
  private stopped = false;
  private readonly underWay = new Set<Promise<void>>();
  private loops: Promise<void>[] = [];

  /** @param to looked at anew for every request */
  constructor(
    private readonly to: PostedTo,
    private readonly plan: TrafficPlan,
  ) {}

  start(): void {
    const { perSecond, inOrder } = this.plan;
    this.loops = [
      ...Object.entries(perSecond).map(([type, rate]) => this.steady(type, rate)),
      ...Array.from({ length: inOrder.keys }, (_, index) => this.inOrder(`key-${index + 1}`)),
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
    const { type, keys, perSecond } = this.plan.inOrder;
    for (let seq = 1; !this.stopped; seq++) {
      const pace = sleep((keys * 1_000) / perSecond);
      await this.post(type, { key, seq });
      await pace;
    }
  }

  /** One event more, beside the steady ones. Resolves when it is accepted, or given up. */
  async post(type: string, data: Record<string, unknown>): Promise<void> {
    const options = {
      answerTimeoutMs: POST_ANSWERED_WITHIN_MS,
      giveUpAfterMs: GIVE_UP_AFTER_MS,
      onTry: (tried: PostTry) => void this.tries.push(tried),
    };
    try {
      const id = await postUntilAccepted(() => this.to, { type, data }, options);
      this.accepted.push({ id, type });
    } catch (error) {
      this.givenUp.push(`${type}: ${(error as Error).message}`);
    }
  }
}
