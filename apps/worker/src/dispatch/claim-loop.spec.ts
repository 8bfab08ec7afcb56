// Scripted: the outbox. Real: the loop, its window, its pace and its wake-up, on a clock of the test's.
import { newId } from '@hookstream/domain';
import { createLogger } from '@hookstream/observability';
import type { Claim, NamedQueue } from '@hookstream/persistence';
import { ClaimLoop, type ClaimLoopOptions } from './claim-loop.js';
import { DispatchWindow } from './dispatch-window.js';
import { EndpointPace } from './endpoint-pace.js';
import { WakeUp } from './wake-up.js';

const NOTHING: Claim<string> = {
  deliveries: [],
  waiting: [],
  nextInMs: null,
  again: false,
  contended: false,
  wantsRoom: false,
  fullEndpoints: new Set(),
};
const SLOW_MS = 1_000;

describe('ClaimLoop', () => {
  const known = newId('endpoint');
  const other = newId('endpoint');
  let calls: string[];
  let changed: (() => void)[];
  let launched: string[];
  let wakeUp: WakeUp<NamedQueue>;
  let window: DispatchWindow;
  let loop: ClaimLoop<string>;
  /** What is found where queues are named, in turn. */
  let found: string[][];
  /** Endpoints that a look finds full. */
  let full: Set<string>;
  let waking: NodeJS.Immediate | undefined;

  const noted = (call: string) => {
    calls.push(call);
    for (const tell of changed.splice(0)) tell();
  };
  const until = async (count: number): Promise<void> => {
    while (calls.length < count) await new Promise<void>((resolve) => changed.push(resolve));
  };
  const named = (queue: Partial<NamedQueue> = {}): NamedQueue => ({
    lane: 'durable',
    tenantUuid: 't',
    endpointUuid: 'e',
    endpointId: known,
    count: 1,
    ...queue,
  });

  function start(options: Partial<ClaimLoopOptions> = {}, before = () => {}): void {
    calls = [];
    changed = [];
    launched = [];
    found = [];
    full = new Set();
    wakeUp = new WakeUp();
    const pace = new EndpointPace({ slowMs: SLOW_MS, untimedInFlight: 10, now: Date.now });
    for (const id of [known, other]) pace.attemptBegan(id)(1);
    window = new DispatchWindow({
      maxStarted: 10,
      maxAttempts: 100,
      forgetAfterMs: 1_000,
      now: Date.now,
      onRoom: () => undefined,
    });
    loop = new ClaimLoop(
      {
        claims: () => [
          {
            lane: 'durable',
            claim: () => {
              noted('look');
              return Promise.resolve({ ...NOTHING, fullEndpoints: full });
            },
            claimNamed: (_, queues) => {
              noted(queues.map(({ count }) => `take ${count}`).join(', '));
              return Promise.resolve(found.shift() ?? []);
            },
          },
        ],
        launch: (claimed) => launched.push(claimed),
        window,
        pace,
        wakeUp,
        logger: createLogger({ name: 'test', level: 'silent' }),
      },
      { workerId: 'w', batchSize: 5, pollMs: 3_600_000, leaseMs: 1_000, ...options },
    );
    before();
    loop.start();
  }

  afterEach(() => {
    clearImmediate(waking);
    return loop.stop();
  });

  it('takes what is named without a look', async () => {
    start();
    await until(1);
    found = [['one'], ['two', 'three']];
    wakeUp.wake([named()]);
    await until(2);
    wakeUp.wake([named({ count: 2 })]);
    await until(3);
    wakeUp.wake();
    await until(4);
    expect(calls).toEqual(['look', 'take 1', 'take 2', 'look']);
    expect(launched).toEqual(['one', 'two', 'three']);
  });

  it('looks where less was found than named: a limit or another worker has a say', async () => {
    start();
    await until(1);
    found = [['one']];
    wakeUp.wake([named({ count: 2 })]);
    await until(3);
    expect(calls).toEqual(['look', 'take 2', 'look']);
    expect(launched).toEqual(['one']);
  });

  it.each([
    ['an endpoint that nobody has timed yet', [named({ endpointId: newId('endpoint') })]],
    ['more than there is room for', [named({ count: 6 })]],
    ['the queue of a lane that it does not claim from', [named({ lane: 'express' })]],
  ])('looks instead for %s', async (_, queues) => {
    start();
    await until(1);
    wakeUp.wake(queues);
    await until(2);
    expect(calls).toEqual(['look', 'look']);
  });

  it('looks when its time has come, however much is named meanwhile', async () => {
    start({ pollMs: 50 });
    await until(1);
    const wake = (): void => {
      found = [['one']];
      wakeUp.wake([named()]);
      waking = setImmediate(wake);
    };
    wake();
    while (calls.filter((call) => call === 'look').length < 2) await until(calls.length + 1);
    expect(calls).toContain('take 1');
  });

  it('looks where more comes in than it would take one by one', async () => {
    start({ restMs: () => 20 });
    await until(1);
    found = [['one']];
    wakeUp.wake([named()]);
    await until(2);
    wakeUp.wake([named()]);
    await until(3);
    expect(calls).toEqual(['look', 'take 1', 'look']);
  });

  describe('while it rests until attempts of a full endpoint have ended', () => {
    /** A rest of 90 ms: a millisecond for each attempt that is under way. */
    beforeEach(async () => {
      start({ restForEndsMs: 1_000 }, () => {
        full = new Set([other]);
        for (let i = 0; i < 90; i++)
          window.attemptBegan(newId('delivery'), { tenantId: newId('tenant'), endpointId: other });
      });
      await until(1);
    });

    it('takes what is named of another', async () => {
      found = [['one']];
      wakeUp.wake([named()]);
      await until(2);
      expect(calls).toEqual(['look', 'take 1']);
    });

    it('takes it also where an attempt has ended meanwhile, and then looks', async () => {
      found = [['one']];
      wakeUp.wake([named()]);
      wakeUp.wakeForRoom();
      await until(3);
      expect(calls).toEqual(['look', 'take 1', 'look']);
    });

    it('looks at once where something is new and nobody says where', async () => {
      found = [['one']];
      wakeUp.wakeForRoom();
      wakeUp.wake();
      await new Promise(setImmediate);
      wakeUp.wake([named()]);
      await until(3);
      expect(calls).toEqual(['look', 'look', 'take 1']);
    });

    it('looks, and does not ask, for more of the full one', async () => {
      wakeUp.wake([named({ endpointId: other })]);
      await until(2);
      expect(calls).toEqual(['look', 'look']);
    });
  });
});
