import type { ReceivedRequest } from '@hookstream/testing';
import type { FaultReport } from './faults/fault-runner.js';
import { acceptFaults, readinessFaults } from './promises/answers.js';
import { deliveryFaults } from './promises/every-event-arrives.js';
import { memoryFaults, memoryReports, type MemoryReport } from './promises/flat-memory.js';
import { orderFaults } from './promises/order.js';
import { paceFaults } from './promises/pace.js';
import { judgeProbes, type ProbesReport } from './promises/probes.js';
import type { StoredDelivery } from './promises/stored-deliveries.js';
import { outcomeOf, reportOf, type TargetReport } from './promises/target-report.js';
import { orderedArrival, spanOf } from './traffic/moods.js';
import type { Targets } from './traffic/targets.js';
import type { Traffic } from './traffic/traffic.js';
import type { CircuitChange, LetGo } from './watch/circuit-log.js';
import type { MemorySeries } from './watch/memory-watch.js';
import type { ReadinessSample } from './watch/readiness-watch.js';
import type { WorldTimeline } from './watch/world-timeline.js';

/** All that was seen in a run. */
export interface Evidence {
  faults: readonly FaultReport[];
  /** What is known to be broken already. */
  stuck: readonly string[];
  settledAfterMs: number;
  targets: Targets;
  traffic: Traffic;
  deliveries: readonly StoredDelivery[];
  readiness: readonly ReadinessSample[];
  timeline: WorldTimeline;
  memory: readonly MemorySeries[];
  circuit: readonly CircuitChange[];
  /** Attempts of the endpoint with the breaker. */
  letGo: readonly LetGo[];
}

/** What came out of a run. Counts and milliseconds. */
export interface ChaosFindings {
  accepted: number;
  posts: { tries: number; unavailable: number; unanswered: number; slowestMs: number };
  endpoints: TargetReport[];
  settledAfterMs: number;
  circuit: Omit<ProbesReport, 'faults'>;
  moods: Record<string, number>;
  readiness: { samples: number; ready: number; notReady: number; unanswered: number; slowestMs: number };
  memory: MemoryReport[];
  happened: readonly FaultReport[];
  /** Broken promises, in plain words. */
  broken: string[];
}

export function judge(evidence: Evidence): ChaosFindings {
  const { traffic, targets, deliveries, readiness, timeline } = evidence;
  const outcomes = targets.list.map((target) =>
    outcomeOf(target, traffic.accepted, deliveries, targets.receiver),
  );
  const { faults: probeFaults, ...circuit } = judgeProbes(
    evidence.circuit,
    evidence.letGo,
    targets.receiver.requestsTo('/sick').map(probeArrival),
  );
  const memory = memoryReports(evidence.memory);
  return {
    accepted: traffic.accepted.length,
    posts: {
      tries: traffic.tries.length,
      unavailable: traffic.tries.filter(({ status }) => status === 503).length,
      unanswered: traffic.tries.filter(({ status }) => status === undefined).length,
      slowestMs: slowest(traffic.tries),
    },
    endpoints: outcomes.map(reportOf),
    settledAfterMs: evidence.settledAfterMs,
    circuit,
    moods: Object.fromEntries(targets.moody.met),
    readiness: {
      samples: readiness.length,
      ready: readiness.filter(({ status }) => status === 200).length,
      notReady: readiness.filter(({ status }) => status !== undefined && status !== 200).length,
      unanswered: readiness.filter(({ status }) => status === undefined).length,
      slowestMs: slowest(readiness),
    },
    memory,
    happened: evidence.faults,
    broken: [
      ...evidence.faults.flatMap(({ failure }) => failure ?? []),
      ...traffic.givenUp.map((what) => `an event was never accepted: ${what}`),
      ...outcomes.flatMap(deliveryFaults),
      ...evidence.stuck,
      ...orderFaults(targets.receiver.requestsTo('/ordered').map(orderedArrival)),
      ...probeFaults,
      ...paceFaults(targets.receiver.requestsTo('/paced').map(({ receivedAt }) => receivedAt)),
      ...acceptFaults(traffic.tries, timeline),
      ...readinessFaults(readiness, timeline),
      ...memoryFaults(memory),
    ],
  };
}

function probeArrival(request: ReceivedRequest) {
  return { ...spanOf(request), webhookId: request.headers['webhook-id'] ?? '' };
}

function slowest(spans: readonly { startedAt: number; endedAt: number }[]): number {
  return spans.reduce((most, { startedAt, endedAt }) => Math.max(most, endedAt - startedAt), 0);
}
