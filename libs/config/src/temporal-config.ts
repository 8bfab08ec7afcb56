import { HOUR_MS } from '@hookstream/domain';
import { ConfigError, readSettings, type SettingValues } from './load-config.js';

/** Files are read when a connection is made. */
interface TemporalTlsConfig {
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

export const TEMPORAL_SETTINGS = [
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

type TemporalSettings = Pick<SettingValues, (typeof TEMPORAL_SETTINGS)[number]>;

export function temporalConfig(s: TemporalSettings): TemporalConfig {
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

/** Only where Temporal is. @throws ConfigError with every problem at once. */
export function loadTemporalConfig(env: NodeJS.ProcessEnv = process.env): TemporalConfig {
  return temporalConfig(readSettings(env, TEMPORAL_SETTINGS));
}
