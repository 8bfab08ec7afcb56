/**
 * Milliseconds of the machine's monotonic clock, with fractions. The same in every process of one machine (Linux:
 * CLOCK_MONOTONIC), so times of generator and sink can be subtracted.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
