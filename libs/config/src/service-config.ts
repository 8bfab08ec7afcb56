import { DATABASE_SETTINGS, databaseConfig, type DatabaseConfig } from './database-config.js';
import type { SettingValues } from './load-config.js';
import { TEMPORAL_SETTINGS, temporalConfig, type TemporalConfig } from './temporal-config.js';
import { TRACES_SETTINGS, tracesConfig, type TracesConfig } from './traces-config.js';

export interface MetricsConfig {
  /** Absent: no token is asked for. */
  token?: string;
  maxSeries: number;
}

/** What the API and the worker share. */
export interface ServiceConfig {
  database: DatabaseConfig;
  temporal: TemporalConfig;
  encryptionKeys: string[];
  logLevel: string;
  metrics: MetricsConfig;
  /** Absent: no traces. */
  traces?: TracesConfig;
  shutdownGraceMs: number;
}

export const SERVICE_SETTINGS = [
  ...DATABASE_SETTINGS,
  ...TEMPORAL_SETTINGS,
  'HOOKSTREAM_ENCRYPTION_KEY',
  'HOOKSTREAM_LOG_LEVEL',
  'HOOKSTREAM_METRICS_TOKEN',
  'HOOKSTREAM_METRICS_MAX_SERIES',
  ...TRACES_SETTINGS,
  'HOOKSTREAM_SHUTDOWN_GRACE_MS',
] as const;

/** @throws ConfigError for what is wrong between settings */
export function serviceConfig(s: Pick<SettingValues, (typeof SERVICE_SETTINGS)[number]>): ServiceConfig {
  const traces = tracesConfig(s);
  return {
    database: databaseConfig(s),
    temporal: temporalConfig(s),
    encryptionKeys: s.HOOKSTREAM_ENCRYPTION_KEY,
    logLevel: s.HOOKSTREAM_LOG_LEVEL,
    metrics: {
      maxSeries: s.HOOKSTREAM_METRICS_MAX_SERIES,
      ...(s.HOOKSTREAM_METRICS_TOKEN === undefined ? {} : { token: s.HOOKSTREAM_METRICS_TOKEN }),
    },
    ...(traces === undefined ? {} : { traces }),
    shutdownGraceMs: s.HOOKSTREAM_SHUTDOWN_GRACE_MS,
  };
}
