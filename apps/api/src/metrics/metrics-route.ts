import type { FastifyInstance } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ApiConfig } from '@hookstream/config';
import { DomainError } from '@hookstream/domain';
import {
  METRICS_CONTENT_TYPE,
  MetricRegistry,
  metricsGuard,
  registerInstallationMetrics,
  registerProcessMetrics,
  registerReadiness,
} from '@hookstream/observability';
import { GaugesRepository } from '@hookstream/persistence';
import { HealthService } from '../health/health.service.js';
import { API_CONFIG } from '../platform/tokens.js';

/** Where scrapers look, and where the rest of the API is. */
const PATHS = ['/metrics', '/api/v1/metrics'];

/** Serves what this process measures, as Prometheus reads it. */
export function registerMetrics(fastify: FastifyInstance, app: NestFastifyApplication): void {
  const registry = app.get<MetricRegistry>(MetricRegistry, { strict: false });
  const gauges = app.get(GaugesRepository, { strict: false });
  const health = app.get(HealthService, { strict: false });
  const { metrics } = app.get<ApiConfig>(API_CONFIG, { strict: false });
  const allowed = metricsGuard(metrics.token);
  registerInstallationMetrics(registry, () => gauges.read(metrics.maxSeries));
  registerReadiness(registry, async () => ['ok', 'degraded'].includes((await health.check()).status));
  registerProcessMetrics(registry);
  for (const path of PATHS) {
    fastify.get(path, async (request, reply) => {
      if (!allowed(request.headers.authorization))
        throw new DomainError('unauthorized', 'The metrics ask for the token of HOOKSTREAM_METRICS_TOKEN.');
      return reply
        .type(METRICS_CONTENT_TYPE)
        .header('cache-control', 'no-store')
        .send(await registry.metrics());
    });
  }
}
