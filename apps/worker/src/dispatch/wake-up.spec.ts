// Pure, with real timers far longer than the test: a wait that can be cut short.
import { WakeUp } from './wake-up.js';

describe('WakeUp', () => {
  it('ends a wait', async () => {
    const wakeUp = new WakeUp();
    const waiting = wakeUp.wait(3_600_000);
    wakeUp.wake();
    await waiting;
  });

  it('keeps a wake-up that came before the wait, once', async () => {
    const wakeUp = new WakeUp();
    wakeUp.wake();
    wakeUp.wake();
    await wakeUp.wait(3_600_000);
    let over = false;
    const second = wakeUp.wait(3_600_000).then(() => (over = true));
    await Promise.resolve();
    expect(over).toBe(false);
    wakeUp.wake();
    await second;
  });

  it('tells all that was named before the wait, whether something was not, and of room', async () => {
    const wakeUp = new WakeUp<string>();
    wakeUp.wake(['a']);
    wakeUp.wake(['b', 'c']);
    expect(await wakeUp.wait(3_600_000)).toEqual({ named: ['a', 'b', 'c'], unnamed: false, room: false });
    wakeUp.wake(['a']);
    wakeUp.wake();
    wakeUp.wake(['b']);
    expect(await wakeUp.wait(3_600_000)).toEqual({ named: ['a', 'b'], unnamed: true, room: false });
    wakeUp.wakeForRoom();
    expect(await wakeUp.wait(3_600_000)).toEqual({ named: [], unnamed: false, room: true });
  });

  it('ends by itself, and then tells of nothing', async () => {
    expect(await new WakeUp().wait(1)).toEqual({ named: [], unnamed: false, room: false });
  });
});
