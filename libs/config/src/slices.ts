import type { Lane } from '@hookstream/domain';
import { ConfigError, readSettings, type SettingValues } from './load-config.js';
import { TRACES_SETTINGS, tracesConfig, type TracesConfig } from './traces-config.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export interface DatabaseConfig {
  url: string;
  poolSize: number;
}

/** Files are read when a connection is made. */
export interface TemporalTlsConfig {
  serverCaFile?: string;
  serverName?: string;
  client?: { certFile: string; keyFile: string };
}

export interface TemporalConfig {
  address: string;
  /** Absent: no TLS. */
  tls?: TemporalTlsConfig;
  apiKey?: string;
  namespace: string;
  retentionMs: number;
  uiUrl: string;
}

export interface EgressConfig {
  allowCidrs: string[];
  schemes: string[];
  /** Empty: any. */
  ports: number[];
  proxyUrl?: string;
  connectTimeoutMs: number;
  maxConnections: number;
  maxConnectionsPerOrigin: number;
  responseLimitBytes: number;
}

export interface RetentionConfig {
  retentionMs: number;
  auditRetentionMs: number;
  partitionsAheadMs: number;
  maintenanceIntervalMs: number;
}

export interface MetricsConfig {
  /** Absent: no token is asked for. */
  token?: string;
  maxSeries: number;
}

export interface ApiConfig {
  metrics: MetricsConfig;
  /** Absent: no traces. */
  traces?: TracesConfig;
  host: string;
  port: number;
  adminToken: string;
  encryptionKeys: string[];
  logLevel: string;
  database: DatabaseConfig;
  temporal: TemporalConfig;
  endpointUrls: Pick<EgressConfig, 'schemes' | 'ports'>;
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
  shutdownGraceMs: number;
}

export interface WorkerConfig {
  metrics: MetricsConfig;
  /** Absent: no traces. */
  traces?: TracesConfig;
  /** Where orchestrators ask for its health. */
  health?: { host: string; port: number };
  encryptionKeys: string[];
  logLevel: string;
  database: DatabaseConfig;
  temporal: TemporalConfig;
  egress: EgressConfig;
  retention: RetentionConfig;
  retryAfterCapMs: number;
  maxConcurrentAttempts: number;
  express: { maxAttempts: number };
  auto: { maxLagMs: number };
  dispatch: {
    batchSize: number;
    concurrency: number;
    pollMs: number;
    leaseMs: number;
    reconcileAfterMs: number;
    pace: { slowMs: number; untimedInFlight: number };
  };
  replay: { pageSize: number; waitingMax: number };
  shutdownGraceMs: number;
}

export interface UpkeepConfig {
  database: DatabaseConfig;
  encryptionKeys: string[];
  retention: RetentionConfig;
}

const TEMPORAL_SETTINGS = [
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS',
  'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
  'TEMPORAL_TLS_SERVER_NAME',
  'TEMPORAL_TLS_CLIENT_CERT_PATH',
  'TEMPORAL_TLS_CLIENT_KEY_PATH',
  'HOOKSTREAM_TEMPORAL_RETENTION_HOURS',
  'HOOKSTREAM_TEMPORAL_UI_URL',
] as const;

const RETENTION_SETTINGS = [
  'HOOKSTREAM_RETENTION_DAYS',
  'HOOKSTREAM_AUDIT_RETENTION_DAYS',
  'HOOKSTREAM_PARTITIONS_AHEAD_DAYS',
  'HOOKSTREAM_MAINTENANCE_INTERVAL_MS',
] as const;

const CONNECTION_SETTINGS = [
  'DATABASE_URL',
  'HOOKSTREAM_DATABASE_POOL_SIZE',
  ...TEMPORAL_SETTINGS,
  'HOOKSTREAM_ENCRYPTION_KEY',
  'HOOKSTREAM_EGRESS_SCHEMES',
  'HOOKSTREAM_EGRESS_PORTS',
  'HOOKSTREAM_RETENTION_DAYS',
  'HOOKSTREAM_SHUTDOWN_GRACE_MS',
  'HOOKSTREAM_LOG_LEVEL',
  'HOOKSTREAM_METRICS_TOKEN',
  'HOOKSTREAM_METRICS_MAX_SERIES',
  ...TRACES_SETTINGS,
] as const;

const API_SETTINGS = [
  ...CONNECTION_SETTINGS,
  'HOOKSTREAM_HOST',
  'HOOKSTREAM_PORT',
  'HOOKSTREAM_READINESS_LAG_MS',
  'HOOKSTREAM_ADMIN_TOKEN',
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

const WORKER_SETTINGS = [
  ...CONNECTION_SETTINGS,
  'HOOKSTREAM_HOST',
  'HOOKSTREAM_WORKER_PORT',
  'HOOKSTREAM_EGRESS_ALLOW_CIDRS',
  'HOOKSTREAM_EGRESS_PROXY_URL',
  'HOOKSTREAM_EGRESS_CONNECT_TIMEOUT_MS',
  'HOOKSTREAM_EGRESS_MAX_CONNECTIONS',
  'HOOKSTREAM_EGRESS_MAX_CONNECTIONS_PER_ORIGIN',
  'HOOKSTREAM_EGRESS_RESPONSE_LIMIT_BYTES',
  'HOOKSTREAM_RETRY_AFTER_CAP_MS',
  'HOOKSTREAM_MAX_CONCURRENT_ATTEMPTS',
  'HOOKSTREAM_EXPRESS_MAX_ATTEMPTS',
  'HOOKSTREAM_AUTO_MAX_LAG_MS',
  'HOOKSTREAM_DISPATCH_BATCH_SIZE',
  'HOOKSTREAM_DISPATCH_CONCURRENCY',
  'HOOKSTREAM_DISPATCH_POLL_MS',
  'HOOKSTREAM_DISPATCH_LEASE_MS',
  'HOOKSTREAM_DISPATCH_SLOW_ANSWER_MS',
  'HOOKSTREAM_DISPATCH_UNTIMED_IN_FLIGHT',
  'HOOKSTREAM_RECONCILE_AFTER_MS',
  'HOOKSTREAM_REPLAY_PAGE_SIZE',
  'HOOKSTREAM_REPLAY_WAITING_MAX',
  ...RETENTION_SETTINGS,
] as const;

type Connections = ReturnType<typeof readSettings<(typeof CONNECTION_SETTINGS)[number]>>;

function connections(s: Connections): {
  database: DatabaseConfig;
  temporal: TemporalConfig;
  metrics: MetricsConfig;
  traces?: TracesConfig;
} {
  const traces = tracesConfig(s);
  return {
    ...(traces === undefined ? {} : { traces }),
    metrics: {
      maxSeries: s.HOOKSTREAM_METRICS_MAX_SERIES,
      ...(s.HOOKSTREAM_METRICS_TOKEN === undefined ? {} : { token: s.HOOKSTREAM_METRICS_TOKEN }),
    },
    database: { url: s.DATABASE_URL, poolSize: s.HOOKSTREAM_DATABASE_POOL_SIZE },
    temporal: temporalConfig(s),
  };
}

type TemporalSettings = Pick<SettingValues, (typeof TEMPORAL_SETTINGS)[number]>;

function temporalConfig(s: TemporalSettings): TemporalConfig {
  const tls = temporalTls(s);
  return {
    address: s.TEMPORAL_ADDRESS,
    ...(tls === undefined ? {} : { tls }),
    ...(s.TEMPORAL_API_KEY === undefined ? {} : { apiKey: s.TEMPORAL_API_KEY }),
    namespace: s.TEMPORAL_NAMESPACE,
    retentionMs: s.HOOKSTREAM_TEMPORAL_RETENTION_HOURS * HOUR_MS,
    uiUrl: s.HOOKSTREAM_TEMPORAL_UI_URL.replace(/\/$/, ''),
  };
}

/** @throws ConfigError for what would be half a connection, or a secret sent in clear */
function temporalTls(s: TemporalSettings): TemporalTlsConfig | undefined {
  const certFile = s.TEMPORAL_TLS_CLIENT_CERT_PATH;
  const keyFile = s.TEMPORAL_TLS_CLIENT_KEY_PATH;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const setting = certFile === undefined ? 'TEMPORAL_TLS_CLIENT_CERT_PATH' : 'TEMPORAL_TLS_CLIENT_KEY_PATH';
    throw new ConfigError([{ setting, message: 'is required: a certificate and its key go together' }]);
  }
  const tls: TemporalTlsConfig = {
    ...(s.TEMPORAL_TLS_SERVER_CA_CERT_PATH === undefined
      ? {}
      : { serverCaFile: s.TEMPORAL_TLS_SERVER_CA_CERT_PATH }),
    ...(s.TEMPORAL_TLS_SERVER_NAME === undefined ? {} : { serverName: s.TEMPORAL_TLS_SERVER_NAME }),
    ...(certFile === undefined || keyFile === undefined ? {} : { client: { certFile, keyFile } }),
  };
  const implied = Object.keys(tls).length > 0 || s.TEMPORAL_API_KEY !== undefined;
  if (s.TEMPORAL_TLS === 'false' && implied) {
    throw new ConfigError([
      {
        setting: 'TEMPORAL_TLS',
        message: 'must not be false where an API key or another TEMPORAL_TLS_* is set',
      },
    ]);
  }
  return implied || s.TEMPORAL_TLS === 'true' ? tls : undefined;
}

function retentionConfig(s: Pick<SettingValues, (typeof RETENTION_SETTINGS)[number]>): RetentionConfig {
  return {
    retentionMs: s.HOOKSTREAM_RETENTION_DAYS * DAY_MS,
    auditRetentionMs: s.HOOKSTREAM_AUDIT_RETENTION_DAYS * DAY_MS,
    partitionsAheadMs: s.HOOKSTREAM_PARTITIONS_AHEAD_DAYS * DAY_MS,
    maintenanceIntervalMs: s.HOOKSTREAM_MAINTENANCE_INTERVAL_MS,
  };
}

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
    ...connections(s),
    host: s.HOOKSTREAM_HOST,
    port: s.HOOKSTREAM_PORT,
    adminToken: s.HOOKSTREAM_ADMIN_TOKEN,
    encryptionKeys: s.HOOKSTREAM_ENCRYPTION_KEY,
    logLevel: s.HOOKSTREAM_LOG_LEVEL,
    endpointUrls: { schemes: s.HOOKSTREAM_EGRESS_SCHEMES, ports: s.HOOKSTREAM_EGRESS_PORTS.map(Number) },
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
    shutdownGraceMs: s.HOOKSTREAM_SHUTDOWN_GRACE_MS,
  };
}

/** Only where Postgres is. @throws ConfigError with every problem at once. */
export function loadDatabaseConfig(env: NodeJS.ProcessEnv = process.env): DatabaseConfig {
  const s = readSettings(env, ['DATABASE_URL', 'HOOKSTREAM_DATABASE_POOL_SIZE']);
  return { url: s.DATABASE_URL, poolSize: s.HOOKSTREAM_DATABASE_POOL_SIZE };
}

/** Only where Temporal is. @throws ConfigError with every problem at once. */
export function loadTemporalConfig(env: NodeJS.ProcessEnv = process.env): TemporalConfig {
  return temporalConfig(readSettings(env, TEMPORAL_SETTINGS));
}

/** How long things are kept. @throws ConfigError with every problem at once. */
export function loadRetentionConfig(env: NodeJS.ProcessEnv = process.env): RetentionConfig {
  return retentionConfig(readSettings(env, RETENTION_SETTINGS));
}

/** What upkeep of the database needs. @throws ConfigError with every problem at once. */
export function loadUpkeepConfig(env: NodeJS.ProcessEnv = process.env): UpkeepConfig {
  const s = readSettings(env, [
    'DATABASE_URL',
    'HOOKSTREAM_DATABASE_POOL_SIZE',
    'HOOKSTREAM_ENCRYPTION_KEY',
    ...RETENTION_SETTINGS,
  ]);
  return {
    database: { url: s.DATABASE_URL, poolSize: s.HOOKSTREAM_DATABASE_POOL_SIZE },
    encryptionKeys: s.HOOKSTREAM_ENCRYPTION_KEY,
    retention: retentionConfig(s),
  };
}

/** @throws ConfigError with every problem at once. */
export function loadWorkerConfig(env: NodeJS.ProcessEnv = process.env): WorkerConfig {
  const s = readSettings(env, WORKER_SETTINGS);
  return {
    ...connections(s),
    ...(s.HOOKSTREAM_WORKER_PORT === undefined
      ? {}
      : { health: { host: s.HOOKSTREAM_HOST, port: s.HOOKSTREAM_WORKER_PORT } }),
    encryptionKeys: s.HOOKSTREAM_ENCRYPTION_KEY,
    logLevel: s.HOOKSTREAM_LOG_LEVEL,
    egress: {
      allowCidrs: s.HOOKSTREAM_EGRESS_ALLOW_CIDRS,
      schemes: s.HOOKSTREAM_EGRESS_SCHEMES,
      ports: s.HOOKSTREAM_EGRESS_PORTS.map(Number),
      ...(s.HOOKSTREAM_EGRESS_PROXY_URL === undefined ? {} : { proxyUrl: s.HOOKSTREAM_EGRESS_PROXY_URL }),
      connectTimeoutMs: s.HOOKSTREAM_EGRESS_CONNECT_TIMEOUT_MS,
      maxConnections: s.HOOKSTREAM_EGRESS_MAX_CONNECTIONS,
      maxConnectionsPerOrigin: s.HOOKSTREAM_EGRESS_MAX_CONNECTIONS_PER_ORIGIN,
      responseLimitBytes: s.HOOKSTREAM_EGRESS_RESPONSE_LIMIT_BYTES,
    },
    retention: retentionConfig(s),
    retryAfterCapMs: s.HOOKSTREAM_RETRY_AFTER_CAP_MS,
    maxConcurrentAttempts: s.HOOKSTREAM_MAX_CONCURRENT_ATTEMPTS,
    express: { maxAttempts: s.HOOKSTREAM_EXPRESS_MAX_ATTEMPTS },
    auto: { maxLagMs: s.HOOKSTREAM_AUTO_MAX_LAG_MS },
    dispatch: {
      batchSize: s.HOOKSTREAM_DISPATCH_BATCH_SIZE,
      concurrency: s.HOOKSTREAM_DISPATCH_CONCURRENCY,
      pollMs: s.HOOKSTREAM_DISPATCH_POLL_MS,
      leaseMs: s.HOOKSTREAM_DISPATCH_LEASE_MS,
      reconcileAfterMs: s.HOOKSTREAM_RECONCILE_AFTER_MS,
      pace: {
        slowMs: s.HOOKSTREAM_DISPATCH_SLOW_ANSWER_MS,
        untimedInFlight: s.HOOKSTREAM_DISPATCH_UNTIMED_IN_FLIGHT,
      },
    },
    replay: { pageSize: s.HOOKSTREAM_REPLAY_PAGE_SIZE, waitingMax: s.HOOKSTREAM_REPLAY_WAITING_MAX },
    shutdownGraceMs: s.HOOKSTREAM_SHUTDOWN_GRACE_MS,
  };
}

export interface StandaloneConfig {
  dataDir: string;
  host: string;
  apiPort: number;
  /** Absent: any free one. */
  workerPort?: number;
  temporalUiPort: number;
  temporalCli?: string;
  allowCidrs: string[];
  schemes: string[];
  adminToken?: string;
  encryptionKeys?: string[];
}

/** What the standalone instance assumes where nothing is set: it is for one machine, so loopback and http are allowed. */
const STANDALONE_DEFAULTS = {
  HOOKSTREAM_HOST: '127.0.0.1',
  HOOKSTREAM_EGRESS_ALLOW_CIDRS: '127.0.0.0/8,::1/128',
  HOOKSTREAM_EGRESS_SCHEMES: 'https,http',
};

/** @throws ConfigError with every problem at once. */
export function loadStandaloneConfig(env: NodeJS.ProcessEnv = process.env): StandaloneConfig {
  const s = readSettings({ ...STANDALONE_DEFAULTS, ...env }, [
    'HOOKSTREAM_DATA_DIR',
    'HOOKSTREAM_HOST',
    'HOOKSTREAM_PORT',
    'HOOKSTREAM_WORKER_PORT',
    'HOOKSTREAM_TEMPORAL_UI_PORT',
    'HOOKSTREAM_TEMPORAL_CLI',
    'HOOKSTREAM_EGRESS_ALLOW_CIDRS',
    'HOOKSTREAM_EGRESS_SCHEMES',
  ]);
  const given = readSettings(env, [
    ...(env['HOOKSTREAM_ADMIN_TOKEN'] ? (['HOOKSTREAM_ADMIN_TOKEN'] as const) : []),
    ...(env['HOOKSTREAM_ENCRYPTION_KEY'] ? (['HOOKSTREAM_ENCRYPTION_KEY'] as const) : []),
  ]);
  return {
    dataDir: s.HOOKSTREAM_DATA_DIR,
    host: s.HOOKSTREAM_HOST,
    apiPort: s.HOOKSTREAM_PORT,
    ...(s.HOOKSTREAM_WORKER_PORT === undefined ? {} : { workerPort: s.HOOKSTREAM_WORKER_PORT }),
    temporalUiPort: s.HOOKSTREAM_TEMPORAL_UI_PORT,
    ...(s.HOOKSTREAM_TEMPORAL_CLI === undefined ? {} : { temporalCli: s.HOOKSTREAM_TEMPORAL_CLI }),
    allowCidrs: s.HOOKSTREAM_EGRESS_ALLOW_CIDRS,
    schemes: s.HOOKSTREAM_EGRESS_SCHEMES,
    ...(given.HOOKSTREAM_ADMIN_TOKEN === undefined ? {} : { adminToken: given.HOOKSTREAM_ADMIN_TOKEN }),
    ...(given.HOOKSTREAM_ENCRYPTION_KEY === undefined
      ? {}
      : { encryptionKeys: given.HOOKSTREAM_ENCRYPTION_KEY }),
  };
}
