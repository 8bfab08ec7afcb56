// Pure, with a clock of its own: how much a worker may take on, and who has it.
import { DispatchWindow } from './dispatch-window.js';

describe('DispatchWindow', () => {
  let now: number;
  let wakeUps: number;
  let took: number[];
  let window: DispatchWindow;
  const owner = { tenantId: 'tnt_1', endpointId: 'ep_1' };
  const room = () => window.use(1_000).room;

  beforeEach(() => {
    now = 0;
    wakeUps = 0;
    took = [];
    window = new DispatchWindow({
      maxStarted: 3,
      maxAttempts: 5,
      forgetAfterMs: 1_000,
      now: () => now,
      onRoom: () => (wakeUps += 1),
      onStarted: (tookMs) => took.push(tookMs),
    });
  });

  it('tells how long a start took that it made, and only when the attempt has begun', () => {
    window.starting('a', owner);
    window.starting('fails', owner);
    now = 30;
    window.notStarted('fails');
    expect(took).toEqual([]);
    window.attemptBegan('a', owner);
    window.attemptBegan('retry', owner);
    expect(took).toEqual([30]);
  });

  it('counts a delivery from its start until its attempt begins, and then as an attempt until it ends', () => {
    window.starting('a', owner);
    expect(room()).toBe(2);
    const ended = window.attemptBegan('a', owner);
    expect(room()).toBe(3);
    expect(window.attemptsUnderWay).toBe(1);
    ended();
    expect(window.attemptsUnderWay).toBe(0);
    expect(wakeUps).toBe(2);
  });

  it('takes no more than the attempts that may run', () => {
    for (let i = 0; i < 4; i++) window.attemptBegan(`retry ${i}`, owner);
    expect(room()).toBe(1);
    window.starting('a', owner);
    expect(room()).toBe(0);
    window.attemptBegan('a', owner);
    window.attemptBegan('retry 4', owner);
    expect(room()).toBe(0);
  });

  it('takes no more than asked for at once', () => {
    expect(window.use(2)).toMatchObject({ room: 2, capacity: 5, total: 0 });
  });

  it('asks for room again only when a quarter of its starts is free, one claim for all', () => {
    window = new DispatchWindow({
      maxStarted: 8,
      maxAttempts: 100,
      forgetAfterMs: 1_000,
      now: () => now,
      onRoom: () => (wakeUps += 1),
    });
    for (let i = 0; i < 8; i++) window.starting(`d${i}`, owner);
    window.attemptBegan('d0', owner);
    expect([room(), wakeUps]).toEqual([0, 0]);
    window.attemptBegan('d1', owner);
    expect([room(), wakeUps]).toEqual([2, 1]);
  });

  it('gets its room back when a start fails or the delivery runs elsewhere', () => {
    window.starting('a', owner);
    window.notStarted('a');
    window.notStarted('a');
    expect(room()).toBe(3);
    expect(wakeUps).toBe(1);
  });

  it('forgets after a while what another worker has begun', () => {
    window.starting('a', owner);
    now = 500;
    window.starting('b', owner);
    now = 1_000;
    expect(room()).toBe(2);
    now = 1_500;
    expect(room()).toBe(3);
    expect(window.use(1).tenants.size).toBe(0);
  });

  it('knows who has how much, started or under way', () => {
    const other = { tenantId: 'tnt_1', endpointId: 'ep_2' };
    window.starting('a', owner);
    const ended = window.attemptBegan('a', owner);
    window.starting('b', other);
    const { total, tenants, endpoints } = window.use(1);
    expect(total).toBe(2);
    expect([...tenants]).toEqual([['tnt_1', 2]]);
    expect([...endpoints]).toEqual([
      ['ep_1', 1],
      ['ep_2', 1],
    ]);
    ended();
    expect([...tenants]).toEqual([['tnt_1', 1]]);
    expect([...endpoints]).toEqual([['ep_2', 1]]);
  });

  describe('wakes the dispatcher', () => {
    const nothing = { any: false, endpoints: new Set<string>() };

    it('not at all when it waits for nothing', () => {
      window.want(nothing, window.version);
      window.attemptBegan('a', owner)();
      expect(wakeUps).toBe(0);
    });

    it('when an attempt of an endpoint ends whose slots were all taken, and not when another one begins or ends', () => {
      window.want({ any: false, endpoints: new Set(['ep_1']) }, window.version);
      window.starting('a', owner);
      const ended = window.attemptBegan('a', owner);
      window.attemptBegan('b', { tenantId: 'tnt_1', endpointId: 'ep_2' })();
      expect(wakeUps).toBe(0);
      ended();
      expect(wakeUps).toBe(1);
    });

    it('at once when the room came while it was still looking', () => {
      window.want(nothing, window.version);
      const version = window.version;
      window.attemptBegan('a', owner)();
      window.want({ any: true, endpoints: new Set() }, version);
      expect(wakeUps).toBe(1);
    });
  });
});
