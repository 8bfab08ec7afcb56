import { collectDefaultMetrics, type Registry } from 'prom-client';

/** CPU, memory, garbage collection and event loop of this process, under the names that dashboards for Node know. */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}
