import { Pool } from 'undici';
import { defineBench } from '../bench.js';
import { eventBody } from '../generator/api-client.js';
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

/** How fast events are accepted while they are being delivered, and whether every one of them arrives. */
export const ingestBench = defineBench({
  name: 'ingest',
  summary: 'accepted events per second over many connections, each delivered to one endpoint',
  options: {
    events: { default: 10_000, min: 100, max: 1_000_000, doc: 'events to post' },
    connections: { default: 64, min: 1, max: 1_000, doc: 'connections, one request at a time on each' },
    warmup: { default: 500, min: 0, max: 100_000, doc: 'events posted and delivered before measuring' },
  },
  async run(stage, { events, connections, warmup }) {
    const client = stage.apiClient(connections);
    await warmUp(stage, connections, warmup);
    const bound = await httpOnly(stage, events, connections);

    await stage.endpointAt(client, PATH, EVENT_TYPE);
    stage.say(`posting ${events} events over ${connections} connections`);
    const { accepted, collected } = await stage.usage.charge('product', async () => {
      const accepted = await closedLoop(
        { count: events, concurrency: connections, maxMs: ACCEPT_MAX_MS },
        (index) => client.sendEvent(eventBody(EVENT_TYPE, index, EVENT_BYTES)),
      );
      stage.say(
        `accepted ${accepted.sent.length} at ${round(rateOf(accepted), 0)}/s; waiting for all to arrive`,
      );
      return { accepted, collected: await stage.arrivals(PATH, accepted.sent.length, IDLE_MS) };
    });

    const outcome = reconcile(accepted.sent, collected.arrivals);
    const rate = rateOf(accepted);
    return {
      results: {
        accepted: accepted.sent.length,
        accepted_per_s: round(rate, 0),
        ...latencySummary(accepted.sent.map(({ startedAt, answeredAt }) => answeredAt - startedAt)),
        errors: accepted.errors,
        ...(accepted.firstError === undefined ? {} : { first_error: accepted.firstError }),
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
      faults: arrivalFaults(outcome, collected, accepted),
    };
  },
});

function rateOf(load: LoadResult): number {
  return (load.sent.length * 1_000) / load.elapsedMs;
}

async function warmUp(stage: Stage, connections: number, count: number): Promise<void> {
  if (count === 0) return;
  stage.say(`warming up with ${count} events`);
  const client = stage.apiClient(connections);
  await stage.endpointAt(client, '/warm-up', 'bench.warm_up');
  const accepted = await closedLoop({ count, concurrency: connections, maxMs: ACCEPT_MAX_MS }, (index) =>
    client.sendEvent(eventBody('bench.warm_up', index, EVENT_BYTES)),
  );
  if (accepted.firstError !== undefined)
    throw new Error(`the API refused the warm-up: ${accepted.firstError}`);
  await stage.arrivals('/warm-up', count, IDLE_MS);
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
