// Scripted: outbox and Temporal. Real: the dispatcher, its window, its pace and its wake-up.
import type { DeliveryWorkflowInput } from '@hookstream/contracts';
import { newId } from '@hookstream/domain';
import { createLogger } from '@hookstream/observability';
import type { Claim, ClaimedDelivery } from '@hookstream/persistence';
import type { DeliveryStarter } from '@hookstream/temporal-client';
import type { Claims } from './claim-loop.js';
import { DispatchWindow } from './dispatch-window.js';
import { EndpointPace } from './endpoint-pace.js';
import { Dispatcher, type DispatcherDeps, type DispatcherOptions } from './dispatcher.js';
import { WakeUp } from './wake-up.js';

const NOTHING: Claim<ClaimedDelivery> = {
  deliveries: [],
  waiting: [],
  nextInMs: null,
  again: false,
  contended: false,
  wantsRoom: false,
  fullEndpoints: new Set(),
};

type Call = [name: string, ids: string[], delayMs?: number, anyLane?: boolean];

describe('Dispatcher', () => {
  let waiting: ClaimedDelivery[];
  let calls: Call[];
  let start: DeliveryStarter['start'];
  /** What the next claims say beside their deliveries. */
  let answers: Partial<Claim<ClaimedDelivery>>[];
  let replay: DeliveryStarter['replay'];
  let claimFailures: number;
  let changed: (() => void)[];
  let dispatcher: Dispatcher;
  let wakeUp: WakeUp;
  let away: number;

  const noted = (...call: Call) => {
    calls.push(call);
    for (const tell of changed.splice(0)) tell();
    return Promise.resolve();
  };
  const until = async (seen: () => boolean): Promise<void> => {
    while (!seen()) await new Promise<void>((resolve) => changed.push(resolve));
  };
  const called = (name: string) => calls.filter(([called]) => called === name).flatMap(([, ids]) => ids);

  function delivery(overrides: Partial<ClaimedDelivery> = {}): ClaimedDelivery {
    return {
      deliveryId: newId('delivery'),
      tenantId: newId('tenant'),
      endpointId: newId('endpoint'),
      eventId: newId('event'),
      eventType: 'order.paid',
      endpointUrl: 'https://api.example.com:8443/hook?secret=1',
      attemptCount: 2,
      scheduleStep: 1,
      trigger: 'schedule',
      createdAt: new Date(1_000),
      dueAt: new Date(1_000),
      lane: 'durable',
      waitedAs: 'durable',
      nextAttemptAt: null,
      ...overrides,
    };
  }

  function make(options: Partial<DispatcherOptions> = {}): Dispatcher {
    const claims: Claims<ClaimedDelivery> = {
      lane: 'durable',
      claimNamed: () => Promise.reject(new Error('nothing is named')),
      claim: ({ use }) => {
        if (claimFailures-- > 0) return Promise.reject(new Error('away'));
        const deliveries = waiting.splice(0, use.room);
        return Promise.resolve({ ...NOTHING, ...answers.shift(), deliveries });
      },
    };
    const outbox: DispatcherDeps['outbox'] = {
      acknowledge: (_, ids) => noted('acknowledge', [...ids]),
      acknowledgeOpen: (_, ids, delayMs) => noted('acknowledgeOpen', [...ids], delayMs),
      release: (_, ids, delayMs, anyLane) => noted('release', [...ids], delayMs, anyLane),
    };
    wakeUp = new WakeUp();
    const window = new DispatchWindow({
      maxStarted: 10,
      maxAttempts: 100,
      forgetAfterMs: 1_000,
      now: Date.now,
      onRoom: () => wakeUp.wakeForRoom(),
    });
    return new Dispatcher(
      {
        claims: () => [claims],
        outbox,
        onTemporalAway: () => void (away += 1),
        starter: { start: (input) => start(input), replay: (input) => replay(input) },
        window,
        firstAttempts: {
          keep: ({ deliveryId }) => void noted('keep', [deliveryId]),
          drop: (deliveryId) => void noted('drop', [deliveryId]),
        },
        pace: new EndpointPace({ slowMs: 1_000, untimedInFlight: 10, now: Date.now }),
        wakeUp,
        logger: createLogger({ name: 'test', level: 'silent' }),
      },
      {
        workerId: 'w',
        batchSize: 5,
        pollMs: 3_600_000,
        leaseMs: 1_000,
        retentionMs: 500,
        ...options,
      },
    );
  }

  beforeEach(() => {
    waiting = [];
    answers = [];
    calls = [];
    changed = [];
    claimFailures = 0;
    away = 0;
    start = () => Promise.resolve('started');
    replay = () => Promise.reject(new Error('nothing is to be replayed'));
  });
  afterEach(() => dispatcher.stop());

  it('starts what it claims with ids only, and acknowledges what was started', async () => {
    const inputs: unknown[] = [];
    start = (input) => {
      inputs.push(input);
      return Promise.resolve('started');
    };
    const one = delivery();
    waiting = [one, delivery({ endpointUrl: '' })];
    const ids = waiting.map(({ deliveryId }) => deliveryId);
    dispatcher = make();
    dispatcher.start();
    await until(() => called('acknowledge').length === 2);
    expect(called('acknowledge')).toEqual(ids);
    expect(dispatcher.lastDispatchAt).toBeInstanceOf(Date);
    expect(inputs).toEqual([
      {
        deliveryId: one.deliveryId,
        tenantId: one.tenantId,
        endpointId: one.endpointId,
        eventId: one.eventId,
        eventType: 'order.paid',
        endpointHost: 'api.example.com:8443',
        lane: 'durable',
        attemptsMade: 2,
        scheduleStep: 1,
        trigger: 'schedule',
        expiresAt: 1_500,
      },
      expect.objectContaining({ endpointHost: 'deleted endpoint' }),
    ]);
  });

  it('does not simply acknowledge what was open already: it may be closing after a hand-back', async () => {
    start = () => Promise.resolve('already_started');
    waiting = [delivery()];
    const [{ deliveryId }] = waiting as [ClaimedDelivery];
    dispatcher = make();
    dispatcher.start();
    await until(() => called('acknowledgeOpen').length === 1);
    await dispatcher.stop();
    expect(called('acknowledgeOpen')).toEqual([deliveryId]);
    expect(called('acknowledge')).toEqual([]);
  });

  it.each(['started', 'signalled'] as const)(
    'asks for a replay where the row says so: %s',
    async (result) => {
      const triggers: string[] = [];
      start = () => Promise.reject(new Error('an open workflow would not hear of it'));
      replay = ({ trigger }) => {
        triggers.push(trigger);
        return Promise.resolve(result);
      };
      waiting = [delivery({ trigger: 'replay' })];
      const [{ deliveryId }] = waiting as [ClaimedDelivery];
      dispatcher = make();
      dispatcher.start();
      await until(() => called('acknowledge').length === 1);
      expect(called('acknowledge')).toEqual([deliveryId]);
      expect(triggers).toEqual(['replay']);
    },
  );

  it('hands back what Temporal does not take, for a later try', async () => {
    start = () => Promise.reject(new Error('unavailable'));
    waiting = [delivery()];
    const [{ deliveryId }] = waiting as [ClaimedDelivery];
    dispatcher = make();
    dispatcher.start();
    await until(() => called('release').length === 1);
    expect(calls).toContainEqual(['release', [deliveryId], 1_000, false]);
    expect(dispatcher.lastDispatchAt).toBeNull();
    expect(away).toBe(0);
  });

  it('gives what any lane may have back at once, to another lane, when Temporal is away', async () => {
    start = () => Promise.reject(new Error('away'));
    waiting = [delivery({ waitedAs: 'auto' })];
    const [{ deliveryId }] = waiting as [ClaimedDelivery];
    dispatcher = make();
    dispatcher.start();
    await until(() => called('release').length === 1);
    expect(calls).toContainEqual(['release', [deliveryId], 0, true]);
    expect(away).toBe(1);
  });

  it('lets one whose first attempt has failed begin with its wait, and keeps no room for it', async () => {
    const inputs: DeliveryWorkflowInput[] = [];
    start = (input) => {
      inputs.push(input);
      return Promise.resolve('started');
    };
    const nextAttemptAt = new Date(5_000);
    // more than the window has room for, were it kept until an attempt begins
    waiting = Array.from({ length: 12 }, () =>
      delivery({ waitedAs: 'workflow', lane: 'express', attemptCount: 1, nextAttemptAt }),
    );
    dispatcher = make();
    dispatcher.start();
    await until(() => called('acknowledge').length === 12);
    expect(inputs[0]).toMatchObject({
      lane: 'express',
      attemptsMade: 1,
      nextAttemptAt: nextAttemptAt.toISOString(),
    });
  });

  it('works through a backlog without waiting for a poll', async () => {
    waiting = Array.from({ length: 23 }, () => delivery());
    start = (input) => Promise.resolve(input.deliveryId).then(() => 'already_started');
    dispatcher = make();
    dispatcher.start();
    await until(() => called('acknowledgeOpen').length === 23);
  });

  it.each<[string, Partial<Claim<ClaimedDelivery>>]>([
    ['more may go at once', { again: true }],
    ['a token or a due time comes', { nextInMs: 1 }],
    ['another worker held the gate', { contended: true }],
  ])('claims again without a poll when %s', async (_, answer) => {
    waiting = [];
    answers = [answer, answer];
    dispatcher = make();
    const more = delivery();
    queueMicrotask(() => waiting.push(more));
    dispatcher.start();
    await until(() => called('acknowledge').length === 1);
  });

  it('says what the delivery is due to', async () => {
    const triggers: string[] = [];
    start = (input) => {
      triggers.push(input.trigger);
      return Promise.resolve('started');
    };
    waiting = [delivery({ trigger: 'retry_now' })];
    dispatcher = make();
    dispatcher.start();
    await until(() => called('acknowledge').length === 1);
    expect(triggers).toEqual(['retry_now']);
  });

  it('goes on after the outbox could not be read', async () => {
    claimFailures = 1;
    waiting = [delivery()];
    dispatcher = make();
    dispatcher.start();
    wakeUp.wake();
    await until(() => called('acknowledge').length === 1);
  });

  it('waits at a stop for the starts under way and acknowledges them', async () => {
    let finish: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      start = () =>
        new Promise((done) => {
          finish = () => done('started');
          resolve();
        });
    });
    waiting = [delivery()];
    dispatcher = make();
    dispatcher.start();
    await begun;
    const stopping = dispatcher.stop();
    expect(called('acknowledge')).toEqual([]);
    finish();
    await stopping;
    expect(called('acknowledge')).toHaveLength(1);
  });
});
