// Real: the signals of Node.
import { onAbort } from './on-abort.js';

describe('onAbort', () => {
  let stopping: AbortController;
  let told: string[];
  const tell = (name: string) => (reason: Error) => void told.push(`${name}: ${reason.message}`);

  beforeEach(() => {
    stopping = new AbortController();
    told = [];
  });

  it('tells all who have not taken it back, once', () => {
    onAbort(stopping.signal, tell('first'));
    const takeBack = onAbort(stopping.signal, tell('second'));
    onAbort(stopping.signal, tell('third'));
    takeBack();
    stopping.abort(new Error('the worker stops'));
    stopping.abort(new Error('again'));
    expect(told).toEqual(['first: the worker stops', 'third: the worker stops']);
  });

  it('lets one act take back another', () => {
    const takeBack: (() => void)[] = [];
    onAbort(stopping.signal, () => takeBack[0]?.());
    takeBack.push(onAbort(stopping.signal, tell('second')));
    stopping.abort(new Error('the worker stops'));
    expect(told).toEqual([]);
  });

  it('tells at once of what is aborted, and of nothing without a signal', () => {
    stopping.abort('no error');
    onAbort(stopping.signal, tell('late'));
    onAbort(undefined, tell('never'))();
    expect(told).toEqual(['late: aborted']);
  });

  it('is one listener of the signal, however many there are', () => {
    const { signal } = stopping;
    const addEventListener = signal.addEventListener.bind(signal);
    let listeners = 0;
    signal.addEventListener = (...input: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener(...input);
    };
    for (let index = 0; index < 100; index++) onAbort(signal, tell('one'));
    expect(listeners).toBe(1);
  });
});
