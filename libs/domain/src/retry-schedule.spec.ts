import type { RetryPolicy } from './endpoint-policy.js';
import { MAX_RETRY_ATTEMPTS, MAX_RETRY_DELAY_MS, MAX_RETRY_DELAYS } from './policy-limits.js';
import { delays, maxAttempts, nextDelayMs } from './retry-schedule.js';

const middle = () => 0.5;

describe('delays', () => {
  const table: [string, RetryPolicy, number[]][] = [
    ['standard', { preset: 'standard' }, [30_000, 300_000, 1_800_000, 7_200_000]],
    [
      'standard-webhooks',
      { preset: 'standard-webhooks' },
      [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map((s) => s * 1_000),
    ],
    ['fast', { preset: 'fast' }, [3_000, 9_000, 27_000, 81_000, 243_000]],
    ['explicit delays', { delays_ms: [10, 20] }, [10, 20]],
    ['no delays: one attempt', { delays_ms: [] }, []],
    ['a delay beyond the bound', { delays_ms: [MAX_RETRY_DELAY_MS + 1] }, [MAX_RETRY_DELAY_MS]],
    ['fixed', { strategy: 'fixed', base_ms: 1_000, max_attempts: 4 }, [1_000, 1_000, 1_000]],
    ['linear', { strategy: 'linear', base_ms: 1_000, max_attempts: 4 }, [1_000, 2_000, 3_000]],
    [
      'linear with factor',
      { strategy: 'linear', base_ms: 1_000, factor: 3, max_attempts: 3 },
      [1_000, 4_000],
    ],
    [
      'exponential',
      { strategy: 'exponential', base_ms: 1_000, max_attempts: 5 },
      [1_000, 2_000, 4_000, 8_000],
    ],
    [
      'exponential with factor',
      { strategy: 'exponential', base_ms: 100, factor: 1.5, max_attempts: 4 },
      [100, 150, 225],
    ],
    [
      'exponential with cap',
      { strategy: 'exponential', base_ms: 1_000, factor: 10, max_delay_ms: 5_000, max_attempts: 4 },
      [1_000, 5_000, 5_000],
    ],
    ['one attempt', { strategy: 'fixed', base_ms: 1_000, max_attempts: 1 }, []],
    ['no base', { strategy: 'exponential', base_ms: 0, factor: 10, max_attempts: 3 }, [0, 0]],
  ];
  it.each(table)('%s', (_name, policy, expected) => {
    expect(delays(policy)).toEqual(expected);
    expect(maxAttempts(policy)).toBe(expected.length + 1);
  });

  it('never overflows, however steep and long', () => {
    const steep = delays({ strategy: 'exponential', base_ms: 1e9, factor: 1e9, max_attempts: 1e9 });
    expect(steep).toHaveLength(MAX_RETRY_ATTEMPTS - 1);
    expect(steep.every((ms) => ms > 0 && ms <= MAX_RETRY_DELAY_MS)).toBe(true);
    expect(delays({ delays_ms: new Array<number>(500).fill(1) })).toHaveLength(MAX_RETRY_DELAYS);
  });
});

describe('nextDelayMs', () => {
  it('walks the schedule and ends with null', () => {
    const walk = [0, 1, 2, 3, 4].map((step) => nextDelayMs({ preset: 'standard' }, step, middle));
    expect(walk).toEqual([30_000, 300_000, 1_800_000, 7_200_000, null]);
    expect(nextDelayMs({ delays_ms: [] }, 0, middle)).toBeNull();
  });

  it.each([
    ['default, shortest', undefined, 0, 900],
    ['default, longest', undefined, 1, 1_100],
    ['none', 0, 0, 1_000],
    ['half, shortest', 0.5, 0, 500],
    ['full, shortest', 1, 0, 0],
    ['full, longest', 1, 1, 2_000],
  ])('jitter: %s', (_name, jitter, random, expected) => {
    const policy: RetryPolicy = { delays_ms: [1_000], ...(jitter === undefined ? {} : { jitter }) };
    expect(nextDelayMs(policy, 0, () => random)).toBe(expected);
  });

  it('still spreads delays that sit at the cap', () => {
    const policy: RetryPolicy = {
      strategy: 'exponential',
      base_ms: 1_000,
      max_delay_ms: 1_000,
      max_attempts: 5,
    };
    expect(nextDelayMs(policy, 3, () => 0)).toBe(900);
    expect(nextDelayMs(policy, 3, () => 1)).toBe(1_100);
  });
});
