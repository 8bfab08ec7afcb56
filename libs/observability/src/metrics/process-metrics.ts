import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricRegistry } from './metric-registry.js';

/** Often enough to see a thread that is held up, seldom enough to cost nothing. Milliseconds. */
const LOOP_RESOLUTION_MS = 50;

/** CPU, memory and event loop of this process, under the names that dashboards for Node know. */
export function registerProcessMetrics(registry: MetricRegistry): void {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  const startedAt = Math.round(Date.now() / 1_000 - process.uptime());
  registry.counters(
    { name: 'process_cpu_seconds_total', help: 'CPU time of this process, all threads.' },
    () => {
      const { user, system } = process.cpuUsage();
      return [{ labels: [], value: (user + system) / 1e6 }];
    },
  );
  registry.gauge({ name: 'process_resident_memory_bytes', help: 'Memory of this process.' }, () => [
    { labels: [], value: process.memoryUsage.rss() },
  ]);
  registry.gauge(
    { name: 'process_start_time_seconds', help: 'When this process began, in unix time.' },
    () => [{ labels: [], value: startedAt }],
  );
  registry.gauge(
    { name: 'nodejs_eventloop_lag_p99_seconds', help: 'How late the main thread is, since the last look.' },
    () => {
      const value = Math.max(0, loop.percentile(99) / 1e9 - LOOP_RESOLUTION_MS / 1_000);
      loop.reset();
      return [{ labels: [], value: Number.isFinite(value) ? value : 0 }];
    },
  );
}
