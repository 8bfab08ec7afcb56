/** Nearest-rank percentile of values in ascending order (0 < p <= 100). NaN of nothing. */
export function percentile(ascending: readonly number[], p: number): number {
  if (ascending.length === 0) return Number.NaN;
  return ascending[Math.max(0, Math.ceil((p / 100) * ascending.length) - 1)] as number;
}

export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const middle = ascending.length / 2;
  if (Number.isInteger(middle)) return ((ascending[middle - 1] ?? NaN) + (ascending[middle] ?? NaN)) / 2;
  return ascending[Math.floor(middle)] as number;
}

/** Of durations in milliseconds. */
export function latencySummary(durations: readonly number[]): Record<string, number> {
  const ascending = [...durations].sort((a, b) => a - b);
  return {
    p50_ms: round(percentile(ascending, 50), 2),
    p95_ms: round(percentile(ascending, 95), 2),
    p99_ms: round(percentile(ascending, 99), 2),
    max_ms: round(ascending.at(-1) ?? Number.NaN, 2),
  };
}

/**
 * Events per second between the 10th and the 90th percentile of their times (milliseconds): without the run-up and
 * without the tail, in which not all senders are busy.
 */
export function steadyRate(times: readonly number[]): number {
  const ascending = [...times].sort((a, b) => a - b);
  const from = Math.floor(ascending.length * 0.1);
  const to = Math.ceil(ascending.length * 0.9) - 1;
  const elapsedMs = (ascending[to] ?? Number.NaN) - (ascending[from] ?? Number.NaN);
  return ((to - from) * 1_000) / elapsedMs;
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
