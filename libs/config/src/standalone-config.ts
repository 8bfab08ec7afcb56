import { readSettings } from './load-config.js';

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
