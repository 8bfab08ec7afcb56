import { Gauge, type Registry } from 'prom-client';

/** What a gauge has without labels, or what it has by the values of its labels, in their order. */
type Reading = number | [labels: string[], value: number][];

interface GaugeHead {
  name: string;
  help: string;
  labelNames?: string[];
}

/** What the database says of the whole installation, the same from every process. */
export interface InstallationGauges {
  /** Deliveries that wait, by tenant; what is beyond the bound stands under `other`. */
  queueDepths: { tenantId: string; waiting: number }[];
  oldestPendingSeconds: number;
  circuits: { endpointId: string; state: 'closed' | 'half_open' | 'open' }[];
  workers: number;
  /** Whole days from now for which there are partitions. */
  partitionsAheadDays: number;
}

const CIRCUIT_VALUE = { closed: 0, half_open: 1, open: 2 } as const;
const DAY_SECONDS = 86_400;
/** The younger of two scrapers sees what the other asked for. Milliseconds. */
const KEEP_MS = 5_000;
/** Asking takes at most one part in twenty of the time, however long it takes. */
const REST_FACTOR = 19;

/** Registers the gauges that are read from the database when somebody looks, and not more often than they are worth. */
export function registerInstallationMetrics(
  registry: Registry,
  read: () => Promise<InstallationGauges>,
): void {
  const kept = keep(read);
  const gauge = (head: GaugeHead, reading: (gauges: InstallationGauges) => Reading): void =>
    registerGauge(registry, head, async () => reading(await kept()));
  gauge(
    { name: 'hookstream_queue_depth', help: 'Deliveries that wait in the outbox.', labelNames: ['tenant'] },
    ({ queueDepths }) => queueDepths.map(({ tenantId, waiting }) => [[tenantId], waiting]),
  );
  gauge(
    {
      name: 'hookstream_oldest_pending_seconds',
      help: 'How long the delivery that waits longest could have gone.',
    },
    ({ oldestPendingSeconds }) => oldestPendingSeconds,
  );
  gauge(
    {
      name: 'hookstream_circuit_breaker_state',
      help: 'Circuit of an endpoint: 0 closed, 1 half open, 2 open.',
      labelNames: ['endpoint'],
    },
    ({ circuits }) => circuits.map(({ endpointId, state }) => [[endpointId], CIRCUIT_VALUE[state]]),
  );
  gauge(
    { name: 'hookstream_workers', help: 'Workers that told of themselves of late.' },
    ({ workers }) => workers,
  );
  gauge(
    {
      name: 'hookstream_partitions_ahead_seconds',
      help: 'How far ahead there are partitions, by whole days.',
    },
    ({ partitionsAheadDays }) => partitionsAheadDays * DAY_SECONDS,
  );
}

/** Registers whether this process is ready, as its health tells it. */
export function registerReadiness(registry: Registry, ready: () => boolean | Promise<boolean>): void {
  registerGauge(
    registry,
    { name: 'hookstream_ready', help: 'Whether this process is ready: 1 or 0.' },
    async () => ((await ready()) ? 1 : 0),
  );
}

/** A gauge that is read when somebody looks. What cannot be read now is absent: a stale number would look like a fresh one. */
function registerGauge(registry: Registry, head: GaugeHead, read: () => Promise<Reading>): void {
  const gauge = new Gauge({
    ...head,
    registers: [registry],
    async collect() {
      const reading = await read().catch((): Reading => []);
      gauge.reset();
      if (typeof reading === 'number') gauge.set(reading);
      // without labels, nothing read would be shown as 0
      else if (head.labelNames === undefined) gauge.remove();
      else for (const [labels, value] of reading) gauge.labels(...labels).set(value);
    },
  });
}

function keep(read: () => Promise<InstallationGauges>): () => Promise<InstallationGauges> {
  let current: Promise<InstallationGauges> | undefined;
  let askAgainAt = -Infinity;
  return () => {
    const began = performance.now();
    if (current !== undefined && began < askAgainAt) return current;
    askAgainAt = Infinity;
    current = read().finally(() => {
      const now = performance.now();
      askAgainAt = now + Math.max(KEEP_MS, (now - began) * REST_FACTOR);
    });
    return current;
  };
}
