// Pure: by how much those that can wait are kept back while starts take long.
import { HOUR_MS } from './durations.js';
import { keptBack, lagWith, type StartLag } from './start-lag.js';

/** One start each 50 ms. */
function after(count: number, tookMs: number, before?: StartLag): StartLag {
  let lag = before;
  for (let i = 0; i < count; i++) lag = lagWith(lag, tookMs, (lag?.at ?? 0) + 50);
  return lag as StartLag;
}

describe('keptBack', () => {
  it.each<[string, StartLag | undefined, number]>([
    ['nobody before the first start', undefined, 1],
    ['nobody at rest', after(100, 40), 1],
    ['nobody for a single slow start', after(1, 120, after(100, 40)), 1],
    ['nobody where starts are quick, however much quicker they could be', after(500, 12, after(100, 1)), 1],
    ['more the longer starts take', after(100, 80, after(100, 40)), 4],
    ['never more than to an eighth', after(100, 4_000, after(100, 40)), 8],
    ['nobody any more when it is over', after(100, 40, after(500, 4_000, after(100, 40))), 1],
    ['nobody when a worker has only been slow to warm up', after(500, 40, after(5, 900)), 1],
  ])('keeps %s', (_, lag, expected) => {
    expect(keptBack(lag)).toBeCloseTo(expected, 1);
  });

  it('takes what lasts for hours for rest at last, and not what lasts for minutes', () => {
    const busy = after(300, 80, after(300, 40));
    expect(keptBack(lagWith(busy, 80, busy.at + HOUR_MS / 30))).toBeGreaterThan(3);
    expect(keptBack(lagWith(busy, 80, busy.at + HOUR_MS))).toBeCloseTo(1, 0);
  });
});
