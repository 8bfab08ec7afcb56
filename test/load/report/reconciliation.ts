import type { LoadResult, Sent } from '../generator/load-loops.js';
import type { Arrival, Collected } from '../sink/sink-protocol.js';

/** What was asked for against what arrived. */
export interface Reconciliation {
  delivered: number;
  /** Accepted and never arrived. */
  lost: number;
  /** Arrivals beyond the first of an id. */
  duplicated: number;
  /** Arrived without having been answered as accepted: the answer was lost, or it does not belong here. */
  unasked: number;
  /** From asking to the first arrival, in milliseconds. */
  latencies: number[];
  /** Times of first arrivals. */
  arrivedAt: number[];
}

export function reconcile(sent: readonly Sent[], arrivals: readonly Arrival[]): Reconciliation {
  const first = new Map<string, number>();
  for (const { id, at } of arrivals) first.set(id, Math.min(at, first.get(id) ?? Infinity));
  const found = sent.filter(({ id }) => first.has(id));
  return {
    delivered: found.length,
    lost: sent.length - found.length,
    duplicated: arrivals.length - first.size,
    unasked: first.size - found.length,
    latencies: found.map(({ id, startedAt }) => (first.get(id) as number) - startedAt),
    arrivedAt: [...first.values()],
  };
}

/** What must not be, in plain words. Duplicates may be. */
export function arrivalFaults(outcome: Reconciliation, collected: Collected, load: LoadResult): string[] {
  const faults: string[] = [];
  if (outcome.lost > 0) faults.push(`${outcome.lost} accepted events did not arrive`);
  if (load.errors > 0) faults.push(`${load.errors} requests failed, the first with: ${load.firstError}`);
  if (outcome.unasked > load.errors) faults.push(`${outcome.unasked} events arrived that nobody had posted`);
  if (collected.signaturesWrong > 0) faults.push(`${collected.signaturesWrong} signatures were wrong`);
  if (collected.signaturesVerified === 0) faults.push('no signature could be verified');
  return faults;
}
