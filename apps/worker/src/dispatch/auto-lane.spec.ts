// Scripted: the clock and what looks at the queues find.
import { AutoLane } from './auto-lane.js';

describe('the lane auto', () => {
  let now: number;
  let changes: number;
  let lane: AutoLane;

  beforeEach(() => {
    now = 10_000;
    changes = 0;
    lane = new AutoLane({ maxLagMs: 250, now: () => now, onChange: () => void (changes += 1) });
  });

  const look = (waiting: Record<string, number>, afterMs = 100): void => {
    now += afterMs;
    lane.observe(Object.entries(waiting).map(([endpointId, waitingMs]) => ({ endpointId, waitingMs })));
  };

  it('is durable while nothing waits longer than the bound', () => {
    for (let i = 0; i < 20; i++) look({ a: 240, b: 10 });
    expect([lane.current(), changes]).toEqual(['durable', 0]);
  });

  it('is express once something that could go has waited longer', () => {
    look({ a: 100 });
    look({ a: 200 });
    expect(lane.current()).toBe('durable');
    look({ a: 300 });
    expect([lane.current(), changes]).toEqual(['express', 1]);
  });

  it('does not count the time in which it could not go for its limits', () => {
    look({ a: 0 });
    look({ a: 90_000 });
    look({ a: 0 });
    look({ a: 90_000 });
    expect(lane.current()).toBe('durable');
    look({ a: 90_000 }, 251);
    expect(lane.current()).toBe('express');
  });

  it('counts no longer than since the last look what was not there then', () => {
    look({});
    look({ a: 90_000 }, 200);
    expect(lane.current()).toBe('durable');
  });

  it('is durable again when the lag is gone for a while, and not before', () => {
    look({ a: 400 }, 400);
    look({ a: 60 }, 900);
    look({ a: 10 }, 900);
    expect(lane.current()).toBe('express');
    look({}, 100);
    expect([lane.current(), changes]).toEqual(['durable', 2]);
  });

  it('tries the durable lane less often where it falls behind at once, and as often as ever after a rest', () => {
    const holds: number[] = [];
    const lagAndHold = (): void => {
      look({ a: 400 }, 400);
      look({ a: 700 }, 300);
      const from = now;
      while (lane.current() === 'express') look({}, 100);
      holds.push(now - from);
    };
    for (let i = 0; i < 8; i++) lagAndHold();
    expect(holds).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    now += 60_000;
    holds.length = 0;
    lagAndHold();
    expect(holds).toEqual([1_000]);
  });

  describe('while much comes', () => {
    /** Falls behind: the durable lane takes 30 in 300 ms. */
    const fallBehind = (): void => {
      look({ a: 10 });
      look({ a: 150 }, 150);
      lane.took('durable', 30);
      look({ a: 300 }, 150);
      expect(lane.current()).toBe('express');
    };
    /** For how long it is express where so many come in 100 ms. */
    const expressFor = (per100Ms: number): number => {
      const from = now;
      while (lane.current() === 'express') {
        lane.took('express', per100Ms);
        look({ a: 5 });
      }
      return now - from;
    };

    it('stays express while more comes than the durable lane managed, and trusts that with more each time', () => {
      fallBehind();
      // 10 in 100 ms were managed: 15, 22.5, 33.75 and then 50.6 are thought to be
      expect(expressFor(40)).toBe(5_000);
    });

    it('is durable again at once when no more comes than that', () => {
      fallBehind();
      expect(expressFor(10)).toBe(1_000);
    });

    it('is durable again a hold after the last of it', () => {
      fallBehind();
      for (let i = 0; i < 15; i++) {
        lane.took('express', 300);
        look({ a: 5 });
        lane.current();
      }
      expect(expressFor(0)).toBeLessThanOrEqual(1_500);
    });

    it('counts neither what went before the durable lane fell behind nor what the other takes', () => {
      lane.took('durable', 10_000);
      fallBehind();
      lane.took('durable', 10_000);
      expect(expressFor(20)).toBeGreaterThan(1_000);
    });

    it('tries the durable lane whatever comes where Temporal was away', () => {
      lane.temporalAway();
      expect(expressFor(1_000)).toBe(15_000);
    });
  });

  it('is express while Temporal takes nothing, and longer than after a lag', () => {
    lane.temporalAway();
    expect([lane.current(), changes]).toEqual(['express', 1]);
    now += 10_000;
    lane.temporalAway();
    now += 14_999;
    expect(lane.current()).toBe('express');
    now += 1;
    expect([lane.current(), changes]).toEqual(['durable', 2]);
    look({ a: 400 }, 20_000);
    look({ a: 700 }, 300);
    look({}, 1_000);
    expect(lane.current()).toBe('durable');
  });
});
