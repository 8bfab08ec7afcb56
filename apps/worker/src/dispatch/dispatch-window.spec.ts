// Pure, with a clock of its own: how much a worker may take on.
import { DispatchWindow } from './dispatch-window.js';

describe('DispatchWindow', () => {
  let now: number;
  let wakeUps: number;
  let window: DispatchWindow;

  beforeEach(() => {
    now = 0;
    wakeUps = 0;
    window = new DispatchWindow({
      maxStarted: 3,
      maxAttempts: 5,
      forgetAfterMs: 1_000,
      now: () => now,
      onRoom: () => (wakeUps += 1),
    });
  });

  it('counts a delivery from its start until its attempt begins, and then as an attempt until it ends', () => {
    window.starting('a');
    expect(window.room()).toBe(2);
    window.attemptBegan('a');
    expect(window.room()).toBe(3);
    expect(window.attemptsUnderWay).toBe(1);
    window.attemptEnded();
    expect(window.attemptsUnderWay).toBe(0);
    expect(wakeUps).toBe(2);
  });

  it('takes no more than the attempts that may run', () => {
    for (let i = 0; i < 4; i++) window.attemptBegan(`retry ${i}`);
    expect(window.room()).toBe(1);
    window.starting('a');
    expect(window.room()).toBe(0);
    window.attemptBegan('a');
    window.attemptBegan('retry 4');
    expect(window.room()).toBe(0);
    expect(wakeUps).toBe(1);
  });

  it('gets its room back when a start fails or the delivery runs elsewhere', () => {
    window.starting('a');
    window.notStarted('a');
    window.notStarted('a');
    expect(window.room()).toBe(3);
    expect(wakeUps).toBe(1);
  });

  it('forgets after a while what another worker has begun', () => {
    window.starting('a');
    now = 500;
    window.starting('b');
    now = 1_000;
    expect(window.room()).toBe(2);
    now = 1_500;
    expect(window.room()).toBe(3);
  });
});
