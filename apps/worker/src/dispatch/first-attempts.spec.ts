// Scripted: the database. Real: everything else, on a clock of the test's.
import { newId } from '@hookstream/domain';
import { createLogger } from '@hookstream/observability';
import type { BeginAttempt, ClaimedAttempt, MadeAttempt } from '@hookstream/persistence';
import { FirstAttempts, SHOW_AFTER_MS } from './first-attempts.js';

describe('FirstAttempts', () => {
  let now: number;
  let calls: string[];
  let first: FirstAttempts;

  const claimed = (overrides: Partial<ClaimedAttempt> = {}): ClaimedAttempt =>
    ({
      deliveryId: newId('delivery'),
      attemptCount: 0,
      trigger: 'schedule',
      payload: '{}',
      endpoint: { status: 'enabled' },
      ...overrides,
    }) as ClaimedAttempt;
  const begin = (deliveryId: string, overrides: Partial<BeginAttempt> = {}) =>
    first.attempts.begin({ deliveryId, number: 1, trigger: 'schedule', lane: 'durable', ...overrides });
  const record = (deliveryId: string) =>
    first.recorder({ record: () => noted('record') }).record({ delivery: { deliveryId } } as MadeAttempt);
  const noted = (call: string) => {
    calls.push(call);
    return Promise.resolve();
  };

  beforeEach(() => {
    now = 1_000_000;
    calls = [];
    first = new FirstAttempts({
      attempts: {
        begin: async ({ deliveryId }) => {
          await noted(`begin ${deliveryId}`);
          return undefined;
        },
        find: () => Promise.resolve(undefined),
        handBack: () => Promise.resolve(),
        giveBackSlot: () => Promise.resolve(),
        cancel: () => Promise.resolve({ status: 'cancelled', attempts: 0 }),
        showUnderWay: (ids, lane) => noted(`show ${ids.join(',')} ${lane}`),
      },
      logger: createLogger({ name: 'test', level: 'silent' }),
      now: () => now,
    });
  });

  it('begins as it was claimed, once', async () => {
    const attempt = claimed();
    first.keep(attempt);
    expect(await begin(attempt.deliveryId)).toEqual({ ...attempt, lane: 'durable' });
    expect(calls).toEqual([]);
    await begin(attempt.deliveryId);
    expect(calls).toEqual([`begin ${attempt.deliveryId}`]);
  });

  it.each<[string, Partial<BeginAttempt>, Partial<ClaimedAttempt>]>([
    ['it is another attempt', { number: 2 }, {}],
    ['it is due to something else', { trigger: 'replay' }, {}],
    [
      'its endpoint holds deliveries',
      {},
      { endpoint: { status: 'paused' } as NonNullable<ClaimedAttempt['endpoint']> },
    ],
    ['its endpoint is gone', {}, { endpoint: null }],
  ])('asks the database where %s', async (_, input, overrides) => {
    const attempt = claimed(overrides);
    first.keep(attempt);
    expect(await begin(attempt.deliveryId, input)).toBeUndefined();
    expect(calls).toEqual([`begin ${attempt.deliveryId}`]);
  });

  it('asks the database for what was dropped, or claimed too long ago', async () => {
    const [dropped, old, fresh] = [claimed(), claimed(), claimed()];
    first.keep(dropped);
    first.drop(dropped.deliveryId);
    first.keep(old);
    now += 2_000;
    first.keep(fresh);
    for (const { deliveryId } of [dropped, old, fresh]) await begin(deliveryId);
    expect(calls).toEqual([`begin ${dropped.deliveryId}`, `begin ${old.deliveryId}`]);
  });

  it('shows what takes long as being under way, once, and nothing that is recorded', async () => {
    const [quick, slow] = [claimed(), claimed()];
    for (const attempt of [quick, slow]) {
      first.keep(attempt);
      await begin(attempt.deliveryId);
    }
    await record(quick.deliveryId);
    for (let look = 0; look < 3; look++) {
      now += SHOW_AFTER_MS;
      await first.showSlow();
    }
    expect(calls).toEqual(['record', `show ${slow.deliveryId} durable`]);
  });
});
