import { DAY_MS } from '@hookstream/domain';
import { readSettings, type SettingValues } from './load-config.js';

export interface RetentionConfig {
  retentionMs: number;
  auditRetentionMs: number;
  partitionsAheadMs: number;
  maintenanceIntervalMs: number;
}

export const RETENTION_SETTINGS = [
  'HOOKSTREAM_RETENTION_DAYS',
  'HOOKSTREAM_AUDIT_RETENTION_DAYS',
  'HOOKSTREAM_PARTITIONS_AHEAD_DAYS',
  'HOOKSTREAM_MAINTENANCE_INTERVAL_MS',
] as const;

export function retentionConfig(
  s: Pick<SettingValues, (typeof RETENTION_SETTINGS)[number]>,
): RetentionConfig {
  return {
    retentionMs: s.HOOKSTREAM_RETENTION_DAYS * DAY_MS,
    auditRetentionMs: s.HOOKSTREAM_AUDIT_RETENTION_DAYS * DAY_MS,
    partitionsAheadMs: s.HOOKSTREAM_PARTITIONS_AHEAD_DAYS * DAY_MS,
    maintenanceIntervalMs: s.HOOKSTREAM_MAINTENANCE_INTERVAL_MS,
  };
}

/** How long things are kept. @throws ConfigError with every problem at once. */
export function loadRetentionConfig(env: NodeJS.ProcessEnv = process.env): RetentionConfig {
  return retentionConfig(readSettings(env, RETENTION_SETTINGS));
}
