import type { Logger } from '../logger.js';
import type { Tracing, TracingOptions } from './tracing.js';

/**
 * OpenTelemetry's SDK is loaded here and nowhere else, so that a process without traces never has it.
 * @param options absent: no traces
 */
export async function startTracing(
  options: TracingOptions | undefined,
  process: { serviceName: string; logger: Logger },
): Promise<Tracing | undefined> {
  if (options === undefined) return undefined;
  const { OtlpTracing } = await import('./otlp-tracing.js');
  const serviceName =
    options.serviceName ?? options.resourceAttributes['service.name'] ?? process.serviceName;
  return new OtlpTracing({ ...options, serviceName }, process.logger);
}
