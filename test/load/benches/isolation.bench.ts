import { defineBench } from '../bench.js';
import type { ApiClient } from '../generator/api-client.js';
import { eventBody } from '../generator/event-poster.js';
import { arrivalFaults, reconcile } from '../report/reconciliation.js';
import { latencySummary, round } from '../report/statistics.js';
import type { Stage } from '../stage.js';

const SLOW = { path: '/slow', type: 'bench.slow', answerMs: 5_000 };
const QUIET_TYPE = 'bench.quiet';
const EVENT_BYTES = 1_024;
const CONNECTIONS = 16;
const IDLE_MS = 30_000;
const WARM_UP_SECONDS = 3;
const UNDER_WAY_WITHIN_MS = 60_000;

/** Whether a tenant with a great backlog for a slow endpoint delays the deliveries of another tenant. */
export const isolationBench = defineBench({
  name: 'isolation',
  summary:
    "one tenant's time from posting to arrival, alone and beside another's backlog for a slow endpoint",
  options: {
    backlog: { default: 20_000, min: 100, max: 1_000_000, doc: 'pending deliveries of the other tenant' },
    rate: { default: 20, min: 1, max: 1_000, doc: 'events per second of the measured tenant' },
    seconds: { default: 30, min: 3, max: 600, doc: 'how long, alone and beside the backlog each' },
    lane: { default: 'auto', choices: ['auto', 'durable', 'express'], doc: 'how the deliveries of both run' },
  },
  async run(stage, { backlog, rate, seconds, lane }) {
    const quiet = await stage.apiClientOfAnotherTenant(CONNECTIONS);
    stage.say('warming up');
    await measure(stage, quiet, '/warm-up', { lane, rate, seconds: WARM_UP_SECONDS });

    stage.say(`alone: ${rate}/s for ${seconds} s`);
    const alone = await measure(stage, quiet, '/alone', { lane, rate, seconds });

    const noisy = stage.apiClient(CONNECTIONS);
    await stage.sink.answer(SLOW.path, { afterMs: SLOW.answerMs });
    const slow = await stage.endpointAt(noisy, SLOW.path, SLOW.type, { lane });
    stage.say(`posting ${backlog} events to an endpoint that takes ${SLOW.answerMs} ms to answer`);
    await noisy.sendEvents(
      Array.from({ length: backlog }, (_, index) => eventBody(SLOW.type, index, EVENT_BYTES)),
    );
    await stage.sink.waitFor(SLOW.path, 1, { idleMs: UNDER_WAY_WITHIN_MS });

    stage.say(`beside the backlog: ${rate}/s for ${seconds} s`);
    const beside = await stage.usage.charge('product', () =>
      measure(stage, quiet, '/beside', { lane, rate, seconds }),
    );
    const slowArrivals = await stage.sink.count(SLOW.path);
    await noisy.deleteEndpoint(slow.id);

    return {
      results: {
        p95_ratio: round(beside.p95 / alone.p95, 3),
        alone: alone.figures,
        beside: beside.figures,
        backlog: { posted: backlog, begun_meanwhile: slowArrivals },
        lost: alone.lost + beside.lost,
        duplicated: alone.duplicated + beside.duplicated,
      },
      bound: { what: 'the same tenant alone, before', ...alone.figures },
      ratio: round(beside.p95 / alone.p95, 3),
      processes: stage.usage.report('product', beside.delivered),
      faults: [...alone.faults, ...beside.faults],
    };
  },
});

interface Load {
  lane: string;
  rate: number;
  seconds: number;
}

async function measure(stage: Stage, client: ApiClient, path: string, { lane, rate, seconds }: Load) {
  const type = `${QUIET_TYPE}_${path.slice(1).replaceAll('-', '_')}`;
  const endpoint = await stage.endpointAt(client, path, type, { lane });
  const load = await stage.generator.openLoop(
    { to: client, type, count: rate * seconds, connections: CONNECTIONS },
    rate,
  );
  const collected = await stage.arrivals(path, load.sent.length, IDLE_MS);
  await client.deleteEndpoint(endpoint.id);
  const outcome = reconcile(load.sent, collected.arrivals);
  const latency = latencySummary(outcome.latencies);
  return {
    p95: latency['p95_ms'] ?? Number.NaN,
    figures: { delivered: outcome.delivered, ...latency },
    delivered: outcome.delivered,
    lost: outcome.lost,
    duplicated: outcome.duplicated,
    faults: arrivalFaults(outcome, collected, load),
  };
}
