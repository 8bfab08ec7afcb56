import { createAddressGuard } from './address-guard.js';

const strict = createAddressGuard([]);

describe('address guard', () => {
  it.each([
    ['8.8.8.8'],
    ['1.1.1.1'],
    ['172.15.255.255'],
    ['172.32.0.1'],
    ['100.63.255.255'],
    ['100.128.0.1'],
    ['198.17.255.255'],
    ['198.20.0.1'],
    ['192.0.1.1'],
    ['223.255.255.255'],
    ['2606:4700:4700::1111'],
    ['2a00:1450:4001:82a::200e'],
    ['::ffff:8.8.8.8'],
    ['::ffff:808:808'],
    ['::8.8.8.8'],
  ])('lets %s through', (address) => {
    expect(strict(address)).toBeUndefined();
  });

  it.each([
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'carrier-grade NAT'],
    ['100.127.255.255', 'carrier-grade NAT'],
    ['169.254.1.1', 'link-local'],
    ['169.254.169.254', 'metadata service'],
    ['169.254.170.2', 'metadata service'],
    ['168.63.129.16', 'metadata service'],
    ['100.100.100.200', 'metadata service'],
    ['192.0.0.192', 'metadata service'],
    ['192.0.0.1', 'IETF protocol assignments'],
    ['192.0.2.1', 'documentation'],
    ['198.51.100.1', 'documentation'],
    ['203.0.113.1', 'documentation'],
    ['192.88.99.1', '6to4 relay'],
    ['198.18.0.1', 'benchmarking'],
    ['198.19.255.255', 'benchmarking'],
    ['192.31.196.1', 'as112'],
    ['192.52.193.1', 'amt'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::2', 'unspecified'],
    ['::127.0.0.1', 'loopback'],
    ['::10.0.0.1', 'private'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::ffff:169.254.169.254', 'metadata service'],
    ['::ffff:0:127.0.0.1', 'rfc6145'],
    ['64:ff9b::8.8.8.8', 'NAT64'],
    ['64:ff9b::7f00:1', 'NAT64'],
    ['64:ff9b:1::1', 'NAT64'],
    ['100::1', 'discard-only'],
    ['2001::1', 'Teredo'],
    ['2001:2::1', 'IETF protocol assignments'],
    ['2001:db8::1', 'documentation'],
    ['2002:7f00:1::', '6to4'],
    ['2002:808:808::', '6to4'],
    ['2620:4f:8000::1', 'as112v6'],
    ['3fff::1', 'documentation'],
    ['3fff:fff::1', 'documentation'],
    ['5f00::1', 'segment routing'],
    ['4000::1', 'reserved'],
    ['fc00::1', 'unique local'],
    ['fd12:3456::1', 'unique local'],
    ['fd00:ec2::254', 'metadata service'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
    ['example.com', 'not an IP address'],
    ['', 'not an IP address'],
  ])('refuses %s as %s, naming the setting', (address, label) => {
    expect(strict(address)).toBe(
      `address ${address} (${label}) is not allowed; see HOOKSTREAM_EGRESS_ALLOW_CIDRS`,
    );
  });

  it.each([
    ['127.0.0.0/8', '127.0.0.1', true],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    [' 10.1.2.3/16 ', '10.1.255.1', true],
    ['10.1.2.3/16', '10.2.0.1', false],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['::1/128', '::1', true],
    ['fd00::/8', 'fd12::1', true],
    ['fd00::/8', '127.0.0.1', false],
    ['0.0.0.0/0', '127.0.0.1', true],
    ['0.0.0.0/0', '::1', false],
    // metadata services: by exact entries only
    ['0.0.0.0/0', '169.254.169.254', false],
    ['169.254.0.0/16', '169.254.169.254', false],
    ['169.254.169.254/32', '169.254.169.254', true],
    ['169.254.0.0/16', '169.254.1.1', true],
    ['::/0', 'fd00:ec2::254', false],
    ['fd00:ec2::254', 'fd00:ec2::254', true],
    // a translator's prefix does not open what lies behind it
    ['64:ff9b::/96', '64:ff9b::8.8.8.8', true],
    ['64:ff9b::/96', '64:ff9b::7f00:1', false],
    ['2002::/16', '2002:a00:1::1', false],
  ])('allow-list %s: %s %s', (entry, address, expected) => {
    expect(createAddressGuard([entry])(address) === undefined).toBe(expected);
  });

  it.each([
    '',
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0/8',
    '012.0.0.1',
    '::1/129',
    '10.0.0.0/-1',
  ])('refuses the allow-list entry %j, naming the setting', (entry) => {
    expect(() => createAddressGuard([entry])).toThrow(/^HOOKSTREAM_EGRESS_ALLOW_CIDRS: /);
  });
});
