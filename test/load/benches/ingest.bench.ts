import { Pool } from 'undici';
import { defineBench } from '../bench.js';
import { eventBody, type ApiClient } from '../generator/api-client.js';
import { closedLoop, type LoadResult } from '../generator/load-loops.js';
import { arrivalFaults, reconcile } from '../report/reconciliation.js';
import { latencySummary, round, steadyRate } from '../report/statistics.js';
import type { Stage } from '../stage.js';

const EVENT_TYPE = 'bench.ingest';
const PATH = '/ingest';
const BOUND_PATH = '/http-only';
const EVENT_BYTES = 1_024;
const ACCEPT_MAX_MS = 60_000;
const IDLE_MS = 30_000;
const BOUND_MAX_MS = 10_000;

/**
 * How fast events are accepted: first by itself, their deliveries held, then once more while what was held is being delivered by
 * the same processors. In the end every one of them has to have arrived.
 */
export const ingestBench = defineBench({
  name: 'ingest',
  summary: 'accepted events per second over many connections, each delivered to one endpoint',
  options: {
    events: { default: 6_000, min: 100, max: 1_000_000, doc: 'events to post while deliveries are held' },
    competing: { default: 1_500, min: 0, max: 1_000_000, doc: 'events to post while deliveries go out' },
    connections: { default: 64, min: 1, max: 1_000, doc: 'connections, one request at a time on each' },
    warmup: { default: 12_000, min: 0, max: 100_000, doc: 'events posted before measuring' },
  },
  async run(stage, { events, competing, connections, warmup }) {
    const client = stage.apiClient(connections);
    await warmUp(stage, client, connections, warmup);
    const bound = await httpOnly(stage, events, connections);

    const endpoint = await stage.endpointAt(client, PATH, EVENT_TYPE);
    await client.hold(endpoint.id, true);
    const post = (count: number): Promise<LoadResult> =>
      closedLoop({ count, concurrency: connections, maxMs: ACCEPT_MAX_MS }, (index) =>
        client.sendEvent(eventBody(EVENT_TYPE, index, EVENT_BYTES)),
      );
    const { accepted, beside, collected } = await stage.usage.charge('product', async () => {
      stage.say(`posting ${events} events over ${connections} connections`);
      const accepted = await post(events);
      stage.say(`accepted ${accepted.sent.length} at ${round(rateOf(accepted), 0)}/s; letting them go`);
      await client.hold(endpoint.id, false);
      const beside = await post(competing);
      stage.say(`accepted ${beside.sent.length} beside delivery; waiting for all to arrive`);
      const all = accepted.sent.length + beside.sent.length;
      return { accepted, beside, collected: await stage.arrivals(PATH, all, IDLE_MS) };
    });

    const outcome = reconcile([...accepted.sent, ...beside.sent], collected.arrivals);
    const rate = rateOf(accepted);
    return {
      results: {
        accepted: accepted.sent.length,
        accepted_per_s: round(rate, 0),
        ...latencies(accepted),
        errors: accepted.errors + beside.errors,
        ...firstError(accepted, beside),
        while_delivering: {
          accepted: beside.sent.length,
          accepted_per_s: round(rateOf(beside), 0),
          ...latencies(beside),
        },
        delivered: outcome.delivered,
        lost: outcome.lost,
        duplicated: outcome.duplicated,
        delivered_per_s: round(steadyRate(outcome.arrivedAt), 1),
        signatures_verified: collected.signaturesVerified,
      },
      bound: {
        what: 'the same requests answered by a server that does nothing',
        requests_per_s: round(bound, 0),
      },
      ratio: round(rate / bound, 3),
      processes: stage.usage.report('product', outcome.delivered),
      faults: [
        ...arrivalFaults(outcome, collected, accepted),
        ...(beside.errors > 0 ? [`${beside.errors} requests beside delivery failed`] : []),
      ],
    };
  },
});

function latencies(load: LoadResult): Record<string, unknown> {
  if (load.sent.length === 0) return {};
  return { ...latencySummary(load.sent.map(({ startedAt, answeredAt }) => answeredAt - startedAt)) };
}

function firstError(...loads: LoadResult[]): { first_error?: string } {
  const first = loads.find(({ firstError }) => firstError !== undefined)?.firstError;
  return first === undefined ? {} : { first_error: first };
}

function rateOf(load: LoadResult): number {
  return (load.sent.length * 1_000) / load.elapsedMs;
}

async function warmUp(stage: Stage, client: ApiClient, connections: number, count: number): Promise<void> {
  if (count === 0) return;
  stage.say(`warming up with ${count} events`);
  const endpoint = await stage.endpointAt(client, '/warm-up', 'bench.warm_up');
  await client.hold(endpoint.id, true);
  const accepted = await closedLoop({ count, concurrency: connections, maxMs: ACCEPT_MAX_MS }, (index) =>
    client.sendEvent(eventBody('bench.warm_up', index, EVENT_BYTES)),
  );
  if (accepted.firstError !== undefined)
    throw new Error(`the API refused the warm-up: ${accepted.firstError}`);
  await client.deleteEndpoint(endpoint.id);
}

/** What the generator and plain HTTP can do on this machine. */
async function httpOnly(stage: Stage, count: number, connections: number): Promise<number> {
  const pool = new Pool(stage.sink.origin, { connections, pipelining: 1 });
  try {
    const load = await closedLoop({ count, concurrency: connections, maxMs: BOUND_MAX_MS }, async (index) => {
      const body = eventBody(EVENT_TYPE, index, EVENT_BYTES);
      const headers = { 'content-type': 'application/json', 'webhook-id': String(index) };
      const answer = await pool.request({ method: 'POST', path: BOUND_PATH, headers, body });
      await answer.body.text();
      return String(index);
    });
    await stage.sink.collect(BOUND_PATH);
    return rateOf(load);
  } finally {
    await pool.destroy();
  }
}
