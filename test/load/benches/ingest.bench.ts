import type { BareAccept } from '../bare-accept/bare-accept.js';
import { defineBench } from '../bench.js';
import type { ApiClient } from '../generator/api-client.js';
import type { LoadResult } from '../generator/load-loops.js';
import { arrivalFaults, reconcile } from '../report/reconciliation.js';
import { latencySummary, median, round, steadyRate } from '../report/statistics.js';
import { findStored } from '../report/stored-events.js';
import type { Stage } from '../stage.js';

const HELD_TYPE = 'bench.held';
const BESIDE_TYPE = 'bench.beside';
const BESIDE_PATH = '/beside';
const NOTHING_PATH = '/nothing';
const MAX_MS = 60_000;
const IDLE_MS = 30_000;

/**
 * How fast events are accepted: by itself, their deliveries held, turn and turn about with bare accepting on the same server; then once
 * more while deliveries go out by the same processors. What was accepted has to be stored, or to have arrived.
 */
export const ingestBench = defineBench({
  name: 'ingest',
  summary: 'accepted events per second over many connections, with the ratio to bare accepting',
  options: {
    events: { default: 10_000, min: 100, max: 1_000_000, doc: 'events in one round, deliveries held' },
    rounds: { default: 3, min: 1, max: 50, doc: 'rounds of each, turn and turn about' },
    competing: { default: 1_500, min: 0, max: 1_000_000, doc: 'events to post while deliveries go out' },
    connections: { default: 64, min: 1, max: 1_000, doc: 'connections, one request at a time on each' },
  },
  async run(stage, { events, rounds, competing, connections }) {
    const client = stage.apiClient(1);
    const bare = await stage.bareAccept();
    const held = await stage.endpointAt(client, '/held', HELD_TYPE);
    await client.hold(held.id, true);
    const post = (to: ApiClient | BareAccept, count: number, type: string): Promise<LoadResult> =>
      stage.generator.closedLoop({ to, type, count, connections }, MAX_MS);

    const ours: LoadResult[] = [];
    const bares: LoadResult[] = [];
    // Round 0 warms up both and counts for nothing but its losses.
    for (let number = 0; number <= rounds; number++) {
      const account = number === 0 ? 'warm-up ' : '';
      bares.push(await stage.usage.charge(`${account}bare`, () => post(bare, events, HELD_TYPE)));
      ours.push(await stage.usage.charge(`${account}product`, () => post(client, events, HELD_TYPE)));
      const rates = [bares, ours].map((all) => round(rateOf(all.at(-1) as LoadResult), 0));
      stage.say(`round ${number} of ${rounds}: bare accepting ${rates[0]}/s, accepted ${rates[1]}/s`);
    }
    const accepted = ours.flatMap(({ sent }) => sent);
    const stored = await findStored(stage.instance.facts.database_url, accepted);
    await client.deleteEndpoint(held.id);
    const nothing = await doNothing(stage, events, connections);
    const beside = await besideDelivery(
      stage,
      client,
      (count) => post(client, count, BESIDE_TYPE),
      competing,
    );

    const rate = median(ours.slice(1).map(rateOf));
    const bound = median(bares.slice(1).map(rateOf));
    const errors = sum(ours.map((load) => load.errors));
    const bareErrors = sum(bares.map((load) => load.errors));
    return {
      results: {
        accepted: accepted.length,
        accepted_per_s: round(rate, 0),
        rounds_per_s: ours.slice(1).map((load) => round(rateOf(load), 0)),
        ...latencies(...ours.slice(1)),
        errors,
        lost: stored.lost + beside.lost,
        duplicated: stored.duplicated + beside.duplicated,
        while_delivering: beside.figures,
      },
      bound: {
        what: 'bare accepting: plain Fastify and pg, group commit of the same rows on the same Postgres',
        accepted_per_s: round(bound, 0),
        rounds_per_s: bares.slice(1).map((load) => round(rateOf(load), 0)),
        ...latencies(...bares.slice(1)),
        do_nothing_per_s: round(nothing, 0),
        processes: stage.usage.report('bare', rounds * events),
      },
      ratio: round(rate / bound, 3),
      processes: stage.usage.report('product', rounds * events),
      faults: [
        ...(stored.lost > 0 ? [`${stored.lost} accepted events are not stored whole`] : []),
        ...(stored.duplicated > 0 ? [`${stored.duplicated} deliveries too many are stored`] : []),
        ...(errors > 0 ? [`${errors} requests failed, the first with: ${firstError(ours)}`] : []),
        ...(bareErrors > 0 ? [`bare accepting failed: ${firstError(bares)}`] : []),
        ...beside.faults,
      ],
    };
  },
});

/** Accepting while the worker delivers what was accepted. */
async function besideDelivery(
  stage: Stage,
  client: ApiClient,
  post: (count: number) => Promise<LoadResult>,
  count: number,
) {
  if (count === 0) return { figures: {}, lost: 0, duplicated: 0, faults: [] };
  await stage.endpointAt(client, BESIDE_PATH, BESIDE_TYPE);
  const load = await post(count);
  stage.say(`accepted ${load.sent.length} beside delivery; waiting for all to arrive`);
  const collected = await stage.arrivals(BESIDE_PATH, load.sent.length, IDLE_MS);
  const outcome = reconcile(load.sent, collected.arrivals);
  return {
    figures: {
      accepted: load.sent.length,
      accepted_per_s: round(rateOf(load), 0),
      ...latencies(load),
      errors: load.errors,
      delivered: outcome.delivered,
      delivered_per_s: round(steadyRate(outcome.arrivedAt), 1),
      signatures_verified: collected.signaturesVerified,
    },
    lost: outcome.lost,
    duplicated: outcome.duplicated,
    faults: arrivalFaults(outcome, collected, load),
  };
}

/** What the generator and plain TCP can do on this machine: requests per second to a server that does nothing. */
async function doNothing(stage: Stage, count: number, connections: number): Promise<number> {
  const to = { apiUrl: stage.sink.origin, apiKey: 'none' };
  const load = await stage.generator.closedLoop(
    { to, path: NOTHING_PATH, type: HELD_TYPE, count, connections },
    MAX_MS,
  );
  await stage.sink.collect(NOTHING_PATH);
  return rateOf(load);
}

function latencies(...loads: LoadResult[]): Record<string, number> {
  const times = loads.flatMap(({ sent }) => sent.map(({ startedAt, answeredAt }) => answeredAt - startedAt));
  return times.length === 0 ? {} : latencySummary(times);
}

function firstError(loads: readonly LoadResult[]): string {
  return loads.find((load) => load.firstError !== undefined)?.firstError ?? 'unknown';
}

function rateOf(load: LoadResult): number {
  return (load.sent.length * 1_000) / load.elapsedMs;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
