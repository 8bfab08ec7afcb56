import { getEventListeners } from 'node:events';
import { eitherSignal } from './either-signal.js';

// Pure.

describe('a signal of either of two', () => {
  it.each([0, 1])('aborts with the reason of source %i', (index) => {
    const sources = [new AbortController(), new AbortController()] as const;
    const { signal } = eitherSignal(sources[0].signal, sources[1].signal);
    expect(signal.aborted).toBe(false);
    sources[index === 0 ? 0 : 1].abort(new Error(`source ${index}`));
    expect(signal.reason).toEqual(new Error(`source ${index}`));
  });

  it('is aborted from the start when a source is', () => {
    expect(
      eitherSignal(new AbortController().signal, AbortSignal.abort(new Error('over'))).signal.reason,
    ).toEqual(new Error('over'));
  });

  it('leaves nothing behind once released', () => {
    const long = new AbortController();
    const { release } = eitherSignal(new AbortController().signal, long.signal);
    expect(getEventListeners(long.signal, 'abort')).toHaveLength(1);
    release();
    expect(getEventListeners(long.signal, 'abort')).toHaveLength(0);
  });
});
