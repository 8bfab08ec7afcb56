import {
  pageOf,
  registerInstallationMetrics,
  registerProcessMetrics,
  registerReadiness,
  type MetricRegistry,
} from '@hookstream/observability';
import type { HookstreamWorker } from '../worker.js';

/** All that a worker measures, with what Temporal's SDK measures in it. */
export function metricsPage(
  registry: MetricRegistry,
  worker: HookstreamWorker,
  sdkMetricsUrl: string | undefined,
): () => Promise<string> {
  registerInstallationMetrics(registry, () => worker.readGauges());
  registerReadiness(registry, () => worker.notReadyBecause() === undefined);
  registerProcessMetrics(registry);
  return async () =>
    (await registry.metrics()) + (sdkMetricsUrl === undefined ? '' : await pageOf(sdkMetricsUrl));
}
