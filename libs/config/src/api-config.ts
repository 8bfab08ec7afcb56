import { DAY_MS, HOUR_MS, type Lane } from '@hookstream/domain';
import { ENDPOINT_URLS_SETTINGS, endpointUrlsConfig, type EndpointUrlsConfig } from './egress-config.js';
import { ConfigError, readSettings } from './load-config.js';
import { SERVICE_SETTINGS, serviceConfig, type ServiceConfig } from './service-config.js';

export interface ApiConfig extends ServiceConfig {
  host: string;
  port: number;
  adminToken: string;
  endpointUrls: EndpointUrlsConfig;
  accept: {
    maxBodyBytes: number;
    batchSize: number;
    queueLimit: number;
    maxDeliverAheadMs: number;
    idempotencyTtlMs: number;
    defaultLane: Lane;
  };
  /** For tenants without limits of their own. Null: none. */
  tenantLimits: {
    eventsPerSecond: number | null;
    burst: number | null;
    maxPending: number | null;
    pendingCountIntervalMs: number;
  };
  /** Payloads live this long, so a delivery cannot be replayed after it. */
  retentionMs: number;
  readinessLagMs: number;
}

const API_SETTINGS = [
  ...SERVICE_SETTINGS,
  'HOOKSTREAM_HOST',
  'HOOKSTREAM_PORT',
  'HOOKSTREAM_READINESS_LAG_MS',
  'HOOKSTREAM_ADMIN_TOKEN',
  ...ENDPOINT_URLS_SETTINGS,
  'HOOKSTREAM_RETENTION_DAYS',
  'HOOKSTREAM_MAX_BODY_BYTES',
  'HOOKSTREAM_ACCEPT_BATCH_SIZE',
  'HOOKSTREAM_ACCEPT_QUEUE_LIMIT',
  'HOOKSTREAM_MAX_DELIVER_AHEAD_DAYS',
  'HOOKSTREAM_IDEMPOTENCY_TTL_HOURS',
  'HOOKSTREAM_DEFAULT_LANE',
  'HOOKSTREAM_TENANT_EVENTS_PER_SECOND',
  'HOOKSTREAM_TENANT_BURST',
  'HOOKSTREAM_TENANT_MAX_PENDING',
  'HOOKSTREAM_PENDING_COUNT_INTERVAL_MS',
] as const;

/** @throws ConfigError with every problem at once. */
export function loadApiConfig(env: NodeJS.ProcessEnv = process.env): ApiConfig {
  const s = readSettings(env, API_SETTINGS);
  if (s.HOOKSTREAM_MAX_DELIVER_AHEAD_DAYS >= s.HOOKSTREAM_RETENTION_DAYS) {
    throw new ConfigError([
      {
        setting: 'HOOKSTREAM_MAX_DELIVER_AHEAD_DAYS',
        message: 'must be less than HOOKSTREAM_RETENTION_DAYS',
      },
    ]);
  }
  return {
    ...serviceConfig(s),
    host: s.HOOKSTREAM_HOST,
    port: s.HOOKSTREAM_PORT,
    adminToken: s.HOOKSTREAM_ADMIN_TOKEN,
    endpointUrls: endpointUrlsConfig(s),
    accept: {
      maxBodyBytes: s.HOOKSTREAM_MAX_BODY_BYTES,
      batchSize: s.HOOKSTREAM_ACCEPT_BATCH_SIZE,
      queueLimit: s.HOOKSTREAM_ACCEPT_QUEUE_LIMIT,
      maxDeliverAheadMs: s.HOOKSTREAM_MAX_DELIVER_AHEAD_DAYS * DAY_MS,
      idempotencyTtlMs: s.HOOKSTREAM_IDEMPOTENCY_TTL_HOURS * HOUR_MS,
      defaultLane: s.HOOKSTREAM_DEFAULT_LANE,
    },
    tenantLimits: {
      eventsPerSecond: s.HOOKSTREAM_TENANT_EVENTS_PER_SECOND || null,
      burst: s.HOOKSTREAM_TENANT_BURST || null,
      maxPending: s.HOOKSTREAM_TENANT_MAX_PENDING || null,
      pendingCountIntervalMs: s.HOOKSTREAM_PENDING_COUNT_INTERVAL_MS,
    },
    retentionMs: s.HOOKSTREAM_RETENTION_DAYS * DAY_MS,
    readinessLagMs: s.HOOKSTREAM_READINESS_LAG_MS,
  };
}
