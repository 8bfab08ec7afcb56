// Pure: what each promise takes for kept and for broken.
import type { Target } from '../traffic/targets.js';
import { WorldTimeline, type Part } from '../watch/world-timeline.js';
import { acceptFaults, readinessFaults } from './answers.js';
import { deliveryFaults, type TargetOutcome } from './every-event-arrives.js';
import { memoryFaults, memoryReports } from './flat-memory.js';
import { orderFaults, type OrderedArrival } from './order.js';
import { paceFaults } from './pace.js';
import { judgeProbes } from './probes.js';
import type { StoredAttempt, StoredDelivery } from './stored-deliveries.js';

const GOOD: Target = {
  ...{ name: 'good', endpointId: 'ep_1', eventTypes: [], mustArrive: true, neverFails: true },
  attempts: 3,
};
const MOODY: Target = {
  ...{ name: 'moody', endpointId: 'ep_2', eventTypes: [], mustArrive: false, neverFails: false },
  attempts: 2,
};

const attempt = (number: number, outcome: string, more: Partial<StoredAttempt> = {}): StoredAttempt => ({
  ...{ number, outcome, trigger: 'schedule', next: 'retry', startedAt: number * 1_000 },
  nextAttemptAt: null,
  ...more,
});

function delivery(
  status: StoredDelivery['status'],
  attempts: StoredAttempt[],
  attemptCount = attempts.length,
): StoredDelivery {
  return { deliveryId: 'dlv_1', eventId: 'evt_1', endpointId: 'ep_1', status, attemptCount, attempts };
}

const arrival = (webhookId = 'evt_1', number = 1) => ({
  webhookId,
  body: JSON.stringify({ type: 'chaos.good', data: { number } }),
});

const OK = delivery('succeeded', [attempt(1, 'succeeded')]);
const kept: TargetOutcome = { target: GOOD, accepted: ['evt_1'], deliveries: [OK], arrivals: [arrival()] };

describe('every accepted event arrives or ends by its schedule', () => {
  it.each<[string, Partial<TargetOutcome>]>([
    ['arrived', {}],
    [
      'made by two workers at once, one of them cut off',
      { deliveries: [delivery('succeeded', [attempt(1, 'succeeded'), attempt(1, 'succeeded')], 1)] },
    ],
    ['arrived twice under one id', { arrivals: [arrival(), arrival()] }],
    [
      'dead letter after all its attempts',
      {
        target: MOODY,
        deliveries: [delivery('dead_letter', [attempt(1, 'timeout'), attempt(2, 'http_error')])],
        arrivals: [],
      },
    ],
  ])('kept: %s', (_what, change) => {
    expect(deliveryFaults({ ...kept, ...change })).toEqual([]);
  });

  it.each<[string, Partial<TargetOutcome>, RegExp]>([
    ['it was lost', { arrivals: [] }, /did not arrive/],
    ['it has no delivery', { deliveries: [] }, /without exactly one delivery/],
    ['its delivery is stuck', { deliveries: [delivery('in_progress', [])] }, /did not end/],
    ['a good endpoint has a dead letter', { deliveries: [delivery('dead_letter', [])] }, /ended otherwise/],
    [
      'a dead letter too early',
      { target: MOODY, deliveries: [delivery('dead_letter', [attempt(1, 'timeout')])] },
      /ended otherwise/,
    ],
    [
      'it was cancelled',
      { target: MOODY, deliveries: [delivery('cancelled', [])] },
      /ended otherwise.*cancelled/,
    ],
    [
      'our failure is charged to the endpoint',
      { deliveries: [delivery('succeeded', [attempt(1, 'timeout'), attempt(2, 'succeeded')])] },
      /although the receiver answers 200/,
    ],
    [
      'an attempt is counted and not recorded',
      { deliveries: [delivery('succeeded', [attempt(1, 'succeeded')], 2)] },
      /counts 2 and has numbers 1/,
    ],
    [
      'an attempt is made too early',
      {
        target: MOODY,
        deliveries: [
          delivery('succeeded', [attempt(1, 'timeout', { nextAttemptAt: 2_500 }), attempt(2, 'succeeded')]),
        ],
      },
      /500 ms before it was due/,
    ],
    ['a duplicate has another id', { arrivals: [arrival(), arrival('evt_2')] }, /several webhook-ids/],
    ['something else arrived', { arrivals: [arrival(), arrival('evt_9', 9)] }, /no accepted event/],
  ])('broken: %s', (_what, change, words) => {
    expect(deliveryFaults({ ...kept, ...change }).join('\n')).toMatch(words);
  });
});

describe('order of one key', () => {
  const came = (seq: number, at: number, answered: number | undefined = 200): OrderedArrival => ({
    ...{ key: 'a', seq, at, endedAt: at + 5, answered },
  });

  it.each<[string, OrderedArrival[]]>([
    ['one after another', [came(1, 0), came(2, 10), came(3, 20)]],
    ['with a retry', [came(1, 0, 503), came(1, 10), came(2, 20)]],
    ['with a duplicate before the next', [came(1, 0), came(1, 10), came(2, 20)]],
    ['with a first one whose connection broke', [came(1, 0, undefined), came(1, 10), came(2, 20)]],
    ['keys side by side', [came(1, 0), { ...came(1, 1), key: 'b' }, came(2, 10)]],
  ])('kept: %s', (_what, arrivals) => {
    expect(orderFaults(arrivals)).toEqual([]);
  });

  it.each<[string, OrderedArrival[], RegExp]>([
    ['swapped', [came(2, 0), came(1, 10)], /2 came after 0/],
    ['a late duplicate', [came(1, 0), came(2, 10), came(1, 20)], /1 came again after 2/],
    ['the one before was refused', [came(1, 0, 503), came(2, 10)], /2 came before 1 was done/],
    ['the one before was under way', [came(1, 0), came(2, 3)], /2 came before 1 was done/],
  ])('broken: %s', (_what, arrivals, words) => {
    expect(orderFaults(arrivals).join()).toMatch(words);
  });
});

describe('one probe at a time', () => {
  const CHANGES = [
    { state: 'open' as const, at: 0 },
    { state: 'half_open' as const, at: 100 },
    { state: 'closed' as const, at: 200 },
  ];

  /** Let go at the first time, read at the second, answered at the third. */
  const requests = (...times: [number, number, number][]) => ({
    letGo: times.map(([at], index) => ({ eventId: `evt_${index}`, at })),
    arrivals: times.map(([, at, endedAt], index) => ({ webhookId: `evt_${index}`, at, endedAt })),
  });
  const judged = ({ letGo, arrivals }: ReturnType<typeof requests>) => judgeProbes(CHANGES, letGo, arrivals);

  it.each([
    ['one probe', requests([105, 110, 150]), 1],
    ['one after another', requests([105, 110, 150], [151, 160, 190]), 2],
    ['many once it is closed', requests([105, 110, 150], [201, 210, 300], [201, 211, 300]), 1],
    ['one let go before it opened, and late', requests([-5, 120, 160], [105, 110, 150]), 1],
  ])('kept: %s', (_what, seen, probes) => {
    expect(judged(seen)).toEqual({ opened: 1, halfOpen: 1, probes, faults: [] });
  });

  it.each([
    ['two that overlap', requests([105, 110, 150], [120, 130, 170])],
    ['one let go before the other had ended', requests([105, 110, 150], [149, 160, 170])],
    ['one that overlaps the last but one', requests([105, 110, 190], [120, 130, 140], [160, 170, 180])],
  ])('broken: %s', (_what, seen) => {
    expect(judged(seen).faults.join()).toMatch(/more than one probe/);
  });

  it('takes the last time a delivery was let go before its request came', () => {
    const { letGo, arrivals } = requests([-50, 110, 150]);
    const again = [...letGo, { eventId: 'evt_0', at: 108 }, { eventId: 'evt_0', at: 160 }];
    expect(judgeProbes(CHANGES, again, arrivals).probes).toBe(1);
    expect(judgeProbes(CHANGES, letGo, arrivals).probes).toBe(0);
  });
});

describe('readiness and accepting', () => {
  const T0 = 1_000_000;

  /** One part that is down from the second 10 to the second 20. */
  function world(part: Part): WorldTimeline {
    let now = T0 + 10_000;
    const timeline = new WorldTimeline(() => now);
    timeline.down(part, true);
    now = T0 + 20_000;
    timeline.up(part);
    return timeline;
  }
  const at = (second: number, status?: number, timedOut = false) => ({
    ...{ startedAt: T0 + second * 1_000, endedAt: T0 + second * 1_000 + 500, timedOut },
    ...(status === undefined ? {} : { status }),
  });

  it.each<[string, Part, ReturnType<typeof at>]>([
    ['200 while all is up', 'postgres', at(1, 200)],
    ['503 while Postgres is down', 'postgres', at(15, 503)],
    ['200 in the first moment', 'postgres', at(11, 200)],
    ['503 soon after', 'temporal', at(30, 503)],
    ['no answer while the API is down', 'api', at(15)],
    ['200 although a worker is down', 'worker-1', at(15, 200)],
  ])('readiness kept: %s', (_what, part, sample) => {
    expect(readinessFaults([sample], world(part))).toEqual([]);
  });

  it.each<[string, Part, ReturnType<typeof at>, RegExp]>([
    ['200 while Postgres is down', 'postgres', at(15, 200), /said ready although it was not/],
    ['200 while Temporal is down', 'temporal', at(15, 200), /said ready although it was not/],
    ['503 long after', 'postgres', at(36, 503), /did not say ready/],
    ['silence', 'postgres', at(15, undefined, true), /did not answer/],
    ['500', 'postgres', at(15, 500), /neither 200 nor 503/],
  ])('readiness broken: %s', (_what, part, sample, words) => {
    expect(readinessFaults([sample], world(part)).join()).toMatch(words);
  });

  it.each<[string, Part, ReturnType<typeof at>]>([
    ['202', 'postgres', at(1, 202)],
    ['503 while Postgres is down', 'postgres', at(15, 503)],
    ['202 while Temporal is down', 'temporal', at(15, 202)],
    ['a broken connection while the API is down', 'api', at(15)],
  ])('accepting kept: %s', (_what, part, tried) => {
    expect(acceptFaults([tried], world(part))).toEqual([]);
  });

  it.each<[string, Part, ReturnType<typeof at>, RegExp]>([
    [
      'silence while Postgres stands still',
      'postgres',
      at(15, undefined, true),
      /not answered.*postgres away/,
    ],
    ['a broken connection of a living API', 'postgres', at(15), /no answer/],
    ['500', 'postgres', at(15, 500), /neither with 202 nor with 503/],
    ['202 without Postgres', 'postgres', at(15, 202), /202 while Postgres stood still/],
  ])('accepting broken: %s', (_what, part, tried, words) => {
    expect(acceptFaults([tried], world(part)).join()).toMatch(words);
  });
});

describe('memory', () => {
  const life = (mbAt: (second: number) => number) => [
    {
      part: 'api' as const,
      pid: 1,
      samples: Array.from({ length: 120 }, (_, second) => ({ at: second * 1_000, mb: mbAt(second) })),
    },
  ];

  it('is flat when it only fills up at first', () => {
    const reports = memoryReports(life((second) => 100 + Math.min(second, 19) * 10));
    expect(reports).toMatchObject([{ growthMb: 0, peakMb: 290 }]);
    expect(memoryFaults(reports)).toEqual([]);
  });

  it('is not when it goes on growing', () => {
    expect(memoryFaults(memoryReports(life((second) => 100 + 3 * second))).join()).toMatch(/memory grew/);
  });

  it('tells nothing of a short life', () => {
    const [series] = life(() => 100);
    const short = { part: 'api' as const, pid: 1, samples: (series?.samples ?? []).slice(0, 30) };
    expect(memoryReports([short])[0]?.growthMb).toBeUndefined();
  });
});

describe('pace', () => {
  const every = (ms: number) => Array.from({ length: 100 }, (_, index) => index * ms);

  it('holds at the rate', () => expect(paceFaults(every(125))).toEqual([]));
  it('is exceeded at twice the rate', () =>
    expect(paceFaults(every(62)).join()).toMatch(/rate limit exceeded/));
});
