import type { SettingValues } from './load-config.js';

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

/** Which URLs an endpoint may have. */
export type EndpointUrlsConfig = Pick<EgressConfig, 'schemes' | 'ports'>;

export const ENDPOINT_URLS_SETTINGS = ['HOOKSTREAM_EGRESS_SCHEMES', 'HOOKSTREAM_EGRESS_PORTS'] as const;

export const EGRESS_SETTINGS = [
  ...ENDPOINT_URLS_SETTINGS,
  'HOOKSTREAM_EGRESS_ALLOW_CIDRS',
  'HOOKSTREAM_EGRESS_PROXY_URL',
  'HOOKSTREAM_EGRESS_CONNECT_TIMEOUT_MS',
  'HOOKSTREAM_EGRESS_MAX_CONNECTIONS',
  'HOOKSTREAM_EGRESS_MAX_CONNECTIONS_PER_ORIGIN',
  'HOOKSTREAM_EGRESS_RESPONSE_LIMIT_BYTES',
] as const;

export function endpointUrlsConfig(
  s: Pick<SettingValues, (typeof ENDPOINT_URLS_SETTINGS)[number]>,
): EndpointUrlsConfig {
  return { schemes: s.HOOKSTREAM_EGRESS_SCHEMES, ports: s.HOOKSTREAM_EGRESS_PORTS.map(Number) };
}

export function egressConfig(s: Pick<SettingValues, (typeof EGRESS_SETTINGS)[number]>): EgressConfig {
  return {
    ...endpointUrlsConfig(s),
    allowCidrs: s.HOOKSTREAM_EGRESS_ALLOW_CIDRS,
    ...(s.HOOKSTREAM_EGRESS_PROXY_URL === undefined ? {} : { proxyUrl: s.HOOKSTREAM_EGRESS_PROXY_URL }),
    connectTimeoutMs: s.HOOKSTREAM_EGRESS_CONNECT_TIMEOUT_MS,
    maxConnections: s.HOOKSTREAM_EGRESS_MAX_CONNECTIONS,
    maxConnectionsPerOrigin: s.HOOKSTREAM_EGRESS_MAX_CONNECTIONS_PER_ORIGIN,
    responseLimitBytes: s.HOOKSTREAM_EGRESS_RESPONSE_LIMIT_BYTES,
  };
}
