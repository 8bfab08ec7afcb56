import { defineBench } from '../bench.js';
import type { ApiClient } from '../generator/api-client.js';
import { arrivalFaults, reconcile, type Reconciliation } from '../report/reconciliation.js';
import { median, round } from '../report/statistics.js';
import type { Stage } from '../stage.js';

const EVENT_BYTES = 1_024;
const MAX_MS = 60_000;
const IDLE_MS = 30_000;
/** Of the sink's endpoint: more than a worker makes at once, for the lane to be what is measured. */
const MAX_IN_FLIGHT = 1_000;

interface Drained {
  perSecond: number;
  ms: number;
}

/**
 * The express lane: accepting and delivering at once, from the first request to the last arrival; then how a backlog leaves when its endpoint
 * is resumed, turn and turn about with bare express on the same Postgres.
 */
export const expressBench = defineBench({
  name: 'express',
  summary: 'deliveries per second of the express lane, with the ratio to bare express',
  options: {
    events: { default: 20_000, min: 100, max: 1_000_000, doc: 'events to accept and deliver at once' },
    backlog: {
      default: 10_000,
      min: 0,
      max: 1_000_000,
      doc: 'deliveries that wait at the resume; 0: no backlog',
    },
    rounds: { default: 3, min: 1, max: 50, doc: 'backlogs of each, turn and turn about' },
    connections: { default: 64, min: 1, max: 1_000, doc: 'connections, one request at a time on each' },
    auto: { default: 0, min: 0, max: 1, doc: '1: by the lane auto, which begins durable' },
  },
  async run(stage, { events, backlog, rounds, connections, auto }) {
    const lane = auto === 1 ? 'auto' : 'express';
    const client = stage.apiClient(1);
    // As many as count: until then V8 is compiling, which takes a tenth of the processor.
    await atOnce(stage, client, { path: '/warm-up', lane: 'express', events, connections });
    const flow = await stage.usage.charge('product', () =>
      atOnce(stage, client, { path: '/express', lane, events, connections }),
    );
    const bare: Drained[] = [];
    const ours: Drained[] = [];
    if (backlog > 0) {
      const yardstick = await stage.bareExpress();
      for (let number = 0; number < rounds; number++) {
        const ms = await yardstick.drain(`/bare-${number}`, backlog, EVENT_BYTES);
        await stage.sink.collect(`/bare-${number}`);
        bare.push({ ms, perSecond: (backlog * 1_000) / ms });
        ours.push(await drain(stage, client, { path: `/drain-${number}`, lane, backlog, connections }));
        stage.say(
          `backlog ${number + 1} of ${rounds}: bare ${round(ms, 0)} ms, ${lane} ${round(ours.at(-1)?.ms ?? NaN, 0)} ms`,
        );
      }
    }
    const rate = median(ours.map(({ perSecond }) => perSecond));
    const bound = median(bare.map(({ perSecond }) => perSecond));
    return {
      results: {
        lane,
        ...flow.figures,
        drain_ms: round(median(ours.map(({ ms }) => ms)), 0),
        drain_per_s: round(rate, 0),
        lost: flow.outcome.lost,
        duplicated: flow.outcome.duplicated,
      },
      bound: {
        what: 'bare express: claim, sign, POST and record straight from the same Postgres in one process',
        drain_ms: round(median(bare.map(({ ms }) => ms)), 0),
        drain_per_s: round(bound, 0),
      },
      ratio: round(rate / bound, 3),
      processes: stage.usage.report('product', events),
      faults: flow.faults,
    };
  },
});

interface Flow {
  outcome: Reconciliation;
  figures: Record<string, unknown>;
  faults: string[];
}

async function atOnce(
  stage: Stage,
  client: ApiClient,
  { path, lane, events, connections }: { path: string; lane: string; events: number; connections: number },
): Promise<Flow> {
  const type = `bench${path.replace('/', '.').replaceAll('-', '_')}`;
  await stage.endpointAt(client, path, type, { lane, max_in_flight: MAX_IN_FLIGHT });
  const load = await stage.generator.closedLoop({ to: client, type, count: events, connections }, MAX_MS);
  const collected = await stage.arrivals(path, load.sent.length, IDLE_MS);
  const outcome = reconcile(load.sent, collected.arrivals);
  const began = Math.min(...load.sent.map(({ startedAt }) => startedAt));
  const ended = outcome.arrivedAt.reduce((latest, at) => Math.max(latest, at), began);
  return {
    outcome,
    figures: {
      delivered: outcome.delivered,
      delivered_per_s: round((outcome.delivered * 1_000) / (ended - began), 0),
      accepted_per_s: round((load.sent.length * 1_000) / load.elapsedMs, 0),
      longest_ms: round(
        outcome.latencies.reduce((longest, ms) => Math.max(longest, ms), 0),
        0,
      ),
      signatures_verified: collected.signaturesVerified,
    },
    faults: arrivalFaults(outcome, collected, load),
  };
}

async function drain(
  stage: Stage,
  client: ApiClient,
  { path, lane, backlog, connections }: { path: string; lane: string; backlog: number; connections: number },
): Promise<Drained> {
  const type = `bench${path.replace('/', '.').replaceAll('-', '_')}`;
  const endpoint = await stage.endpointAt(client, path, type, { lane, max_in_flight: MAX_IN_FLIGHT });
  await client.hold(endpoint.id, true);
  await stage.generator.closedLoop({ to: client, type, count: backlog, connections }, MAX_MS);
  await client.hold(endpoint.id, false);
  const { arrivals } = await stage.arrivals(path, backlog, IDLE_MS);
  const times = arrivals.map(({ at }) => at);
  const ms = times.reduce((a, b) => Math.max(a, b), 0) - times.reduce((a, b) => Math.min(a, b), Infinity);
  return { ms, perSecond: (arrivals.length * 1_000) / ms };
}
