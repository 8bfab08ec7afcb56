import type { CircuitChange } from '../watch/circuit-log.js';
import { told } from './told.js';

/** One request to the endpoint with the breaker. Unix ms: when it was read, and when it was answered or broke off. */
export interface ProbeArrival {
  at: number;
  endedAt: number;
}

export interface ProbesReport {
  opened: number;
  halfOpen: number;
  /** Requests that came while the circuit was half open. */
  probes: number;
  faults: string[];
}

interface Interval {
  from: number;
  to: number;
}

/**
 * What was broken of: never more than one probe at a time. Probes are the requests that come while the projection says half_open, from
 * the change to it until the next change. Two of them must not overlap. (One that came before, let go while the circuit was still
 * closed, is none.) While it says open, nothing may come but what was let go before: that is not judged here.
 */
export function judgeProbes(
  changes: readonly CircuitChange[],
  arrivals: readonly ProbeArrival[],
): ProbesReport {
  const intervals = halfOpenIntervals(changes);
  const broken: string[] = [];
  let probes = 0;
  for (const { from, to } of intervals) {
    const within = arrivals.filter(({ at }) => at >= from && at < to).sort((a, b) => a.at - b.at);
    probes += within.length;
    let busyUntil = -Infinity;
    for (const { at, endedAt } of within) {
      if (at < busyUntil)
        broken.push(
          `a request came ${Math.round(at - from)} ms after the change to half_open, ${Math.round(busyUntil - at)} ms before the one under way had ended`,
        );
      busyUntil = Math.max(busyUntil, endedAt);
    }
  }
  return {
    opened: changes.filter(({ state }) => state === 'open').length,
    halfOpen: intervals.length,
    probes,
    faults: told('more than one probe at a time', broken),
  };
}

function halfOpenIntervals(changes: readonly CircuitChange[]): Interval[] {
  return changes.flatMap(({ state, at }, index) =>
    state === 'half_open' ? [{ from: at, to: changes[index + 1]?.at ?? Infinity }] : [],
  );
}
