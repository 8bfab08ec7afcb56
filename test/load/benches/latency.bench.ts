import { defineBench } from '../bench.js';
import type { LoadResult, Sent } from '../generator/load-loops.js';
import { arrivalFaults, reconcile } from '../report/reconciliation.js';
import { latencySummary, round } from '../report/statistics.js';
import type { Stage } from '../stage.js';

const EVENT_TYPE = 'bench.latency';
const CONNECTIONS = 16;
const IDLE_MS = 30_000;
const WARM_UP_SECONDS = 3;

/** How long from the start of a POST to its arrival at the endpoint, when there is little to do. */
export const latencyBench = defineBench({
  name: 'latency',
  summary: 'time from posting an event to its arrival, at a steady pace',
  options: {
    lane: { default: 'auto', choices: ['auto', 'durable', 'express'], doc: 'how the deliveries run' },
    rate: { default: 20, min: 1, max: 1_000, doc: 'events per second' },
    seconds: { default: 30, min: 3, max: 600, doc: 'how long, for the product and for bare Temporal each' },
    turns: { default: 3, min: 1, max: 20, doc: 'how often they take turns' },
  },
  async run(stage, { lane, rate, seconds, turns }) {
    const client = stage.apiClient(CONNECTIONS);
    const bare = await stage.bareTemporal();
    const post = (type: string, forSeconds: number): Promise<LoadResult> =>
      stage.generator.openLoop(
        { to: client, type, count: Math.ceil(rate * forSeconds), connections: CONNECTIONS },
        rate,
      );
    const startBare = (path: string, forSeconds: number): Promise<LoadResult> =>
      bare.openLoop({ path, count: Math.ceil(rate * forSeconds), perSecond: rate });

    stage.say('warming up');
    await stage.endpointAt(client, '/warm-up', 'bench.warm_up', { lane });
    await startBare('/warm-up-bare', WARM_UP_SECONDS);
    const warm = await post('bench.warm_up', WARM_UP_SECONDS);
    if (warm.firstError !== undefined) throw new Error(`the API refused the warm-up: ${warm.firstError}`);
    await stage.arrivals('/warm-up', warm.sent.length, IDLE_MS);

    await stage.endpointAt(client, '/latency', EVENT_TYPE, { lane });
    const accepted: LoadResult = { sent: [], errors: 0, elapsedMs: 0 };
    const started: Sent[] = [];
    for (let turn = 1; turn <= turns; turn++) {
      stage.say(`turn ${turn} of ${turns}: ${rate}/s for ${round(seconds / turns, 1)} s each`);
      started.push(...(await startBare('/bare', seconds / turns)).sent);
      const load = await stage.usage.charge('product', () => post(EVENT_TYPE, seconds / turns));
      accepted.sent.push(...load.sent);
      accepted.errors += load.errors;
      if (load.firstError !== undefined) accepted.firstError ??= load.firstError;
    }
    return findings(stage, accepted, started);
  },
});

async function findings(stage: Stage, accepted: LoadResult, started: Sent[]) {
  const collected = await stage.arrivals('/latency', accepted.sent.length, IDLE_MS);
  const outcome = reconcile(accepted.sent, collected.arrivals);
  const bareOutcome = reconcile(started, (await stage.arrivals('/bare', started.length, IDLE_MS)).arrivals);
  const ours = latencySummary(outcome.latencies);
  const answered = accepted.sent.map((sent) => ({ ...sent, startedAt: sent.answeredAt }));
  const afterAccept = reconcile(answered, collected.arrivals);
  const bares = latencySummary(bareOutcome.latencies);
  return {
    results: {
      delivered: outcome.delivered,
      ...ours,
      accept: latencySummary(accepted.sent.map(({ startedAt, answeredAt }) => answeredAt - startedAt)),
      accepted_to_arrival: latencySummary(afterAccept.latencies),
      errors: accepted.errors,
      lost: outcome.lost,
      duplicated: outcome.duplicated,
      signatures_verified: collected.signaturesVerified,
    },
    bound: {
      what: 'bare Temporal: from starting a workflow to the arrival of its local activity’s request',
      delivered: bareOutcome.delivered,
      ...bares,
      lost: bareOutcome.lost,
    },
    ratio: round((ours['p50_ms'] ?? NaN) / (bares['p50_ms'] ?? NaN), 3),
    processes: stage.usage.report('product', outcome.delivered),
    faults: arrivalFaults(outcome, collected, accepted),
  };
}
