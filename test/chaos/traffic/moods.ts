import type { ReceivedRequest, ReceiverBehaviour, Script } from '@hookstream/testing';
import type { OrderedArrival } from '../promises/order.js';
import { SeededRandom } from '../seeded-random.js';

/** All that a receiver can do wrong with a request that has reached it, and nothing wrong. */
const MOODS: Record<string, ReceiverBehaviour> = {
  fine: {},
  hangs: { kind: 'hang' },
  resets: { kind: 'reset' },
  'byte by byte': { kind: 'endless', chunkBytes: 1, intervalMs: 100 },
  'endless body': { kind: 'endless' },
  redirects: { status: 302, headers: { location: '/good' } },
  'not http': { kind: 'garbage' },
  'broken off': { kind: 'truncate' },
};

const MOOD_LASTS_MS = 1_500;
/** A broken one's 503 takes a moment, so that requests at the same time would be seen side by side. */
const SICK_ANSWER_MS = 150;
const SICK_TURN_MS = { sick: 6_000, well: 5_000 };
/** Of ordered events, each with such a number is refused when it first comes. */
const REFUSED_FIRST_EVERY = 5;

/** A receiver whose mood changes all the time, until it is healed. Tells which it has been in. */
export class MoodyScript {
  readonly met = new Map<string, number>();
  private healed = false;
  private readonly order: string[];
  private readonly since = Date.now();

  constructor(seed: number) {
    this.order = new SeededRandom(seed).shuffled(Object.keys(MOODS));
  }

  readonly answer = (): ReceiverBehaviour => {
    const turn = Math.floor((Date.now() - this.since) / MOOD_LASTS_MS);
    const mood = this.healed ? 'fine' : (this.order[turn % this.order.length] as string);
    this.met.set(mood, (this.met.get(mood) ?? 0) + 1);
    return MOODS[mood] as ReceiverBehaviour;
  };

  heal(): void {
    this.healed = true;
  }
}

/** A receiver that answers 503 for some seconds, then 200 for some seconds, and so on, until it is healed. */
export class SickScript {
  private healed = false;
  private readonly since = Date.now();

  readonly answer = (): ReceiverBehaviour => {
    const { sick, well } = SICK_TURN_MS;
    const isSick = !this.healed && (Date.now() - this.since) % (sick + well) < sick;
    return { status: isSick ? 503 : 200, delayMs: SICK_ANSWER_MS };
  };

  heal(): void {
    this.healed = true;
  }
}

/** Refuses some events when they first come, so that order has to hold over retries. */
export function refusesSomeFirst(): Script {
  const seen = new Set<string>();
  return (request: ReceivedRequest) => {
    const id = request.headers['webhook-id'] ?? '';
    const isFirst = !seen.has(id);
    seen.add(id);
    const { seq } = orderedData(request);
    return { status: isFirst && seq % REFUSED_FIRST_EVERY === 0 ? 503 : 200 };
  };
}

/** What the events of the ordered endpoint carry. */
interface OrderedData {
  key: string;
  /** 1, 2, 3, … of its key. */
  seq: number;
}

function orderedData(request: ReceivedRequest): OrderedData {
  return (JSON.parse(request.body.toString('utf8')) as { data: OrderedData }).data;
}

export function orderedArrival(request: ReceivedRequest): OrderedArrival {
  return { ...orderedData(request), ...spanOf(request), answered: request.answered };
}

/** From its arrival to the end of the answer. Unix ms. */
export function spanOf({ receivedAt, endedAt }: ReceivedRequest): { at: number; endedAt: number } {
  return { at: receivedAt, endedAt: endedAt ?? Infinity };
}
