// Pure, but for the timers between tries.
import { createLogger } from '@hookstream/observability';
import { untilAvailable } from './until-available.js';

const logger = createLogger({ name: 'test', level: 'silent' });

describe('untilAvailable', () => {
  it('answers what the first try that works answers', async () => {
    let tries = 0;
    const answer = await untilAvailable('it', logger, async () => {
      if (++tries === 1) throw new Error('not yet');
      return 'here';
    });
    expect([answer, tries]).toEqual(['here', 2]);
  });

  it('gives up when told to, also in the middle of waiting', async () => {
    const stopping = new AbortController();
    const waiting = untilAvailable(
      'it',
      logger,
      async () => {
        setImmediate(() => stopping.abort(new Error('stopped')));
        throw new Error('not yet');
      },
      stopping.signal,
    );
    await expect(waiting).rejects.toThrow();
  });
});
