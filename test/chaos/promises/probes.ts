import type { CircuitChange, LetGo } from '../watch/circuit-log.js';
import { told } from './told.js';

/** One request to the endpoint with the breaker. Unix ms: when it was read, and when it was answered or broke off. */
export interface ProbeArrival {
  webhookId: string;
  at: number;
  endedAt: number;
}

export interface ProbesReport {
  opened: number;
  halfOpen: number;
  /** Requests that were let go while the circuit was half open. */
  probes: number;
  faults: string[];
}

interface Interval {
  from: number;
  to: number;
}

interface Probe extends ProbeArrival {
  letGoAt: number;
}

/**
 * What was broken of: never more than one probe at a time. Probes are the requests that were let go while the projection says half_open,
 * from the change to it until the next change. Two of them must not overlap, from when they were let go until they ended. One that was let go
 * before is none, however late it arrives: a worker that is short of CPU may take seconds from the one to the other.
 */
export function judgeProbes(
  changes: readonly CircuitChange[],
  letGo: readonly LetGo[],
  arrivals: readonly ProbeArrival[],
): ProbesReport {
  const intervals = halfOpenIntervals(changes);
  const requests = arrivals.map((arrival) => ({ ...arrival, letGoAt: letGoBefore(arrival, letGo) }));
  const broken: string[] = [];
  let probes = 0;
  for (const { from, to } of intervals) {
    const within = requests
      .filter(({ letGoAt }) => letGoAt >= from && letGoAt < to)
      .sort((a, b) => a.letGoAt - b.letGoAt);
    probes += within.length;
    broken.push(...overlaps(within, from));
  }
  return {
    opened: changes.filter(({ state }) => state === 'open').length,
    halfOpen: intervals.length,
    probes,
    faults: told('more than one probe at a time', broken),
  };
}

/** Without any: never, as far as is known. */
function letGoBefore({ webhookId, at }: ProbeArrival, letGo: readonly LetGo[]): number {
  return Math.max(
    -Infinity,
    ...letGo.filter((one) => one.eventId === webhookId && one.at <= at).map((one) => one.at),
  );
}

function overlaps(probes: readonly Probe[], from: number): string[] {
  const broken: string[] = [];
  let latest: Probe | undefined;
  for (const probe of probes) {
    if (latest !== undefined && probe.letGoAt < latest.endedAt)
      broken.push(
        `${probe.webhookId} was let go ${Math.round(probe.letGoAt - from)} ms after the change to half_open, ` +
          `${Math.round(latest.endedAt - probe.letGoAt)} ms before the request of ${latest.webhookId} had ended`,
      );
    if (latest === undefined || probe.endedAt > latest.endedAt) latest = probe;
  }
  return broken;
}

function halfOpenIntervals(changes: readonly CircuitChange[]): Interval[] {
  return changes.flatMap(({ state, at }, index) =>
    state === 'half_open' ? [{ from: at, to: changes[index + 1]?.at ?? Infinity }] : [],
  );
}
