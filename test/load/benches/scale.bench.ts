import { defineBench } from '../bench.js';
import type { ApiClient } from '../generator/api-client.js';
import { arrivalFaults, reconcile } from '../report/reconciliation.js';
import { ConnectionWatch } from '../report/connection-watch.js';
import { round, steadyRate } from '../report/statistics.js';
import type { Stage } from '../stage.js';

const LANES = ['durable', 'express'] as const;
type Lane = (typeof LANES)[number];
const CONNECTIONS = 64;
const ACCEPT_MAX_MS = 60_000;
const IDLE_MS = 60_000;

interface Drained {
  perSecond: number;
  delivered: number;
  lost: number;
  duplicated: number;
  connections: number;
  faults: string[];
}

/** How fast a backlog leaves with one worker and with two, in each lane, and how many connections to Postgres that takes. */
export const scaleBench = defineBench({
  name: 'scale',
  summary: 'deliveries per second from a backlog with one worker and with two, in each lane',
  options: {
    durable: { default: 800, min: 100, max: 100_000, doc: 'deliveries in a round of the durable lane' },
    express: { default: 5_000, min: 100, max: 1_000_000, doc: 'deliveries in a round of the express lane' },
  },
  async run(stage, counts) {
    const client = stage.apiClient(1);
    const runs = new Map<string, Drained>();
    for (const workers of [1, 2]) {
      if (workers === 2) await stage.secondWorker();
      for (const lane of LANES) {
        // the first backlog warms up what is new
        await drain(stage, client, `${lane}-${workers}-warm-up`, lane, Math.ceil(counts[lane] / 4));
        const drained = await stage.usage.charge(`${lane}-${workers}`, () =>
          drain(stage, client, `${lane}-${workers}`, lane, counts[lane]),
        );
        runs.set(`${lane}-${workers}`, drained);
        stage.say(`${lane} with ${workers} worker(s): ${round(drained.perSecond, 1)}/s`);
      }
    }
    const of = (lane: Lane, workers: number): Drained => runs.get(`${lane}-${workers}`) as Drained;
    const all = [...runs.values()];
    const factor = (lane: Lane): number => round(of(lane, 2).perSecond / of(lane, 1).perSecond, 3);
    return {
      results: {
        ...Object.fromEntries(
          LANES.map((lane) => [
            lane,
            {
              one_worker_per_s: round(of(lane, 1).perSecond, 1),
              two_workers_per_s: round(of(lane, 2).perSecond, 1),
              factor: factor(lane),
              processes_of_two: stage.usage.report(`${lane}-2`, counts[lane]),
            },
          ]),
        ),
        connections_most: {
          one_worker: Math.max(...LANES.map((lane) => of(lane, 1).connections)),
          two_workers: Math.max(...LANES.map((lane) => of(lane, 2).connections)),
        },
        delivered: sum(all, 'delivered'),
        lost: sum(all, 'lost'),
        duplicated: sum(all, 'duplicated'),
      },
      bound: {
        what: 'one worker on the same machine, before',
        ...Object.fromEntries(LANES.map((lane) => [lane, 1])),
      },
      ratio: factor('express'),
      processes: stage.usage.report('express-1', counts.express),
      faults: all.flatMap(({ faults }) => faults),
    };
  },
});

async function drain(
  stage: Stage,
  client: ApiClient,
  name: string,
  lane: Lane,
  count: number,
): Promise<Drained> {
  const path = `/${name}`;
  const type = `bench.${name.replaceAll('-', '_')}`;
  const endpoint = await stage.endpointAt(client, path, type, { lane });
  await client.hold(endpoint.id, true);
  const load = await stage.generator.closedLoop(
    { to: client, type, count, connections: CONNECTIONS },
    ACCEPT_MAX_MS,
  );
  const watch = await ConnectionWatch.start(stage.instance.facts.database_url);
  await client.hold(endpoint.id, false);
  const collected = await stage.arrivals(path, load.sent.length, IDLE_MS);
  const connections = await watch.stop();
  const outcome = reconcile(load.sent, collected.arrivals);
  return {
    perSecond: steadyRate(outcome.arrivedAt),
    delivered: outcome.delivered,
    lost: outcome.lost,
    duplicated: outcome.duplicated,
    connections,
    faults: arrivalFaults(outcome, collected, load),
  };
}

function sum(runs: readonly Drained[], key: 'delivered' | 'lost' | 'duplicated'): number {
  return runs.reduce((total, one) => total + one[key], 0);
}
