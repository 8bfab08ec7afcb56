import { setTimeout as sleep } from 'node:timers/promises';
import { NAMESPACE, SEARCH_ATTRIBUTE, WORKFLOW } from '@hookstream/contracts';
import { connectTemporal, type TemporalClient } from '@hookstream/temporal-client';
import { defineBench } from '../bench.js';
import { eventBody } from '../generator/event-poster.js';
import { monotonicMs } from '../generator/clock.js';
import { round, steadyRate } from '../report/statistics.js';
import type { Stage } from '../stage.js';

const PATH = '/dead';
const EVENT_TYPE = 'bench.drain';
const EVENT_BYTES = 1_024;
const CONNECTIONS = 8;
/** Longer than the bench looks on, so that nothing but the reset closes the circuit. */
const COOLDOWN_MS = 3_600_000;
const OPENS_WITHIN_MS = 60_000;
const IDLE_MS = 60_000;
const LOOK_EVERY_MS = 200;

/** What a dead endpoint costs while its backlog grows, and how the backlog leaves once the endpoint is back. */
export const drainBench = defineBench({
  name: 'drain',
  summary: 'a backlog for a dead endpoint: what is tried and held while it is down, and how it drains after',
  options: {
    backlog: { default: 2_000, min: 100, max: 1_000_000, doc: 'events posted while the endpoint is down' },
    rate: { default: 30, min: 1, max: 10_000, doc: 'rate limit of the endpoint, per second' },
    look: { default: 10, min: 1, max: 600, doc: 'seconds to look on while the circuit is open' },
  },
  async run(stage, { backlog, rate, look }) {
    const client = stage.apiClient(CONNECTIONS);
    const temporal = connectTemporal({
      address: stage.instance.facts.temporal_address,
      namespace: NAMESPACE,
    });
    try {
      await stage.sink.answer(PATH, { status: 503 });
      const endpoint = await stage.endpointAt(client, PATH, EVENT_TYPE, {
        lane: 'durable',
        rate_limit: { per_second: rate },
        circuit: { failure_threshold: 5, cooldown_ms: COOLDOWN_MS },
      });
      const bodies = Array.from({ length: backlog }, (_, index) => eventBody(EVENT_TYPE, index, EVENT_BYTES));
      stage.say(`posting ${backlog} events to an endpoint that is down`);
      const posting = client.sendEvents(bodies);
      const openedAfter = await untilOpen(stage, () => client.circuitState(endpoint.id));
      await posting;
      stage.say(`the circuit opened after ${openedAfter} attempts; looking on for ${look} s`);
      const openWorkflows = await mostOpenWorkflows(temporal, endpoint.id, look);
      const whileDown = (await stage.sink.collect(PATH)).arrivals.length;

      stage.say('the endpoint is back; draining');
      await stage.sink.verify(PATH, endpoint.secret);
      await client.resetCircuit(endpoint.id);
      const drained = await stage.usage.charge('product', () => stage.arrivals(PATH, backlog, IDLE_MS));
      const ids = new Set(drained.arrivals.map(({ id }) => id));
      const drainedPerSecond = steadyRate(drained.arrivals.map(({ at }) => at));
      const lost = backlog - ids.size;
      return {
        results: {
          opened_after_attempts: openedAfter,
          attempts_while_down: whileDown,
          open_workflows_most: openWorkflows,
          delivered: ids.size,
          delivered_per_s: round(drainedPerSecond, 2),
          lost,
          duplicated: drained.arrivals.length - ids.size,
          signatures_verified: drained.signaturesVerified,
        },
        bound: { what: "the endpoint's rate limit", deliveries_per_s: rate },
        ratio: round(drainedPerSecond / rate, 3),
        processes: stage.usage.report('product', backlog),
        faults: [
          ...(lost > 0 ? [`${lost} accepted events did not arrive`] : []),
          ...(drained.signaturesWrong > 0 ? [`${drained.signaturesWrong} signatures were wrong`] : []),
        ],
      };
    } finally {
      await temporal.close();
    }
  },
});

/** @returns how many requests the endpoint had got when its circuit was seen open. */
async function untilOpen(stage: Stage, state: () => Promise<string>): Promise<number> {
  const deadline = monotonicMs() + OPENS_WITHIN_MS;
  while ((await state()) !== 'open') {
    if (monotonicMs() > deadline) throw new Error('the circuit did not open');
    await sleep(LOOK_EVERY_MS);
  }
  return stage.sink.count(PATH);
}

async function mostOpenWorkflows(
  temporal: TemporalClient,
  endpointId: string,
  seconds: number,
): Promise<number> {
  const query = [
    `WorkflowType = '${WORKFLOW.delivery}'`,
    `${SEARCH_ATTRIBUTE.endpointId.name} = '${endpointId}'`,
    `ExecutionStatus = 'Running'`,
  ].join(' AND ');
  const deadline = monotonicMs() + seconds * 1_000;
  let most = 0;
  while (monotonicMs() < deadline) {
    most = Math.max(most, (await temporal.client.workflow.count(query)).count);
    await sleep(LOOK_EVERY_MS);
  }
  return most;
}
