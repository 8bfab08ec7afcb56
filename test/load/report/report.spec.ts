// Pure: what the benches make of times and ids. Nothing runs.
import { stolenPercent } from './machine.js';
import { arrivalFaults, reconcile } from './reconciliation.js';
import { median, percentile, steadyRate } from './statistics.js';

const sent = (id: string, startedAt = 0) => ({ id, startedAt, answeredAt: startedAt + 1 });
const arrival = (id: string, at: number) => ({ id, attempt: 1, at });

describe('statistics', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);

  it.each([
    [50, 50],
    [95, 95],
    [99, 99],
    [100, 100],
    [0.1, 1],
  ])('takes the %s. percentile by nearest rank', (p, expected) => {
    expect(percentile(hundred, p)).toBe(expected);
  });

  it('takes the middle, or the mean of the two', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 2, 9])).toBe(3);
  });

  it('tells what the host gave to others, also where the system does not say', () => {
    expect(stolenPercent({ all: 1_000, stolen: 10 }, { all: 1_400, stolen: 61 })).toBe(12.8);
    expect(stolenPercent({ all: 0, stolen: 0 }, { all: 0, stolen: 0 })).toBe(0);
  });

  it('leaves out run-up and tail of a rate', () => {
    const steady = Array.from({ length: 100 }, (_, index) => index * 10);
    expect(steadyRate(steady)).toBeCloseTo(100);
    expect(steadyRate([...steady.slice(0, 99), 60_000])).toBeCloseTo(100);
  });
});

describe('reconciliation', () => {
  it('finds what was lost, what came twice and what nobody had asked for', () => {
    const outcome = reconcile(
      [sent('a', 5), sent('b', 6), sent('c', 7)],
      [arrival('a', 25), arrival('a', 15), arrival('b', 16), arrival('x', 17)],
    );
    expect(outcome).toEqual({
      delivered: 2,
      lost: 1,
      duplicated: 1,
      unasked: 1,
      latencies: [10, 10],
      arrivedAt: [15, 16, 17],
    });
  });

  it('names broken promises, and duplicates are none', () => {
    const collected = { arrivals: [], signaturesVerified: 1, signaturesWrong: 0 };
    const load = { sent: [], errors: 0, elapsedMs: 1 };
    const twice = reconcile([sent('a')], [arrival('a', 1), arrival('a', 2)]);
    expect(arrivalFaults(twice, collected, load)).toEqual([]);
    const lost = reconcile([sent('a')], []);
    expect(arrivalFaults(lost, { ...collected, signaturesWrong: 2 }, load)).toEqual([
      '1 accepted events did not arrive',
      '2 signatures were wrong',
    ]);
  });
});
