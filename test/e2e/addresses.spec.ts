// Real: the whole instance as npm start runs it, with the allowance for loopback switched off, and a receiver that listens on
// loopback and must never hear of it. Each address is one attempt of POST /endpoints/:id/test.
import { TestReceiver } from '@hookstream/testing';
import type { AttemptObject, EndpointObject } from './api-objects.js';
import { StandaloneInstance } from './standalone-instance.js';

const START_MS = 120_000;
const SETTING = 'HOOKSTREAM_EGRESS_ALLOW_CIDRS';

/** One of each class at least; of loopback, every way to write it. */
const REFUSED: Record<string, string[]> = {
  loopback: ['127.0.0.1', '127.8.9.10', '[::1]'],
  'loopback as decimal, hex, octal and short numbers': [
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '017700000001',
    '0177.0.0.1',
    '127.1',
    '127.0.1',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
    '１２７.０.０.１',
  ],
  'loopback inside IPv6': [
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
  ],
  'names of loopback': ['localhost', 'LOCALHOST'],
  'this host': ['0.0.0.0', '0', '[::]'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.254', '192.168.1.1', '[::ffff:10.0.0.1]'],
  'carrier-grade NAT': ['100.64.0.1', '100.127.255.254'],
  'link-local': ['169.254.1.1', '[fe80::1]', '[febf::1]'],
  'metadata services': ['169.254.169.254', '[fd00:ec2::254]', '100.100.100.200', '168.63.129.16'],
  'IETF protocol assignments': ['192.0.0.1', '192.0.0.192', '[2001::1]', '[2001:2::1]'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '[2001:db8::1]', '[3fff::1]'],
  benchmarking: ['198.18.0.1', '198.19.255.254'],
  '6to4': ['192.88.99.1', '[2002::1]', '[2002:808:808::1]'],
  NAT64: ['[64:ff9b::8.8.8.8]', '[64:ff9b:1::1]'],
  'multicast, broadcast, reserved': [
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    '240.0.0.1',
    '[ff02::1]',
  ],
  'unique local': ['[fc00::1]', '[fdff::1]'],
  'site-local, segment routing, discard-only': ['[fec0::1]', '[5f00::1]', '[100::1]'],
};

/** The hosts above that end at the receiver where nothing guards. */
const REACHES_THE_RECEIVER = [
  '127.0.0.1',
  '2130706433',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '127.1',
  'localhost',
  '0.0.0.0',
];

interface ProblemObject {
  code: string;
  errors?: { field: string; message: string }[];
}

let instance: StandaloneInstance;
let receiver: TestReceiver;
let host: string;

beforeAll(async () => {
  // Both loopback addresses, where the machine has both.
  receiver = await TestReceiver.start({ host: '::' }).catch(() => TestReceiver.start({ host: '0.0.0.0' }));
  instance = await StandaloneInstance.start({ env: { [SETTING]: '' } });
  host = `:${receiver.port}/refused`;
}, START_MS);
afterAll(async () => {
  await instance?.stop();
  await receiver?.close();
}, START_MS);

it('says that public addresses alone are delivered to', () => {
  expect(instance.output).toContain('Deliveries to    public addresses over');
  expect(instance.output).toContain(`(${SETTING}=)`);
});

it.each(REACHES_THE_RECEIVER)('the receiver can be reached as %s', async (name) => {
  const answer = await fetch(`http://${name}:${receiver.port}/control`, { method: 'POST' });
  expect(answer.status).toBe(200);
});

describe.each(Object.entries(REFUSED))('%s', (_label, hosts) => {
  it.each(hosts)('%s is refused', async (name) => {
    const url = `http://${name}${host}`;
    const created = await instance.call<EndpointObject & ProblemObject>('POST', '/endpoints', { url });
    if (created.status === 422) {
      expect(created.body.errors).toEqual([{ field: 'url', message: expect.any(String) as unknown }]);
      return;
    }
    expect(created.status).toBe(201);
    const attempt = await instance.call<AttemptObject>('POST', `/endpoints/${created.body.id}/test`);
    expect(attempt).toMatchObject({
      status: 200,
      body: {
        outcome: 'blocked_address',
        status_code: null,
        error: expect.stringContaining(SETTING) as unknown,
        response: null,
      },
    });
  });
});

it.each<[string, string]>([
  ['a user name and password', 'http://user:hunter2@127.0.0.1/'],
  ['another scheme', 'ftp://127.0.0.1/'],
  ['a file', 'file:///etc/passwd'],
  ['no host', 'http:///path'],
  ['port 0', 'http://127.0.0.1:0/'],
  ['a line break', 'http://127.0.0.1/\r\nX: y'],
  ['no URL', 'loopback'],
])('%s is refused when it is saved', async (_name, url) => {
  const answer = await instance.call<ProblemObject>('POST', '/endpoints', { url });
  expect(answer.status).toBe(422);
  expect(answer.body.errors).toMatchObject([{ field: 'url' }]);
  expect(JSON.stringify(answer.body)).not.toContain('hunter2');
});

it('an endpoint that is moved to such an address later is refused as well', async () => {
  const created = await instance.call<EndpointObject>('POST', '/endpoints', { url: 'https://example.com/' });
  const patched = await instance.call('PATCH', `/endpoints/${created.body.id}`, {
    url: `http://127.0.0.1${host}`,
  });
  expect(patched.status).toBe(200);
  const { body } = await instance.call<AttemptObject>('POST', `/endpoints/${created.body.id}/test`);
  expect(body.outcome).toBe('blocked_address');
});

it('nothing has arrived at the receiver', () => {
  expect(receiver.requests.filter(({ path }) => path !== '/control')).toEqual([]);
  expect(receiver.requestsTo('/control')).toHaveLength(REACHES_THE_RECEIVER.length);
});
