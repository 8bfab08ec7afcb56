import {
  ATTEMPT_OUTCOMES,
  type AttemptDecision,
  type AttemptOutcome,
  type AttemptTrigger,
} from '@hookstream/domain';
import { Counter, Histogram, type Registry } from 'prom-client';
import { BoundedSeries } from './bounded-series.js';

type FinalStatus = Exclude<AttemptDecision['next'], 'retry'>;

/** What is measured of the delivery of an attempt. */
export interface MeasuredDelivery {
  tenantId: string;
  eventType: string;
  /** When it was accepted, or its own time. */
  dueAt: Date;
  /** Until when its endpoint or the limits of that held it back, if they did. */
  heldUntil: Date | null;
  /** Then it may have waited for its turn: for how long is not known. */
  inOrder: boolean;
}

/** What is measured of a recorded attempt. */
export interface MeasuredAttempt {
  number: number;
  trigger: AttemptTrigger;
  outcome: AttemptOutcome;
  decision: AttemptDecision;
  startedAt: Date;
}

const ATTEMPT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const LAG_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];
/** As far as the default schedule goes, and beyond. */
const DELIVERY_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 10_800, 86_400];

/** What attempts come to. */
export class DeliveryMetrics {
  private readonly attempts: Readonly<Record<AttemptOutcome['kind'], Counter.Internal>>;
  private readonly ends: BoundedSeries<Record<FinalStatus, Counter.Internal>>;
  private readonly attemptSeconds: Histogram;
  private readonly deliverySeconds: Histogram;
  private readonly lagSeconds: Histogram;

  /** @param limit tenants and event types that are counted apart */
  constructor(registry: Registry, limit: number) {
    const registers = [registry];
    this.attempts = madeAttempts(registry);
    this.ends = endedDeliveries(registry, limit);
    this.deliverySeconds = new Histogram({
      name: 'hookstream_delivery_duration_seconds',
      help: 'From acceptance, or its own time, to success.',
      buckets: DELIVERY_SECONDS,
      registers,
    });
    this.attemptSeconds = new Histogram({
      name: 'hookstream_attempt_duration_seconds',
      help: 'How long requests took.',
      buckets: ATTEMPT_SECONDS,
      registers,
    });
    this.lagSeconds = new Histogram({
      name: 'hookstream_dispatch_lag_seconds',
      help: 'From when a delivery without an order could go to its first attempt.',
      buckets: LAG_SECONDS,
      registers,
    });
  }

  onAttempt(
    { tenantId, eventType, dueAt, heldUntil, inOrder }: MeasuredDelivery,
    attempt: MeasuredAttempt,
  ): void {
    const { outcome, trigger } = attempt;
    const { next } = attempt.decision;
    this.attempts[outcome.kind].inc();
    this.attemptSeconds.observe(outcome.durationMs / 1_000);
    // somebody's look at an endpoint delivers nothing
    if (trigger === 'test') return;
    const waitedMs = msBetween(dueAt, attempt.startedAt);
    if (attempt.number === 1 && !inOrder) {
      const lagMs =
        heldUntil === null ? waitedMs : Math.min(waitedMs, msBetween(heldUntil, attempt.startedAt));
      this.lagSeconds.observe(lagMs / 1_000);
    }
    if (next === 'retry') return;
    this.ends.of(tenantId, eventType)[next].inc();
    if (next === 'succeeded') this.deliverySeconds.observe((waitedMs + outcome.durationMs) / 1_000);
  }
}

/** Clocks of two machines may differ by more than it took. */
function msBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime());
}

/** From the beginning: what appears with 1 has not grown, as far as Prometheus can tell. */
function madeAttempts(registry: Registry): Record<AttemptOutcome['kind'], Counter.Internal> {
  const made = new Counter({
    name: 'hookstream_attempts_total',
    help: 'Requests made, by outcome.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const begun = ATTEMPT_OUTCOMES.map((outcome) => [outcome, begin(made.labels(outcome))] as const);
  return Object.fromEntries(begun) as Record<AttemptOutcome['kind'], Counter.Internal>;
}

function begin(series: Counter.Internal): Counter.Internal {
  series.inc(0);
  return series;
}

/** Each pair has all of its statuses from the first end on. */
function endedDeliveries(
  registry: Registry,
  limit: number,
): BoundedSeries<Record<FinalStatus, Counter.Internal>> {
  const ended = new Counter({
    name: 'hookstream_deliveries_total',
    help: 'Deliveries that an attempt ended, by how.',
    labelNames: ['tenant', 'event_type', 'status'],
    registers: [registry],
  });
  return new BoundedSeries(limit, (tenant, eventType) => {
    const begun = (status: FinalStatus) => begin(ended.labels(tenant, eventType, status));
    return {
      succeeded: begun('succeeded'),
      dead_letter: begun('dead_letter'),
      cancelled: begun('cancelled'),
    };
  });
}
