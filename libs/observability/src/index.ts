export { Registry as MetricRegistry } from 'prom-client';
export * from './logger.js';
export { AcceptMetrics } from './metrics/accept-metrics.js';
export { DeliveryMetrics, type MeasuredAttempt, type MeasuredDelivery } from './metrics/delivery-metrics.js';
export {
  registerInstallationMetrics,
  registerReadiness,
  type InstallationGauges,
} from './metrics/installation-metrics.js';
export { metricsGuard, METRICS_CONTENT_TYPE, pageOf } from './metrics/metrics-page.js';
export { registerProcessMetrics } from './metrics/process-metrics.js';
export { callerSampled, spanIdOf, traceIdOf } from './traces/trace-context.js';
export { receivedTrace, SEND_REST_WITHIN_MS, type ReceivedTrace, type Tracing } from './traces/tracing.js';
export { startTracing } from './traces/start-tracing.js';
