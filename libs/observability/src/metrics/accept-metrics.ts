import { Counter, type Registry } from 'prom-client';
import { BoundedSeries } from './bounded-series.js';

/** What is accepted. */
export class AcceptMetrics {
  private readonly accepted: BoundedSeries<Counter.Internal>;

  /** @param limit tenants and event types that are counted apart */
  constructor(registry: Registry, limit: number) {
    const accepted = new Counter({
      name: 'hookstream_events_accepted_total',
      help: 'Events accepted, repeated ones not counted.',
      labelNames: ['tenant', 'event_type'],
      registers: [registry],
    });
    this.accepted = new BoundedSeries(limit, (tenant, type) => accepted.labels(tenant, type));
  }

  onAccepted(tenantId: string, eventType: string): void {
    this.accepted.of(tenantId, eventType).inc();
  }
}
