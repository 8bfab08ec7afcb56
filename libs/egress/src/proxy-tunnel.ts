import { request, type RequestOptions } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { AddressGuard } from './address-guard.js';
import { AttemptFault, EgressFaultError } from './egress-faults.js';
import { codeOf } from './error-classification.js';
import { lookupAll } from './host-resolver.js';
import { openTcp, secure, type SocketOpener, unlessAborted } from './socket-opener.js';

/** What a proxy says when it could not get through to the target. */
const TARGET_UNREACHABLE: ReadonlySet<number> = new Set([502, 503, 504]);

/** Names that a proxy would resolve to itself or its cloud, with an address that stands for them. */
const LOCAL_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(?:.+\.)?localhost$/, '127.0.0.1'],
  [/^metadata\.(?:google\.internal|goog)$/, '169.254.169.254'],
];

export interface ProxyOpenerOptions {
  proxyUrl: string;
  guard: AddressGuard;
  ca?: readonly string[];
}

/**
 * Connects through an HTTP proxy by CONNECT. The proxy resolves names, so only literal addresses (and names that are
 * local by definition) can be vetted here; the proxy's own address is the operator's choice and is not.
 * What fails up to and in the proxy is our fault; what it reports about the target is the endpoint's.
 */
export function createProxyOpener({ proxyUrl, guard, ca }: ProxyOpenerOptions): SocketOpener {
  const proxy = new URL(proxyUrl);
  return async (target, signal, progress) => {
    vetHost(target.hostname, guard);
    progress.atProxy = true;
    const toProxy = await openProxy(proxy, ca, signal);
    progress.atProxy = false;
    const authority = `${isIP(target.hostname) === 6 ? `[${target.hostname}]` : target.hostname}:${target.port}`;
    const tunnel = await openTunnel(proxy, toProxy, authority, signal);
    return target.secure ? secure(tunnel, target, ca, signal) : tunnel;
  };
}

function vetHost(hostname: string, guard: AddressGuard): void {
  const name = hostname.replace(/\.$/, '');
  const address = isIP(name) === 0 ? LOCAL_NAMES.find(([pattern]) => pattern.test(name))?.[1] : name;
  const problem = address && guard(address);
  if (problem) throw new AttemptFault('blocked_address', address === name ? problem : `${name}: ${problem}`);
}

async function openProxy(
  proxy: URL,
  ca: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  const hostname = proxy.hostname.replace(/^\[|\]$/g, '');
  const isSecure = proxy.protocol === 'https:';
  const port = Number(proxy.port) || (isSecure ? 443 : 80);
  try {
    const addresses = await unlessAborted(lookupAll(hostname), signal);
    const socket = await openTcp(hostname, port, addresses, signal);
    return isSecure ? await secure(socket, { hostname, port, secure: true }, ca, signal) : socket;
  } catch (error) {
    if (signal.aborted && !isTimeout(signal)) throw signal.reason;
    const why = error instanceof AttemptFault ? error.message : (codeOf(error) ?? 'unknown error');
    throw new EgressFaultError(`the proxy ${proxy.host} cannot be reached: ${why}`);
  }
}

/** Whether the signal is the connect timer's, not the caller's. */
function isTimeout(signal: AbortSignal): boolean {
  return signal.reason instanceof AttemptFault;
}

function openTunnel(proxy: URL, socket: Socket, authority: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyAuthorization(proxy) },
      createConnection: () => socket,
    };
    const settle = (finish: () => void) => {
      signal.removeEventListener('abort', aborted);
      finish();
    };
    const refuse = (error: Error) =>
      settle(() => {
        socket.on('error', () => undefined).destroy();
        reject(error);
      });
    const aborted = () => refuse(signal.reason as Error);
    const connect = request(options);
    connect.on('connect', ({ statusCode = 0 }, tunnel, head) => {
      if (statusCode < 200 || statusCode > 299) return refuse(proxyAnswer(proxy, authority, statusCode));
      if (head.length > 0) tunnel.unshift(head);
      settle(() => resolve(tunnel));
    });
    connect.on('error', (error) =>
      refuse(
        new EgressFaultError(
          `the proxy ${proxy.host} broke off the CONNECT request (${codeOf(error) ?? error.name})`,
        ),
      ),
    );
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    else connect.end();
  });
}

function proxyAnswer(proxy: URL, authority: string, status: number): Error {
  if (TARGET_UNREACHABLE.has(status)) {
    return new AttemptFault(
      'connection_error',
      `${authority} cannot be reached through the proxy (it answered ${status})`,
    );
  }
  const why =
    status === 407 ? 'wants other credentials (407)' : `refused to connect to ${authority} (${status})`;
  return new EgressFaultError(`the proxy ${proxy.host} ${why}`);
}

function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}
