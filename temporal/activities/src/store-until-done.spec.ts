// Real timers, kept short by succeeding early. Scripted: the database.
import { createLogger } from '@hookstream/observability';
import { storeUntilDone } from './store-until-done.js';

const logger = createLogger({ name: 'test', level: 'silent' });

describe('storeUntilDone', () => {
  it('tries again until it is stored', async () => {
    let tries = 0;
    await storeUntilDone(() => (++tries < 3 ? Promise.reject(new Error('away')) : Promise.resolve()), logger);
    expect(tries).toBe(3);
  });

  it('stores once where that works, though the signal is aborted', async () => {
    let tries = 0;
    await storeUntilDone(
      () => {
        tries += 1;
        return Promise.resolve();
      },
      logger,
      AbortSignal.abort(),
    );
    expect(tries).toBe(1);
  });

  it('ends at an abort, with its reason', async () => {
    const stopping = new AbortController();
    const stored = storeUntilDone(
      () => {
        stopping.abort(new Error('the worker stops'));
        return Promise.reject(new Error('away'));
      },
      logger,
      stopping.signal,
    );
    await expect(stored).rejects.toThrow('the worker stops');
  });

  it('ends in the middle of a wait', async () => {
    const stopping = new AbortController();
    let tries = 0;
    const stored = storeUntilDone(
      () => {
        tries += 1;
        setImmediate(() => stopping.abort());
        return Promise.reject(new Error('away'));
      },
      logger,
      stopping.signal,
    );
    await expect(stored).rejects.toThrow();
    expect(tries).toBe(1);
  });
});
