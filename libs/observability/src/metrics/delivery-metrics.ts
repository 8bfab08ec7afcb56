import {
  ATTEMPT_OUTCOMES,
  type AttemptDecision,
  type AttemptOutcome,
  type AttemptOutcomeKind,
  type AttemptTrigger,
} from '@hookstream/domain';
import { EventCounters } from './event-counters.js';
import { Counter, type Histogram, type MetricRegistry } from './metric-registry.js';

type FinalStatus = Exclude<AttemptDecision['next'], 'retry'>;
type Ends = Record<FinalStatus, Counter>;

/** What is measured of the delivery of an attempt. */
export interface MeasuredDelivery {
  tenantId: string;
  eventType: string;
  /** Since when it could have gone. */
  dueAt: Date;
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

/** What attempts come to. One attempt costs two counters and up to three histograms, and allocates nothing. */
export class DeliveryMetrics {
  private readonly attempts: Record<AttemptOutcomeKind, Counter>;
  private readonly ends: EventCounters<Ends>;
  private readonly attemptSeconds: Histogram;
  private readonly deliverySeconds: Histogram;
  private readonly lagSeconds: Histogram;

  /** @param limit tenants and event types that are counted apart */
  constructor(registry: MetricRegistry, limit: number) {
    this.attempts = Object.fromEntries(ATTEMPT_OUTCOMES.map((outcome) => [outcome, new Counter()])) as Record<
      AttemptOutcomeKind,
      Counter
    >;
    registry.counters(
      { name: 'hookstream_attempts_total', help: 'Requests made, by outcome.', labels: ['outcome'] },
      () => ATTEMPT_OUTCOMES.map((outcome) => ({ labels: [outcome], value: this.attempts[outcome].value })),
    );
    this.ends = new EventCounters(limit, () => ({
      succeeded: new Counter(),
      dead_letter: new Counter(),
      cancelled: new Counter(),
    }));
    registry.counters(
      {
        name: 'hookstream_deliveries_total',
        help: 'Deliveries that an attempt ended, by how.',
        labels: ['tenant', 'event_type', 'status'],
      },
      () => [...this.endedDeliveries()],
    );
    this.deliverySeconds = registry.histogram(
      { name: 'hookstream_delivery_duration_seconds', help: 'From acceptance, or its own time, to success.' },
      DELIVERY_SECONDS,
    );
    this.attemptSeconds = registry.histogram(
      { name: 'hookstream_attempt_duration_seconds', help: 'How long requests took.' },
      ATTEMPT_SECONDS,
    );
    this.lagSeconds = registry.histogram(
      { name: 'hookstream_dispatch_lag_seconds', help: 'From when a delivery was due to its first attempt.' },
      LAG_SECONDS,
    );
  }

  onAttempt({ tenantId, eventType, dueAt }: MeasuredDelivery, attempt: MeasuredAttempt): void {
    const { outcome, trigger } = attempt;
    const { next } = attempt.decision;
    this.attempts[outcome.kind].value += 1;
    this.attemptSeconds.observe(outcome.durationMs / 1_000);
    // somebody's look at an endpoint delivers nothing
    if (trigger === 'test') return;
    // clocks of two machines may differ by more than it took
    const lagMs = Math.max(0, attempt.startedAt.getTime() - dueAt.getTime());
    if (attempt.number === 1) this.lagSeconds.observe(lagMs / 1_000);
    if (next === 'retry') return;
    this.ends.of(tenantId, eventType)[next].value += 1;
    if (next === 'succeeded') this.deliverySeconds.observe((lagMs + outcome.durationMs) / 1_000);
  }

  private *endedDeliveries() {
    for (const { tenant, eventType, counter } of this.ends.entries())
      for (const [status, { value }] of Object.entries(counter))
        yield { labels: [tenant, eventType, status], value };
  }
}
