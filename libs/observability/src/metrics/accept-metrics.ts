import { EventCounters } from './event-counters.js';
import { Counter, type MetricRegistry } from './metric-registry.js';

/** What is accepted. */
export class AcceptMetrics {
  private readonly accepted: EventCounters<Counter>;

  /** @param limit tenants and event types that are counted apart */
  constructor(registry: MetricRegistry, limit: number) {
    this.accepted = new EventCounters(limit, () => new Counter());
    registry.counters(
      {
        name: 'hookstream_events_accepted_total',
        help: 'Events accepted, repeated ones not counted.',
        labels: ['tenant', 'event_type'],
      },
      () => this.samples(),
    );
  }

  onAccepted(tenantId: string, eventType: string): void {
    this.accepted.of(tenantId, eventType).value += 1;
  }

  private *samples() {
    for (const { tenant, eventType, counter } of this.accepted.entries())
      yield { labels: [tenant, eventType], value: counter.value };
  }
}
