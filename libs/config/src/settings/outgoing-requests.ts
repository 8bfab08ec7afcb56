import { whole, list, cidr, url } from './readers.js';
import { inGroup, setting } from './setting.js';

export const OUTGOING_REQUESTS_GROUP = inGroup('Outgoing requests', {
  HOOKSTREAM_EGRESS_ALLOW_CIDRS: setting(
    list.refine(
      (items) => items.every((item) => cidr.test(item)),
      'must be CIDR ranges separated by commas, such as 10.1.0.0/16,fd00::/8',
    ),
    {
      default: '',
      doc: 'Ranges that may be delivered to although they are not public, as a comma list of CIDRs. Empty: public addresses only. The standalone instance allows loopback and says so.',
    },
  ),
  HOOKSTREAM_EGRESS_SCHEMES: setting(
    list.refine(
      (items) => items.length > 0 && items.every((item) => item === 'https' || item === 'http'),
      'must be https, or https,http',
    ),
    {
      default: 'https',
      doc: 'URL schemes an endpoint may have: `https`, or `https,http`. The standalone instance allows both.',
    },
  ),
  HOOKSTREAM_EGRESS_PORTS: setting(
    list.refine(
      (items) => items.every((item) => /^\d{1,5}$/.test(item) && Number(item) >= 1 && Number(item) <= 65_535),
      'must be ports separated by commas',
    ),
    {
      default: '',
      doc: 'Ports an endpoint may have, as a comma list. Empty: any.',
    },
  ),
  HOOKSTREAM_EGRESS_PROXY_URL: setting(url('http:', 'https:'), {
    optional: true,
    secret: true,
    doc: 'HTTP proxy for all deliveries. It resolves names itself, so it must refuse private addresses; literal addresses are still checked here.',
  }),
  HOOKSTREAM_EGRESS_CONNECT_TIMEOUT_MS: setting(whole(100, 60_000), {
    default: '10000',
    doc: 'Longest time to connect, TLS included, in milliseconds. An endpoint’s `timeout_ms` bounds the whole.',
  }),
  HOOKSTREAM_EGRESS_MAX_CONNECTIONS: setting(whole(1, 60_000), {
    default: '1000',
    doc: 'Most requests under way at once in one worker process.',
  }),
  HOOKSTREAM_EGRESS_MAX_CONNECTIONS_PER_ORIGIN: setting(whole(1, 10_000), {
    default: '200',
    doc: 'Most connections of one worker process to one scheme, host and port. One endpoint gets two thirds of them at most, so that another behind the same host finds some.',
  }),
  HOOKSTREAM_EGRESS_RESPONSE_LIMIT_BYTES: setting(whole(0, 1024 * 1024), {
    default: String(16 * 1024),
    doc: 'How much of an answer is read and kept, in bytes; the connection is dropped there.',
  }),
  HOOKSTREAM_RETRY_AFTER_CAP_MS: setting(whole(0, 30 * 86_400_000), {
    default: String(86_400_000),
    doc: 'Longest postponement that a receiver’s `Retry-After` can ask for, in milliseconds.',
  }),
});
