import { LRUCache } from 'lru-cache';
import { checkEndpointUrl, type EndpointUrlRules } from '@hookstream/domain';
import { createAddressGuard } from './address-guard.js';
import { ConnectionPool } from './connection-pool.js';
import type { EgressClient, EgressOptions } from './egress-options.js';
import { exchange, type ExchangeLimits } from './exchange.js';
import { createHostResolver } from './host-resolver.js';
import { createProxyOpener } from './proxy-tunnel.js';
import { createDirectOpener, type SocketOpener } from './socket-opener.js';

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_IDLE_TIMEOUT_MS = 4_000;
const DEFAULT_MAX_CONNECTIONS = 1_000;
const DEFAULT_MAX_CONNECTIONS_PER_ORIGIN = 200;
const DEFAULT_RESPONSE_LIMIT_BYTES = 16 * 1_024;
/** URLs of which is remembered what they say: reading one takes longer than signing. */
const KNOWN_URLS = 5_000;

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
  const targets = new LRUCache<string, Target>({ max: KNOWN_URLS });
  const targetOf = (url: string): Target => {
    const known = targets.get(url);
    if (known !== undefined) return known;
    const target = toTarget(url, rules);
    targets.set(url, target);
    return target;
  };
  return {
    async send(request) {
      const { url, refused } = targetOf(request.url);
      if (url === undefined) return { kind: 'blocked_address', durationMs: 0, error: refused };
      const connection = await pool.acquire(url.origin, request.owner, request.signal);
      let reusable = false;
      try {
        const result = await exchange(connection, url, request, limits);
        reusable = result.reusable;
        return result.outcome;
      } finally {
        pool.release(connection, reusable);
      }
    },
    close: () => pool.close(),
  };
}

/** Where a request goes, or why it may not. */
type Target = { url: URL; refused?: never } | { url?: never; refused: string };

/** An endpoint may have been saved under other rules than those of today. */
function toTarget(text: string, rules: EndpointUrlRules): Target {
  const [problem] = checkEndpointUrl(text, rules);
  if (problem) return { refused: `the endpoint's URL is not allowed: it ${problem.message}` };
  return { url: new URL(text) };
}

function createOpener({ allowCidrs = [], proxyUrl, ca, lookup }: EgressOptions): SocketOpener {
  const guard = createAddressGuard(allowCidrs);
  const trust = ca ? { ca } : {};
  if (proxyUrl !== undefined) return createProxyOpener({ proxyUrl, guard, ...trust });
  return createDirectOpener({ guard, resolve: createHostResolver(guard, lookup), ...trust });
}
