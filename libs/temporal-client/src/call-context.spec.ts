// A real AsyncLocalStorage, as a connection of the SDK has one; calls are promises that the test settles.
import { AsyncLocalStorage } from 'node:async_hooks';
import { restContext } from './call-context.js';

function connectionContext() {
  const callContextStorage = new AsyncLocalStorage<unknown>();
  let rests = 0;
  const disable = callContextStorage.disable.bind(callContextStorage);
  callContextStorage.disable = () => {
    rests += 1;
    disable();
  };
  restContext(callContextStorage);
  return { storage: callContextStorage, rests: () => rests };
}

describe('the call context of a connection', () => {
  it('holds for a call to its end, however many others end meanwhile, and rests after the last', async () => {
    const { storage, rests } = connectionContext();
    let finish: (() => void) | undefined;
    const long = storage.run('long', async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      const inner = await storage.run('inner', async () => {
        await Promise.resolve();
        return storage.getStore();
      });
      return [inner, storage.getStore()];
    });
    await expect(storage.run('short', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(storage.run('at once', () => storage.getStore())).toBe('at once');
    expect(rests()).toBe(0);
    finish?.();
    expect(await long).toEqual(['inner', 'long']);
    expect(rests()).toBe(1);
  });

  it('rests after a call that fails at once, and holds again for the next', async () => {
    const { storage, rests } = connectionContext();
    expect(() =>
      storage.run('broken', () => {
        throw new Error('broken');
      }),
    ).toThrow('broken');
    expect(rests()).toBe(1);
    const next = storage.run('next', async () => {
      await Promise.resolve();
      return storage.getStore();
    });
    expect(await next).toBe('next');
    expect(rests()).toBe(2);
  });
});
