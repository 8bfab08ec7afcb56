export * from './logger.js';
export { AcceptMetrics } from './metrics/accept-metrics.js';
export { DeliveryMetrics, type MeasuredAttempt, type MeasuredDelivery } from './metrics/delivery-metrics.js';
export { OTHER } from './metrics/event-counters.js';
export {
  registerInstallationMetrics,
  registerReadiness,
  type InstallationGauges,
} from './metrics/installation-metrics.js';
export { MetricRegistry } from './metrics/metric-registry.js';
export { metricsGuard, METRICS_CONTENT_TYPE, pageOf } from './metrics/metrics-page.js';
export { registerProcessMetrics } from './metrics/process-metrics.js';
