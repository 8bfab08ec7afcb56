import { defineBench } from '../bench.js';
import { countPending, writePendingRows } from '../instance/pending-rows.js';
import { residentMb } from '../report/process-usage.js';
import { arrivalFaults, reconcile } from '../report/reconciliation.js';
import { median, round } from '../report/statistics.js';

/** What the process may take, in MB: promised in docs/benchmarks.md. */
const BUDGET_MB = { api: 250, worker: 400 } as const;
type Process = keyof typeof BUDGET_MB;
const PROCESSES = Object.keys(BUDGET_MB) as Process[];

const PENDING = { path: '/pending', type: 'bench.pending' };
const SLOW = { path: '/slow', type: 'bench.large', answerMs: 5_000, bytes: 1_040_000 };
const QUICK = { path: '/quick', type: 'bench.quick' };
const LOOK_EVERY_MS = 1_000;
const CONNECTIONS = 16;
const IDLE_MS = 60_000;

/**
 * Memory of API and worker beside a great backlog that a rate limit holds back, while bodies of 1 MiB are posted for a receiver that
 * takes five seconds to answer, and small ones for a quick one.
 */
export const memoryBench = defineBench({
  name: 'memory',
  summary: 'memory of API and worker with a great backlog, large bodies and a slow receiver',
  options: {
    pending: { default: 1_000_000, min: 1_000, max: 10_000_000, doc: 'deliveries waiting' },
    minutes: { default: 10, min: 1, max: 120, doc: 'how long to look on' },
    large: { default: 5, min: 0, max: 100, doc: 'bodies of 1 MiB posted per second' },
    rate: { default: 20, min: 1, max: 1_000, doc: 'small events posted per second' },
  },
  async run(stage, { pending, minutes, large, rate }) {
    const client = stage.apiClient(1);
    const { facts } = stage.instance;
    const waiting = await stage.endpointAt(client, PENDING.path, PENDING.type, {
      rate_limit: { per_second: 1 },
    });
    await writePendingRows(facts.database_url, waiting.id, pending, (written) =>
      stage.say(`${written} of ${pending} pending rows written`),
    );
    await stage.sink.answer(SLOW.path, { afterMs: SLOW.answerMs });
    await stage.endpointAt(client, SLOW.path, SLOW.type);
    await stage.endpointAt(client, QUICK.path, QUICK.type);

    const samples: Record<Process, number[]> = { api: [], worker: [] };
    const look = (): void =>
      PROCESSES.forEach((name) => samples[name].push(residentMb(facts.processes[name]) ?? Number.NaN));
    const timer = setInterval(look, LOOK_EVERY_MS);
    const seconds = minutes * 60;
    stage.say(`looking on for ${minutes} min`);
    const post = (type: string, perSecond: number, bytes?: number) =>
      stage.generator.openLoop(
        {
          to: client,
          type,
          count: perSecond * seconds,
          connections: CONNECTIONS,
          ...(bytes ? { bytes } : {}),
        },
        perSecond,
      );
    const [quick, slow] = await stage.usage.charge('product', () =>
      Promise.all([post(QUICK.type, rate), post(SLOW.type, large, SLOW.bytes)]),
    );
    clearInterval(timer);

    const quickArrivals = await stage.arrivals(QUICK.path, quick.sent.length, IDLE_MS);
    const slowArrivals = await stage.arrivals(SLOW.path, slow.sent.length, IDLE_MS);
    const quickOutcome = reconcile(quick.sent, quickArrivals.arrivals);
    const slowOutcome = reconcile(slow.sent, slowArrivals.arrivals);
    const outcomes = [quickOutcome, slowOutcome];
    const delivered = outcomes.reduce((sum, one) => sum + one.delivered, 0);
    return {
      results: {
        memory: Object.fromEntries(PROCESSES.map((name) => [name, summary(name, samples[name])])),
        pending_at_end: await countPending(facts.database_url),
        posted: { small: quick.sent.length, large: slow.sent.length },
        delivered,
        lost: outcomes.reduce((sum, one) => sum + one.lost, 0),
        duplicated: outcomes.reduce((sum, one) => sum + one.duplicated, 0),
      },
      bound: { what: 'the budget of each process, in MB', ...BUDGET_MB },
      ratio: Math.max(...PROCESSES.map((name) => round(Math.max(...samples[name]) / BUDGET_MB[name], 3))),
      processes: stage.usage.report('product', delivered),
      faults: [
        ...arrivalFaults(quickOutcome, quickArrivals, quick),
        ...(large > 0 ? arrivalFaults(slowOutcome, slowArrivals, slow) : []),
      ],
    };
  },
});

/** In MB. `by_minute` are medians: alike, where memory is flat. */
function summary(name: Process, samples: readonly number[]): Record<string, number | number[] | boolean> {
  const minute = 60_000 / LOOK_EVERY_MS;
  const minutes = Array.from({ length: Math.ceil(samples.length / minute) }, (_, number) =>
    samples.slice(number * minute, (number + 1) * minute),
  );
  const most = Math.max(...samples);
  return {
    by_minute_mb: minutes.map((all) => round(median(all), 1)),
    most_mb: round(most, 1),
    within_budget: most <= BUDGET_MB[name],
  };
}
