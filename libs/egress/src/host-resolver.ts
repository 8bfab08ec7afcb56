import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard.js';
import { AttemptFault } from './egress-faults.js';

/** The addresses to connect to, each of them vetted. */
export type HostResolver = (hostname: string) => Promise<LookupAddress[]>;

/** Every address of a name, IPv4 and IPv6, from the operating system (so that /etc/hosts counts). */
export const lookupAll: HostResolver = (hostname) => systemLookup(hostname, { all: true });

/**
 * Resolves for one connection, at the moment of connecting. A name is refused as a whole when any of its addresses is
 * blocked: an honest receiver has no private address beside its public one, an attack has.
 *
 * Nothing is cached, but simultaneous look-ups of a name are made once: the system's resolver has few threads, and one
 * name whose servers hang must not take them all.
 */
export function createHostResolver(guard: AddressGuard, lookup: HostResolver = lookupAll): HostResolver {
  const underWay = new Map<string, Promise<LookupAddress[]>>();
  const shared = (hostname: string): Promise<LookupAddress[]> => {
    let pending = underWay.get(hostname);
    if (!pending) {
      pending = lookup(hostname).finally(() => underWay.delete(hostname));
      underWay.set(hostname, pending);
    }
    return pending;
  };
  return async (hostname) => {
    const family = isIP(hostname);
    const addresses =
      family === 0 ? await shared(hostname).catch(dnsFault(hostname)) : [{ address: hostname, family }];
    if (addresses.length === 0) throw new AttemptFault('dns_error', `the name ${hostname} has no address`);
    for (const { address } of addresses) {
      const problem = guard(address);
      if (problem !== undefined) {
        throw new AttemptFault('blocked_address', family === 0 ? `${hostname}: ${problem}` : problem);
      }
    }
    return addresses;
  };
}

function dnsFault(hostname: string): (error: unknown) => never {
  return (error) => {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const what =
      code === 'ENOTFOUND' || code === 'ENODATA'
        ? `the name ${hostname} does not exist or has no address (${code})`
        : `the name ${hostname} could not be looked up (${code})`;
    throw new AttemptFault('dns_error', what);
  };
}
