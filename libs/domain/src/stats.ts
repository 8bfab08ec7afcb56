import type { AttemptOutcomeKind, DeliveryStatus } from './states.js';

/** The lengths of time that statistics are kept by. */
export const STATS_WINDOWS = ['minute', 'hour', 'day'] as const;
export type StatsWindow = (typeof STATS_WINDOWS)[number];

export const STATS_WINDOW_MS: Readonly<Record<StatsWindow, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** How long minutes and hours are kept, in milliseconds. Days are kept as long as deliveries are. */
export const STATS_KEPT_MS: Readonly<Record<Exclude<StatsWindow, 'day'>, number>> = {
  minute: 48 * 3_600_000,
  hour: 30 * 86_400_000,
};

export const FINAL_STATUSES_COUNTED = [
  'succeeded',
  'dead_letter',
  'cancelled',
] as const satisfies readonly DeliveryStatus[];
export type CountedStatus = (typeof FINAL_STATUSES_COUNTED)[number];

/** What happened to an endpoint or a tenant in some stretch of time. */
export interface StatsCounts {
  attempts: Partial<Record<AttemptOutcomeKind, number>>;
  deliveries: Partial<Record<CountedStatus, number>>;
  /** Of attempts, by bucket: see {@link histogramBucket}. */
  durations: number[];
  /** From accept to success, by bucket. */
  latencies: number[];
}

/**
 * Each bucket ends 9 % above the one before, so that a value is known within 4.4 % ((1.09 - 1) / (1.09 + 1)) whatever its size, and
 * within 5 % after {@link percentile} has rounded it.
 */
const GROWTH = 1.09;
const LOG_GROWTH = Math.log(GROWTH);
/** Ends above a year. */
const LAST_BUCKET = 280;

/** The bucket of a time in milliseconds: 0 holds what is at most 1 ms, n what is at most 1.09ⁿ ms. */
export function histogramBucket(ms: number): number {
  if (!(ms > 1)) return 0;
  return Math.min(LAST_BUCKET, Math.ceil(Math.log(ms) / LOG_GROWTH - 1e-9));
}

/** The value, in milliseconds, that is furthest from neither end of its bucket. */
function bucketValue(bucket: number): number {
  return bucket === 0 ? 1 : (2 * GROWTH ** bucket) / (GROWTH + 1);
}

/**
 * The nearest-rank percentile of what a histogram counted, in milliseconds to three significant digits, at most 5 % off.
 * @param share in (0, 1], such as 0.95
 * @returns null where nothing was counted
 */
export function percentile(histogram: readonly number[], share: number): number | null {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let rank = Math.max(1, Math.ceil(share * total));
  const bucket = histogram.findIndex((count) => (rank -= count) <= 0);
  return Number(bucketValue(bucket).toPrecision(3));
}

/** Adds to the first the counts of the second. */
export function addCounts(into: StatsCounts, more: StatsCounts): void {
  addEach(into.attempts, more.attempts);
  addEach(into.deliveries, more.deliveries);
  addBuckets(into.durations, more.durations);
  addBuckets(into.latencies, more.latencies);
}

export const noCounts = (): StatsCounts => ({ attempts: {}, deliveries: {}, durations: [], latencies: [] });

function addEach<K extends string>(into: Partial<Record<K, number>>, more: Partial<Record<K, number>>): void {
  for (const [key, count] of Object.entries(more) as [K, number][]) into[key] = (into[key] ?? 0) + count;
}

function addBuckets(into: number[], more: readonly number[]): void {
  while (into.length < more.length) into.push(0);
  more.forEach((count, bucket) => (into[bucket] = (into[bucket] ?? 0) + count));
}
