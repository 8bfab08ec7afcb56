import type { BareTemporal } from '../bare-temporal/bare-temporal.js';
import { defineBench } from '../bench.js';
import type { ApiClient } from '../generator/api-client.js';
import { arrivalFaults, reconcile, type Reconciliation } from '../report/reconciliation.js';
import { median, round, steadyRate } from '../report/statistics.js';
import type { Stage } from '../stage.js';

const CONNECTIONS = 64;
const MAX_MS = 60_000;
const IDLE_MS = 30_000;

interface Round {
  perSecond: number;
  outcome: Reconciliation;
  signaturesVerified: number;
  faults: string[];
}

/**
 * Deliveries per second of the durable lane from a backlog, turn and turn about with bare Temporal on the same server. Both are
 * measured at the sink between the 10th and the 90th percentile of arrivals: accepting the backlog is over by
 * then, and every slot is still busy.
 */
export const durableBench = defineBench({
  name: 'durable',
  summary: 'deliveries per second of the durable lane, with the ratio to bare Temporal',
  options: {
    events: { default: 800, min: 100, max: 100_000, doc: 'deliveries in one round' },
    rounds: { default: 4, min: 1, max: 50, doc: 'rounds of each, turn and turn about' },
    concurrency: { default: 64, min: 1, max: 1_000, doc: 'bare workflows under way at once' },
  },
  async run(stage, { events, rounds, concurrency }) {
    const client = stage.apiClient(CONNECTIONS);
    const bare = await stage.bareTemporal();
    const bareRounds: Round[] = [];
    const durableRounds: Round[] = [];
    // Round 0 warms up both and counts for nothing but its losses.
    for (let number = 0; number <= rounds; number++) {
      const count = number === 0 ? Math.ceil(events / 4) : events;
      const account = number === 0 ? 'warm-up ' : '';
      bareRounds.push(
        await stage.usage.charge(`${account}bare`, () => bareRound(stage, bare, number, count, concurrency)),
      );
      durableRounds.push(
        await stage.usage.charge(`${account}durable`, () => durableRound(stage, client, number, count)),
      );
      const rates = [bareRounds, durableRounds].map((all) => round(all.at(-1)?.perSecond ?? 0, 1));
      stage.say(`round ${number} of ${rounds}: bare Temporal ${rates[0]}/s, durable lane ${rates[1]}/s`);
    }
    const barePerSecond = measured(bareRounds);
    const durablePerSecond = measured(durableRounds);
    const rate = median(durablePerSecond);
    const bound = median(barePerSecond);
    return {
      results: {
        deliveries_per_s: round(rate, 1),
        rounds_per_s: durablePerSecond.map((perSecond) => round(perSecond, 1)),
        delivered: sum(durableRounds, 'delivered'),
        lost: sum(durableRounds, 'lost'),
        duplicated: sum(durableRounds, 'duplicated'),
        signatures_verified: durableRounds.reduce((total, one) => total + one.signaturesVerified, 0),
      },
      bound: {
        what: 'bare Temporal: a workflow with one local activity that makes the same request, eager start',
        deliveries_per_s: round(bound, 1),
        rounds_per_s: barePerSecond.map((perSecond) => round(perSecond, 1)),
        concurrency,
        lost: sum(bareRounds, 'lost'),
        processes: stage.usage.report('bare', rounds * events),
      },
      ratio: round(rate / bound, 3),
      processes: stage.usage.report('durable', rounds * events),
      faults: [...bareRounds, ...durableRounds].flatMap(({ faults }) => faults),
    };
  },
});

function measured(rounds: readonly Round[]): number[] {
  return rounds.slice(1).map(({ perSecond }) => perSecond);
}

function sum(rounds: readonly Round[], key: 'delivered' | 'lost' | 'duplicated'): number {
  return rounds.reduce((total, { outcome }) => total + outcome[key], 0);
}

async function durableRound(stage: Stage, client: ApiClient, number: number, count: number): Promise<Round> {
  const path = `/durable-${number}`;
  const eventType = `bench.durable_${number}`;
  await stage.endpointAt(client, path, eventType, { lane: 'durable' });
  const accepted = await stage.generator.closedLoop(
    { to: client, type: eventType, count, connections: CONNECTIONS },
    MAX_MS,
  );
  if (accepted.sent.length === 0) throw new Error(`nothing was accepted: ${accepted.firstError}`);
  const collected = await stage.arrivals(path, accepted.sent.length, IDLE_MS);
  const outcome = reconcile(accepted.sent, collected.arrivals);
  return {
    perSecond: steadyRate(outcome.arrivedAt),
    outcome,
    signaturesVerified: collected.signaturesVerified,
    faults: arrivalFaults(outcome, collected, accepted),
  };
}

async function bareRound(
  stage: Stage,
  bare: BareTemporal,
  number: number,
  count: number,
  concurrency: number,
): Promise<Round> {
  const path = `/bare-${number}`;
  const load = await bare.closedLoop({ path, count, concurrency, maxMs: MAX_MS });
  if (load.sent.length === 0) throw new Error(`bare Temporal did nothing: ${load.firstError}`);
  const collected = await stage.arrivals(path, load.sent.length, IDLE_MS);
  const outcome = reconcile(load.sent, collected.arrivals);
  return { perSecond: steadyRate(outcome.arrivedAt), outcome, signaturesVerified: 0, faults: [] };
}
