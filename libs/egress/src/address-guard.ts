import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

const ALLOW_SETTING = 'HOOKSTREAM_EGRESS_ALLOW_CIDRS';

/** Tells, in words, why an address may not be connected to; undefined when it may. */
export type AddressGuard = (address: string) => string | undefined;

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Cidr = [Address, number];

/**
 * Ranges with a name of their own, narrowest first. What is not here is judged by ipaddr.js, and in IPv6 anything
 * outside 2000::/3, the only space handed out for the public internet, is refused as well.
 */
const NAMED_RANGES: readonly (readonly [label: string, cidr: Cidr])[] = (
  [
    ['unspecified', '::/128'],
    ['loopback', '::1/128'],
    ['unspecified', '0.0.0.0/8'],
    ['loopback', '127.0.0.0/8'],
    ['private', '10.0.0.0/8'],
    ['private', '172.16.0.0/12'],
    ['private', '192.168.0.0/16'],
    ['carrier-grade NAT', '100.64.0.0/10'],
    ['link-local', '169.254.0.0/16'],
    ['IETF protocol assignments', '192.0.0.0/24'],
    ['documentation', '192.0.2.0/24'],
    ['documentation', '198.51.100.0/24'],
    ['documentation', '203.0.113.0/24'],
    ['6to4 relay', '192.88.99.0/24'],
    ['benchmarking', '198.18.0.0/15'],
    ['multicast', '224.0.0.0/4'],
    ['broadcast', '255.255.255.255/32'],
    ['reserved', '240.0.0.0/4'],
    ['NAT64', '64:ff9b::/96'],
    ['NAT64', '64:ff9b:1::/48'],
    ['discard-only', '100::/64'],
    ['Teredo', '2001::/32'],
    ['IETF protocol assignments', '2001::/23'],
    ['documentation', '2001:db8::/32'],
    ['6to4', '2002::/16'],
    ['documentation', '3fff::/20'],
    ['segment routing', '5f00::/16'],
    ['unique local', 'fc00::/7'],
    ['link-local', 'fe80::/10'],
    ['site-local', 'fec0::/10'],
    ['multicast', 'ff00::/8'],
  ] as const
).map(([label, cidr]) => [label, ipaddr.parseCIDR(cidr)]);

/** Instance metadata of the clouds: it hands out credentials. One of them (Azure's) is a public address. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(
  ['169.254.169.254', '169.254.170.2', '169.254.170.23', '168.63.129.16', '100.100.100.200', '192.0.0.192']
    .concat(['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254'])
    .map((address) => ipaddr.parse(address).toString()),
);

const GLOBAL_UNICAST_V6: Cidr = ipaddr.parseCIDR('2000::/3');
const MAPPED_V6: Cidr = ipaddr.parseCIDR('::ffff:0:0/96');
const COMPATIBLE_V6: Cidr = ipaddr.parseCIDR('::/96');
const NAT64_V6: Cidr = ipaddr.parseCIDR('64:ff9b::/96');
const SIX_TO_FOUR_V6: Cidr = ipaddr.parseCIDR('2002::/16');

/**
 * Guards against requests to what is not the public internet.
 *
 * IPv4-mapped and IPv4-compatible addresses are judged by the IPv4 address inside. NAT64 and 6to4 must be allowed
 * themselves, and the address inside must pass too. A metadata service is open only to an entry that names exactly its
 * address (/32, /128): someone who allows a wide range has other hosts in mind.
 * @param allowCidrs addresses and ranges that may be connected to although they are not public
 * @throws Error naming the setting for an entry that is neither
 */
export function createAddressGuard(allowCidrs: readonly string[]): AddressGuard {
  const allowed = allowCidrs.map(parseAllowed);
  return (text) => {
    const label = isIP(text) === 0 ? 'not an IP address' : blockedAs(unwrap(ipaddr.parse(text)), allowed);
    return label && `address ${text} (${label}) is not allowed; see ${ALLOW_SETTING}`;
  };
}

function blockedAs(address: Address, allowed: readonly Cidr[]): string | undefined {
  if (METADATA_ADDRESSES.has(withoutZone(address))) {
    const exact = address.kind() === 'ipv4' ? 32 : 128;
    return allowed.some((cidr) => cidr[1] === exact && contains(cidr, address))
      ? undefined
      : 'metadata service';
  }
  if (!allowed.some((cidr) => contains(cidr, address))) return specialRange(address);
  const inner = translatedTarget(address);
  return inner && blockedAs(inner, allowed);
}

function specialRange(address: Address): string | undefined {
  const named = NAMED_RANGES.find(([, cidr]) => contains(cidr, address));
  if (named) return named[0];
  const range = address.range();
  if (range !== 'unicast') return range;
  return address.kind() === 'ipv6' && !contains(GLOBAL_UNICAST_V6, address) ? 'reserved' : undefined;
}

/** The IPv4 address that an IPv6 one merely writes differently, or the address itself. */
function unwrap(address: Address): Address {
  if (!contains(MAPPED_V6, address) && !contains(COMPATIBLE_V6, address)) return address;
  const bytes = address.toByteArray();
  // :: and ::1 lie in ::/96 without containing an IPv4 address
  const plain = bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15]! <= 1;
  return plain ? address : new ipaddr.IPv4(bytes.slice(12));
}

/** The IPv4 host that a gateway would translate to. */
function translatedTarget(address: Address): Address | undefined {
  if (contains(NAT64_V6, address)) return new ipaddr.IPv4(address.toByteArray().slice(12));
  if (contains(SIX_TO_FOUR_V6, address)) return new ipaddr.IPv4(address.toByteArray().slice(2, 6));
  return undefined;
}

function contains([network, bits]: Cidr, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

function withoutZone(address: Address): string {
  return address.toString().split('%')[0]!;
}

function parseAllowed(entry: string): Cidr {
  const [host = '', bits, ...more] = entry.trim().split('/');
  const family = isIP(host);
  const width = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (family === 0 || more.length > 0 || !(prefix <= width)) {
    throw new Error(`${ALLOW_SETTING}: "${entry}" is neither an address nor a CIDR range such as 10.0.0.0/8`);
  }
  const address = ipaddr.parse(host);
  const inner = unwrap(address);
  // ranges of mapped addresses are compared as the IPv4 addresses they stand for
  return inner.kind() === 'ipv4' && family === 6 && prefix >= 96 ? [inner, prefix - 96] : [address, prefix];
}
