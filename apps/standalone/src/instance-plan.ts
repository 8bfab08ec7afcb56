import {
  loadApiConfig,
  loadStandaloneConfig,
  loadWorkerConfig,
  type StandaloneConfig,
} from '@hookstream/config';
import { NAMESPACE } from '@hookstream/contracts';
import { freePorts, isPortFree } from '@hookstream/embedded';
import { DataDirectory } from './data-directory.js';
import { loadSecrets, type InstanceSecrets } from './instance-secrets.js';
import { PlainError } from './plain-error.js';

/** All that is decided before anything starts. Ports stay for the life of the instance, over restarts of children. */
export interface InstancePlan {
  config: StandaloneConfig;
  directory: DataDirectory;
  secrets: InstanceSecrets;
  ports: { api: number; temporalUi: number; postgres: number; temporal: number; worker: number };
  apiUrl: string;
  temporalUiUrl: string;
  temporalAddress: string;
  graceMs: number;
  /** How far ahead partitions are made. */
  partitionsAheadMs: number;
  /** For the API and the worker. */
  childEnvironment(databaseUrl: string): NodeJS.ProcessEnv;
}

/** @throws PlainError when a port is taken, ConfigError when a setting is wrong. The directory is taken by then. */
export async function planInstance(
  env: NodeJS.ProcessEnv,
  config: StandaloneConfig,
  directory: DataDirectory,
): Promise<InstancePlan> {
  const secrets = loadSecrets(directory, config);
  const [postgres, temporal, spare, worker] = (await freePorts(4)) as [number, number, number, number];
  const ports = {
    api: config.apiPort === 0 ? spare : config.apiPort,
    temporalUi: config.temporalUiPort,
    postgres,
    temporal,
    worker: config.workerPort ?? worker,
  };
  await mustBeFree(ports.api, config.host, 'the API', 'HOOKSTREAM_PORT');
  await mustBeFree(ports.temporalUi, '127.0.0.1', "Temporal's Web UI", 'HOOKSTREAM_TEMPORAL_UI_PORT');
  const temporalUiUrl = `http://127.0.0.1:${ports.temporalUi}`;
  const temporalAddress = `127.0.0.1:${ports.temporal}`;
  const childEnvironment = (databaseUrl: string): NodeJS.ProcessEnv => ({
    ...env,
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: NAMESPACE,
    HOOKSTREAM_TEMPORAL_UI_URL: temporalUiUrl,
    HOOKSTREAM_HOST: config.host,
    HOOKSTREAM_PORT: String(ports.api),
    HOOKSTREAM_WORKER_PORT: String(ports.worker),
    HOOKSTREAM_ADMIN_TOKEN: secrets.admin_token,
    HOOKSTREAM_ENCRYPTION_KEY: secrets.encryption_key,
    HOOKSTREAM_EGRESS_ALLOW_CIDRS: config.allowCidrs.join(','),
    HOOKSTREAM_EGRESS_SCHEMES: config.schemes.join(','),
  });
  // Read here as the children will, so that a wrong setting is told before anything runs.
  const assumed = childEnvironment('postgres://localhost/hookstream');
  const { shutdownGraceMs } = loadApiConfig(assumed);
  const { retention } = loadWorkerConfig(assumed);
  return {
    config,
    directory,
    secrets,
    ports,
    apiUrl: `http://${reachableHost(config.host)}:${ports.api}`,
    temporalUiUrl,
    temporalAddress,
    graceMs: shutdownGraceMs,
    partitionsAheadMs: retention.partitionsAheadMs,
    childEnvironment,
  };
}

/** @throws ConfigError */
export function readConfig(env: NodeJS.ProcessEnv): { config: StandaloneConfig; directory: DataDirectory } {
  const config = loadStandaloneConfig(env);
  return { config, directory: new DataDirectory(config.dataDir) };
}

async function mustBeFree(port: number, host: string, what: string, setting: string): Promise<void> {
  if (await isPortFree(port, host)) return;
  throw new PlainError(
    `port ${port} for ${what} is taken by another program. Stop that, or choose another port with ${setting}.`,
  );
}

function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
