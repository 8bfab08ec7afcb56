import {
  addCounts,
  ATTEMPT_OUTCOMES,
  FINAL_STATUSES_COUNTED,
  noCounts,
  percentile,
  type StatsCounts,
} from '@hookstream/domain';
import type { StatsPoint } from '@hookstream/persistence';
import type { FiguresAnswer, StatsAnswer } from './dto/stats.dto.js';
import type { StatsRange } from './stats-range.js';

/** @param points those of the range in which something happened */
export function presentStats(range: StatsRange, points: readonly StatsPoint[]): StatsAnswer {
  const byStart = new Map(points.map((point) => [point.startsAt.getTime(), point]));
  const totals = noCounts();
  for (const point of points) addCounts(totals, point);
  return {
    window: range.window,
    since: range.since.toISOString(),
    until: range.until.toISOString(),
    totals: figures(totals),
    series: range.steps.map((startsAt) => ({
      starts_at: startsAt.toISOString(),
      ...figures(byStart.get(startsAt.getTime()) ?? noCounts()),
    })),
  };
}

function figures(counts: StatsCounts): FiguresAnswer {
  const byOutcome = complete(ATTEMPT_OUTCOMES, counts.attempts);
  const byStatus = complete(FINAL_STATUSES_COUNTED, counts.deliveries);
  const attempts = sum(byOutcome);
  return {
    attempts: {
      total: attempts,
      by_outcome: byOutcome,
      success_rate: rate(byOutcome.succeeded, attempts),
      duration_ms: percentiles(counts.durations),
    },
    deliveries: {
      total: sum(byStatus),
      by_status: byStatus,
      success_rate: rate(byStatus.succeeded, byStatus.succeeded + byStatus.dead_letter),
      latency_ms: percentiles(counts.latencies),
    },
  };
}

function complete<K extends string>(
  names: readonly K[],
  counts: Partial<Record<K, number>>,
): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, counts[name] ?? 0])) as Record<K, number>;
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** To four decimals; never rounded up to 1, which would hide a failure. */
function rate(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.floor((part / whole) * 10_000) / 10_000;
}

function percentiles(histogram: readonly number[]): FiguresAnswer['attempts']['duration_ms'] {
  const p50 = percentile(histogram, 0.5);
  return p50 === null
    ? null
    : { p50, p95: percentile(histogram, 0.95) ?? p50, p99: percentile(histogram, 0.99) ?? p50 };
}
