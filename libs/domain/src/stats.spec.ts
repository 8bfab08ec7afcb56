import { addCounts, histogramBucket, noCounts, percentile } from './stats.js';

// Pure. Percentiles against those of the values themselves.

const histogramOf = (values: readonly number[]): number[] => {
  const histogram: number[] = [];
  for (const value of values) {
    const bucket = histogramBucket(value);
    while (histogram.length <= bucket) histogram.push(0);
    histogram[bucket] = (histogram[bucket] ?? 0) + 1;
  }
  return histogram;
};
const exact = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.max(1, Math.ceil(share * values.length)) - 1] ?? Number.NaN;

/** Numbers in [0, 1) that are the same in each run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; state = (state * 48_271) % 2_147_483_647) yield state / 2_147_483_647;
}

describe('percentiles of a histogram', () => {
  const spreads: Record<string, (random: number) => number> = {
    even: (random) => 1 + Math.round(random * 59_999),
    'fast with a long tail': (random) => Math.round(2 + 8 / (1.0001 - random)),
    'two humps': (random) => Math.round(random < 0.9 ? 20 + random * 30 : 10_000 + random * 20_000),
    'all the same': () => 137,
    days: (random) => Math.round(1_000 * 10 ** (random * 6)),
  };
  it.each(Object.keys(spreads))('are within 5 % of the exact ones: %s', (name) => {
    const source = numbers(42);
    const values = Array.from({ length: 5_000 }, () => spreads[name]?.(source.next().value) ?? 0);
    for (const share of [0.01, 0.5, 0.95, 0.99, 0.999, 1]) {
      const [is, should] = [percentile(histogramOf(values), share) ?? Number.NaN, exact(values, share)];
      expect([name, share, Math.abs(is - should) / should <= 0.05]).toEqual([name, share, true]);
    }
  });

  it.each(Array.from({ length: 300 }, (_, n) => n + 1))('knows %i ms alone within 5 %%', (ms) => {
    expect(Math.abs((percentile(histogramOf([ms]), 0.5) ?? 0) - ms) / ms).toBeLessThanOrEqual(0.05);
  });

  it('takes what is no time at all, and what is longer than anything', () => {
    expect(histogramBucket(0)).toBe(0);
    expect(histogramBucket(-5)).toBe(0);
    expect(histogramBucket(Number.NaN)).toBe(0);
    expect(histogramBucket(1)).toBe(0);
    expect(histogramBucket(1e15)).toBe(280);
  });

  it('are null where there is nothing', () => {
    expect(percentile([], 0.5)).toBeNull();
    expect(percentile([0, 0], 0.5)).toBeNull();
  });

  it('are those of all when counts are added', () => {
    const [fast, slow] = [
      [5, 6, 7],
      [5_000, 6_000],
    ];
    const all = noCounts();
    for (const values of [fast, slow])
      addCounts(all, {
        attempts: { succeeded: values.length },
        deliveries: { succeeded: 1 },
        durations: histogramOf(values),
        latencies: [],
      });
    expect(all.attempts).toEqual({ succeeded: 5 });
    expect(all.deliveries).toEqual({ succeeded: 2 });
    expect(all.durations).toEqual(histogramOf([...fast, ...slow]));
  });
});
