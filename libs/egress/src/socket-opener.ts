import type { LookupAddress } from 'node:dns';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates, type TLSSocket } from 'node:tls';
import type { AddressGuard } from './address-guard.js';
import { connectFault, tlsFault } from './error-classification.js';
import { AttemptFault } from './egress-faults.js';
import type { HostResolver } from './host-resolver.js';

export interface SocketTarget {
  /** Without the brackets of an IPv6 literal. */
  hostname: string;
  port: number;
  secure: boolean;
}

/** Kept up to date while opening, for whoever gives up and must say whose fault it is. */
export interface OpeningProgress {
  atProxy: boolean;
}

/** Opens a connection ready for HTTP. Rejects with AttemptFault or EgressFaultError, or the signal's reason. */
export type SocketOpener = (
  target: SocketTarget,
  signal: AbortSignal,
  progress: OpeningProgress,
) => Promise<Socket>;

/** Node tries addresses one after the other; its 250 ms for each is too short for another continent. */
const NEXT_ADDRESS_AFTER_MS = 1_000;

export interface DirectOpenerOptions {
  guard: AddressGuard;
  resolve: HostResolver;
  ca?: readonly string[];
}

/** Connects straight to the target, and only to addresses that were vetted for this very connection. */
export function createDirectOpener({ guard, resolve, ca }: DirectOpenerOptions): SocketOpener {
  return async (target, signal) => {
    const addresses = await unlessAborted(resolve(target.hostname), signal);
    const socket = await openTcp(target.hostname, target.port, addresses, signal).catch(connectFault(target));
    // what counts in the end is where the socket really leads; one that is gone again leads nowhere
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) connectFault(target)({ code: 'ECONNRESET' });
    const problem = remoteAddress && guard(remoteAddress);
    if (problem) {
      socket.destroy();
      throw new AttemptFault('blocked_address', problem);
    }
    return target.secure ? secure(socket, target, ca, signal) : socket;
  };
}

/** A plain connection to one of the addresses. */
export function openTcp(
  hostname: string,
  port: number,
  addresses: readonly LookupAddress[],
  signal: AbortSignal,
): Promise<Socket> {
  const [first] = addresses;
  const several = addresses.length > 1;
  const socket = connectTcp({
    // one address is given as such; several need the lookup, which answers with exactly the vetted ones
    host: several || !first ? hostname : first.address,
    port,
    lookup: (_hostname, options, callback) => {
      if (options.all) callback(null, [...addresses]);
      else callback(null, first?.address ?? '', first?.family);
    },
    autoSelectFamily: several,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
    noDelay: true,
    keepAlive: true,
  });
  return ready(socket, 'connect', signal);
}

/** TLS over an open connection, verified for the target's name. */
export async function secure(
  socket: Socket,
  target: SocketTarget,
  ca: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const host = target.hostname.replace(/\.$/, '');
  const tls = connectTls({
    socket,
    host,
    // a server name must not be an address (RFC 6066, 3)
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['http/1.1'],
    // explicit, so that NODE_TLS_REJECT_UNAUTHORIZED in the environment cannot switch it off
    rejectUnauthorized: true,
    ...(ca && ca.length > 0 ? { ca: [...rootCertificates, ...ca] } : {}),
  });
  return ready(tls, 'secureConnect', signal).catch(tlsFault(target));
}

/** The socket once it emits the event; destroyed and rejected with the reason when the signal comes first. */
function ready<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      socket.off(event, succeeded).off('error', failed).off('close', closed);
      signal.removeEventListener('abort', aborted);
      finish();
    };
    const succeeded = () => settle(() => resolve(socket));
    const failed = (error: Error) => settle(() => reject(error));
    const closed = () => settle(() => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    const aborted = () => {
      // errors that destroying may still cause have no one to go to
      socket.on('error', () => undefined).destroy();
      settle(() => reject(signal.reason as Error));
    };
    socket.on(event, succeeded).on('error', failed).on('close', closed);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
  });
}

/** The promise's result, or a rejection as soon as the signal aborts: a look-up cannot be called off. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
