import { type AttemptOutcome, checkEndpointUrl, type EndpointUrlRules } from '@hookstream/domain';
import { createAddressGuard } from './address-guard.js';
import { ConnectionPool } from './connection-pool.js';
import type { EgressClient, EgressOptions, EgressRequest } from './egress-options.js';
import { exchange, type ExchangeLimits } from './exchange.js';
import { createHostResolver } from './host-resolver.js';
import { createProxyOpener } from './proxy-tunnel.js';
import { createDirectOpener, type SocketOpener } from './socket-opener.js';

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_IDLE_TIMEOUT_MS = 4_000;
const DEFAULT_MAX_CONNECTIONS = 1_000;
const DEFAULT_MAX_CONNECTIONS_PER_ORIGIN = 100;
const DEFAULT_RESPONSE_LIMIT_BYTES = 16 * 1_024;

/**
 * The only way that requests leave for endpoints.
 * @throws Error naming the setting for an allow-list entry that is not an address or CIDR range
 */
export function createEgressClient(options: EgressOptions = {}): EgressClient {
  const rules: EndpointUrlRules = { schemes: options.schemes ?? ['https'], ports: options.ports ?? [] };
  const limits: ExchangeLimits = {
    responseLimitBytes: options.responseLimitBytes ?? DEFAULT_RESPONSE_LIMIT_BYTES,
    headersTimeoutMs: options.headersTimeoutMs ?? Infinity,
  };
  const pool = new ConnectionPool({
    open: createOpener(options),
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    maxConnections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    maxConnectionsPerOrigin: options.maxConnectionsPerOrigin ?? DEFAULT_MAX_CONNECTIONS_PER_ORIGIN,
  });
  return {
    send: async (request) => refusedUrl(request.url, rules) ?? (await sendThrough(pool, request, limits)),
    close: () => pool.close(),
  };
}

async function sendThrough(
  pool: ConnectionPool,
  request: EgressRequest,
  limits: ExchangeLimits,
): Promise<AttemptOutcome> {
  const url = new URL(request.url);
  const connection = await pool.acquire(url.origin, request.signal);
  let reusable = false;
  try {
    const result = await exchange(connection, url, request, limits);
    reusable = result.reusable;
    return result.outcome;
  } finally {
    pool.release(connection, reusable);
  }
}

/** An endpoint may have been saved under other rules than those of today. */
function refusedUrl(url: string, rules: EndpointUrlRules): AttemptOutcome | undefined {
  const [problem] = checkEndpointUrl(url, rules);
  return (
    problem && {
      kind: 'blocked_address',
      durationMs: 0,
      error: `the endpoint's URL is not allowed: it ${problem.message}`,
    }
  );
}

function createOpener({ allowCidrs = [], proxyUrl, ca, lookup }: EgressOptions): SocketOpener {
  const guard = createAddressGuard(allowCidrs);
  const trust = ca ? { ca } : {};
  if (proxyUrl !== undefined) return createProxyOpener({ proxyUrl, guard, ...trust });
  return createDirectOpener({ guard, resolve: createHostResolver(guard, lookup), ...trust });
}
