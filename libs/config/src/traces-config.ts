import type { SettingValues } from './load-config.js';
import type { TraceSampler } from './settings/settings.js';

export interface TracesConfig {
  /** Of the traces themselves, path included. */
  url: string;
  /** Secret. */
  headers: Record<string, string>;
  sampler: TraceSampler;
  /** For the samplers by ratio, from 0 to 1. */
  ratio: number;
  /** Absent: each process has a name of its own. */
  serviceName?: string;
  resourceAttributes: Record<string, string>;
}

export const TRACES_SETTINGS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_TRACES_EXPORTER',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
] as const;

/** @returns undefined: no traces */
export function tracesConfig(
  s: Pick<SettingValues, (typeof TRACES_SETTINGS)[number]>,
): TracesConfig | undefined {
  const base = s.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (base === undefined || s.OTEL_TRACES_EXPORTER === 'none') return undefined;
  return {
    url: `${base.replace(/\/+$/, '')}/v1/traces`,
    headers: s.OTEL_EXPORTER_OTLP_HEADERS,
    sampler: s.OTEL_TRACES_SAMPLER,
    ratio: s.OTEL_TRACES_SAMPLER_ARG,
    ...(s.OTEL_SERVICE_NAME === undefined ? {} : { serviceName: s.OTEL_SERVICE_NAME }),
    resourceAttributes: s.OTEL_RESOURCE_ATTRIBUTES,
  };
}
