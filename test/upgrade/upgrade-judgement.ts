import type { StoredDelivery } from '../chaos/promises/stored-deliveries.js';
import { deliveryFaults } from '../chaos/promises/every-event-arrives.js';
import { orderFaults } from '../chaos/promises/order.js';
import { outcomeOf, reportOf, type TargetReport } from '../chaos/promises/target-report.js';
import { told } from '../chaos/promises/told.js';
import { orderedArrival } from '../chaos/traffic/moods.js';
import type { Traffic } from '../chaos/traffic/traffic.js';
import { deadLetterFaults } from './promises/dead-letters.js';
import { signatureFaults } from './promises/signatures.js';
import type { WorkflowRuns } from './promises/workflow-tasks.js';
import type { SteadyReader } from './traffic/steady-reader.js';
import type { UpgradeTargets } from './traffic/upgrade-targets.js';

/** Deliveries that were open in retries when the workers of one version went, and the processes they went between. */
export interface Handover {
  from: string;
  to: string;
  fromPid: number;
  toPid: number;
  open: readonly string[];
}

/** All that was seen in a run. */
export interface UpgradeEvidence {
  targets: UpgradeTargets;
  traffic: Traffic;
  reader: SteadyReader;
  deliveries: readonly StoredDelivery[];
  runs: WorkflowRuns;
  handovers: readonly Handover[];
  replayed: ReadonlySet<string>;
  circuitAtEnd: string;
  /** What is known to be broken already. */
  stuck: readonly string[];
  settledAfterMs: number;
}

/** What came out of a run. */
export interface UpgradeFindings {
  accepted: number;
  posts: number;
  lookUps: number;
  slowestPostMs: number;
  endpoints: TargetReport[];
  workflows: number;
  /** Begun by one version and finished by the other. */
  handedOver: { from: string; to: string; open: number; finished: number }[];
  replayed: number;
  settledAfterMs: number;
  /** Broken promises, in plain words. */
  broken: string[];
}

export function judgeUpgrade(evidence: UpgradeEvidence): UpgradeFindings {
  const { targets, traffic, reader, deliveries, runs, replayed, settledAfterMs } = evidence;
  const outcomes = targets.list.map((target) =>
    outcomeOf(target, traffic.accepted, deliveries, targets.receiver),
  );
  const handedOver = evidence.handovers.map(({ from, to, fromPid, toPid, open }) => ({
    ...{ from, to, open: open.length },
    finished: runs.handedOver(open, fromPid, toPid),
  }));
  return {
    ...{ accepted: traffic.accepted.length, posts: traffic.tries.length, lookUps: reader.count },
    slowestPostMs: Math.max(...traffic.tries.map(({ startedAt, endedAt }) => endedAt - startedAt)),
    endpoints: outcomes.map(reportOf),
    workflows: runs.all.length,
    handedOver,
    replayed: replayed.size,
    settledAfterMs,
    broken: [
      ...refusals(traffic, reader),
      // Dead letters are judged by themselves: they end by a replay.
      ...outcomes.filter(({ target }) => target.name !== 'dead').flatMap(deliveryFaults),
      ...evidence.stuck,
      ...orderFaults(targets.receiver.requestsTo('/ordered').map(orderedArrival)),
      ...signatureFaults(targets.receiver.requests, targets.secrets),
      ...deadLetterFaults(
        deliveries.filter(({ endpointId }) => endpointId === targets.target('dead').endpointId),
        replayed,
        targets.receiver.webhookIds('/dead'),
      ),
      ...(evidence.circuitAtEnd === 'closed' ? [] : [`the circuit is ${evidence.circuitAtEnd} at the end`]),
      ...runs.faults(),
      ...handedOver
        .filter(({ finished }) => finished === 0)
        .map(({ from, to, open }) => `of ${open} open workflows of ${from}, ${to} finished none`),
    ],
  };
}

/** Nobody who calls the API may notice an upgrade. */
function refusals(traffic: Traffic, reader: SteadyReader): string[] {
  const refused = traffic.tries
    .filter(({ status }) => status !== 202)
    .map(({ startedAt, status }) => `${status ?? 'no answer'} at ${new Date(startedAt).toISOString()}`);
  return [
    ...told('POST /events was not answered with 202', refused),
    ...traffic.givenUp.map((what) => `an event was never accepted: ${what}`),
    ...told('look-ups were not answered with 200', reader.refused),
  ];
}
