import { EGRESS_SETTINGS, egressConfig, type EgressConfig } from './egress-config.js';
import { readSettings } from './load-config.js';
import { RETENTION_SETTINGS, retentionConfig, type RetentionConfig } from './retention-config.js';
import { SERVICE_SETTINGS, serviceConfig, type ServiceConfig } from './service-config.js';

export interface WorkerConfig extends ServiceConfig {
  /** Where orchestrators ask for its health. */
  health?: { host: string; port: number };
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
}

const WORKER_SETTINGS = [
  ...SERVICE_SETTINGS,
  'HOOKSTREAM_HOST',
  'HOOKSTREAM_WORKER_PORT',
  ...EGRESS_SETTINGS,
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

/** @throws ConfigError with every problem at once. */
export function loadWorkerConfig(env: NodeJS.ProcessEnv = process.env): WorkerConfig {
  const s = readSettings(env, WORKER_SETTINGS);
  return {
    ...serviceConfig(s),
    ...(s.HOOKSTREAM_WORKER_PORT === undefined
      ? {}
      : { health: { host: s.HOOKSTREAM_HOST, port: s.HOOKSTREAM_WORKER_PORT } }),
    egress: egressConfig(s),
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
  };
}
