import { z } from 'zod';

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`);

const rate = z
  .string()
  .regex(/^\d+(?:\.\d+)?$/, 'must be a number from 0 to 1000000')
  .transform(Number)
  .refine((n) => n <= 1_000_000, 'must be a number from 0 to 1000000');

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** `name=value,…` with percent-encoded values, as OpenTelemetry writes headers and attributes in its variables (W3C Baggage). */
const pairs = z.string().transform((text, context): Record<string, string> => {
  const found: Record<string, string> = {};
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const [name, value] = splitOnce(pair);
    try {
      if (name === '' || value === undefined) throw new Error('no pair');
      found[name] = decodeURIComponent(value);
    } catch {
      context.addIssue('must be name=value, several separated by commas, with percent-encoded values');
    }
  }
  return found;
});

function splitOnce(pair: string): [string, string | undefined] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair.trim(), undefined] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
}

const cidr = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:.]+)\/\d{1,3}$/;

const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

/** One setting: how its text is read, what stands when it is absent, and what the reference page says of it. */
export interface Setting<T = unknown> {
  schema: z.ZodType<T, string>;
  /** Text that stands for an absent value. Absent here too: the setting is required unless `optional`. */
  default?: string;
  optional?: true;
  secret?: true;
  group: SettingGroup;
  doc: string;
}

export type SettingGroup =
  | 'Connections'
  | 'API'
  | 'Secrets'
  | 'Accepting events'
  | 'Outgoing requests'
  | 'Worker'
  | 'Retention'
  | 'Logs'
  | 'Metrics'
  | 'Traces'
  | 'Standalone';

function setting<T, const S extends Omit<Setting<T>, 'schema'>>(
  schema: z.ZodType<T, string>,
  rest: S,
): S & { schema: z.ZodType<T, string> } {
  return { schema, ...rest };
}

/** OpenTelemetry's names: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
const TRACE_SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type TraceSampler = (typeof TRACE_SAMPLERS)[number];

/** Every setting, by its name in the environment. The reference page is generated from this. */
export const SETTINGS = {
  DATABASE_URL: setting(url('postgres:', 'postgresql:'), {
    group: 'Connections',
    secret: true,
    doc: 'Postgres 15 or newer, as `postgres://user:password@host:port/database`. The role must own the database.',
  }),
  HOOKSTREAM_DATABASE_POOL_SIZE: setting(whole(2, 500), {
    group: 'Connections',
    default: '10',
    doc: 'Most connections of one process for accept, dispatch and delivery. Ordinary CRUD has a pool of 5 beside it and LISTEN one connection.',
  }),
  TEMPORAL_ADDRESS: setting(z.string().regex(/^[^\s/:]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$/, 'must be host:port'), {
    group: 'Connections',
    default: '127.0.0.1:7233',
    doc: 'Temporal frontend, `host:port`.',
  }),
  TEMPORAL_NAMESPACE: setting(z.string().min(1, 'must not be empty'), {
    group: 'Connections',
    default: 'hookstream',
    doc: 'Temporal namespace; created at boot when missing.',
  }),
  TEMPORAL_API_KEY: setting(z.string().min(1, 'must not be empty'), {
    group: 'Connections',
    optional: true,
    secret: true,
    doc: 'API key of Temporal Cloud. Switches TLS on.',
  }),
  TEMPORAL_TLS: setting(z.enum(['true', 'false'], 'must be true or false'), {
    group: 'Connections',
    optional: true,
    doc: '`true`: TLS to Temporal, by the authorities that the system trusts unless another is named below. Absent: TLS where one of the following or an API key is set.',
  }),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: setting(z.string().min(1, 'must not be empty'), {
    group: 'Connections',
    optional: true,
    doc: 'File with the certificate (PEM) of the authority that signed that of Temporal.',
  }),
  TEMPORAL_TLS_SERVER_NAME: setting(z.string().min(1, 'must not be empty'), {
    group: 'Connections',
    optional: true,
    doc: 'Name in the certificate of Temporal where it is not that of the address.',
  }),
  TEMPORAL_TLS_CLIENT_CERT_PATH: setting(z.string().min(1, 'must not be empty'), {
    group: 'Connections',
    optional: true,
    doc: 'mTLS: file with the certificate (PEM) to show to Temporal. With TEMPORAL_TLS_CLIENT_KEY_PATH.',
  }),
  TEMPORAL_TLS_CLIENT_KEY_PATH: setting(z.string().min(1, 'must not be empty'), {
    group: 'Connections',
    optional: true,
    doc: 'mTLS: file with the key (PEM) of that certificate.',
  }),
  HOOKSTREAM_TEMPORAL_RETENTION_HOURS: setting(whole(1, 24 * 365), {
    group: 'Connections',
    default: '24',
    doc: 'How long Temporal keeps the history of closed workflows, in hours. Used when the namespace is created.',
  }),
  HOOKSTREAM_TEMPORAL_UI_URL: setting(url('http:', 'https:'), {
    group: 'Connections',
    default: 'http://127.0.0.1:8233',
    doc: "Address of Temporal's Web UI, for the `temporal_url` of a delivery.",
  }),

  HOOKSTREAM_HOST: setting(z.string().min(1, 'must not be empty'), {
    group: 'API',
    default: '0.0.0.0',
    doc: 'Address the API listens on. The standalone instance listens on 127.0.0.1 unless this is set.',
  }),
  HOOKSTREAM_PORT: setting(whole(0, 65_535), {
    group: 'API',
    default: '3000',
    doc: 'Port of the API; 0 picks a free one.',
  }),
  HOOKSTREAM_READINESS_LAG_MS: setting(whole(1_000, 86_400_000), {
    group: 'API',
    default: '30000',
    doc: 'Not ready when the oldest delivery that could go has waited this long, in milliseconds, and nothing was dispatched meanwhile.',
  }),

  HOOKSTREAM_ADMIN_TOKEN: setting(z.string().min(16, 'must have at least 16 characters'), {
    group: 'Secrets',
    secret: true,
    doc: "The operator's bearer token, for `/tenants`. At least 16 characters.",
  }),
  HOOKSTREAM_ENCRYPTION_KEY: setting(
    list.refine((keys) => keys.length > 0 && keys.every((key) => Buffer.from(key, 'base64').length === 32), {
      error:
        'must be one or more base64 keys of 32 bytes, separated by commas (make one: openssl rand -base64 32)',
    }),
    {
      group: 'Secrets',
      secret: true,
      doc: 'Encrypts endpoint secrets and headers in the database. Base64 of 32 bytes; `openssl rand -base64 32` makes one. A comma list while rotating: the first encrypts, all decrypt.',
    },
  ),

  HOOKSTREAM_MAX_BODY_BYTES: setting(whole(1_024, 64 * 1024 * 1024), {
    group: 'Accepting events',
    default: String(1024 * 1024),
    doc: 'Largest request body of the API in bytes; beyond it 413.',
  }),
  HOOKSTREAM_ACCEPT_BATCH_SIZE: setting(whole(1, 2_000), {
    group: 'Accepting events',
    default: '200',
    doc: 'Most concurrent requests that share one transaction.',
  }),
  HOOKSTREAM_ACCEPT_QUEUE_LIMIT: setting(whole(1, 1_000_000), {
    group: 'Accepting events',
    default: '10000',
    doc: 'Most events that may wait for a transaction in one API process; beyond it 503 with Retry-After.',
  }),
  HOOKSTREAM_MAX_DELIVER_AHEAD_DAYS: setting(whole(0, 365), {
    group: 'Accepting events',
    default: '7',
    doc: 'How far ahead `deliver_at` may lie, in days. Must be less than the retention.',
  }),
  HOOKSTREAM_IDEMPOTENCY_TTL_HOURS: setting(whole(1, 24 * 365), {
    group: 'Accepting events',
    default: '24',
    doc: 'How long an `Idempotency-Key` is remembered, in hours.',
  }),
  HOOKSTREAM_TENANT_EVENTS_PER_SECOND: setting(rate, {
    group: 'Accepting events',
    default: '0',
    doc: 'Events that a tenant may post in a second, on average, unless it has a limit of its own; may be fractional, 0 is no limit.',
  }),
  HOOKSTREAM_TENANT_BURST: setting(whole(0, 1_000_000), {
    group: 'Accepting events',
    default: '0',
    doc: "Events that such a tenant may post at once after a pause; 0 is one second's worth.",
  }),
  HOOKSTREAM_TENANT_MAX_PENDING: setting(whole(0, 1_000_000_000), {
    group: 'Accepting events',
    default: '0',
    doc: 'Unfinished deliveries with which a tenant may post no more events, unless it has a limit of its own; 0 is no limit.',
  }),
  HOOKSTREAM_PENDING_COUNT_INTERVAL_MS: setting(whole(100, 600_000), {
    group: 'Accepting events',
    default: '2000',
    doc: 'How often the unfinished deliveries are counted for that limit, in milliseconds; less often where counting takes long.',
  }),
  HOOKSTREAM_DEFAULT_LANE: setting(
    z.enum(['durable', 'express', 'auto'], 'must be durable, express or auto'),
    {
      group: 'Accepting events',
      default: 'auto',
      doc: 'Lane of endpoints that are made without one: `durable`, `express` or `auto`.',
    },
  ),

  HOOKSTREAM_EGRESS_ALLOW_CIDRS: setting(
    list.refine(
      (items) => items.every((item) => cidr.test(item)),
      'must be CIDR ranges separated by commas, such as 10.1.0.0/16,fd00::/8',
    ),
    {
      group: 'Outgoing requests',
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
      group: 'Outgoing requests',
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
      group: 'Outgoing requests',
      default: '',
      doc: 'Ports an endpoint may have, as a comma list. Empty: any.',
    },
  ),
  HOOKSTREAM_EGRESS_PROXY_URL: setting(url('http:', 'https:'), {
    group: 'Outgoing requests',
    optional: true,
    secret: true,
    doc: 'HTTP proxy for all deliveries. It resolves names itself, so it must refuse private addresses; literal addresses are still checked here.',
  }),
  HOOKSTREAM_EGRESS_CONNECT_TIMEOUT_MS: setting(whole(100, 60_000), {
    group: 'Outgoing requests',
    default: '10000',
    doc: 'Longest time to connect, TLS included, in milliseconds. An endpoint’s `timeout_ms` bounds the whole.',
  }),
  HOOKSTREAM_EGRESS_MAX_CONNECTIONS: setting(whole(1, 60_000), {
    group: 'Outgoing requests',
    default: '1000',
    doc: 'Most requests under way at once in one worker process.',
  }),
  HOOKSTREAM_EGRESS_MAX_CONNECTIONS_PER_ORIGIN: setting(whole(1, 10_000), {
    group: 'Outgoing requests',
    default: '200',
    doc: 'Most connections of one worker process to one scheme, host and port. One endpoint gets two thirds of them at most, so that another behind the same host finds some.',
  }),
  HOOKSTREAM_EGRESS_RESPONSE_LIMIT_BYTES: setting(whole(0, 1024 * 1024), {
    group: 'Outgoing requests',
    default: String(16 * 1024),
    doc: 'How much of an answer is read and kept, in bytes; the connection is dropped there.',
  }),
  HOOKSTREAM_RETRY_AFTER_CAP_MS: setting(whole(0, 30 * 86_400_000), {
    group: 'Outgoing requests',
    default: String(86_400_000),
    doc: 'Longest postponement that a receiver’s `Retry-After` can ask for, in milliseconds.',
  }),

  HOOKSTREAM_WORKER_PORT: setting(whole(0, 65_535), {
    group: 'Worker',
    optional: true,
    doc: 'Port on which a worker answers `GET /health/live`, `GET /health/ready` and `GET /metrics`; 0 picks a free one. Absent: none. It listens on `HOOKSTREAM_HOST`.',
  }),
  HOOKSTREAM_MAX_CONCURRENT_ATTEMPTS: setting(whole(2, 10_000), {
    group: 'Worker',
    default: '500',
    doc: 'Attempts one worker process makes at once in the durable lane.',
  }),
  HOOKSTREAM_EXPRESS_MAX_ATTEMPTS: setting(whole(2, 10_000), {
    group: 'Worker',
    default: '500',
    doc: 'Attempts one worker process makes at once in the express lane.',
  }),
  HOOKSTREAM_AUTO_MAX_LAG_MS: setting(whole(10, 600_000), {
    group: 'Worker',
    default: '250',
    doc: 'A worker takes deliveries of the lane `auto` by the express lane while one that could go has waited longer than this, in milliseconds, or Temporal is away.',
  }),
  HOOKSTREAM_DISPATCH_BATCH_SIZE: setting(whole(1, 5_000), {
    group: 'Worker',
    default: '200',
    doc: 'Deliveries claimed from the outbox at once.',
  }),
  HOOKSTREAM_DISPATCH_CONCURRENCY: setting(whole(1, 1_000), {
    group: 'Worker',
    default: '32',
    doc: 'Workflows that one worker process starts at once.',
  }),
  HOOKSTREAM_DISPATCH_POLL_MS: setting(whole(50, 60_000), {
    group: 'Worker',
    default: '1000',
    doc: 'How often the outbox is looked at when no notification arrives, in milliseconds.',
  }),
  HOOKSTREAM_DISPATCH_LEASE_MS: setting(whole(1_000, 600_000), {
    group: 'Worker',
    default: '10000',
    doc: 'How long a claim holds before another worker may take the delivery over, in milliseconds. Shorter than the seven seconds after which a start that Temporal does not take is given up, what `auto` took for a workflow waits for Temporal.',
  }),
  HOOKSTREAM_DISPATCH_SLOW_ANSWER_MS: setting(whole(100, 600_000), {
    group: 'Worker',
    default: '1000',
    doc: 'An endpoint whose answers take this long on average, in milliseconds, is not sent all it may have at once: its attempts start evenly, as fast as it answers.',
  }),
  HOOKSTREAM_DISPATCH_UNTIMED_IN_FLIGHT: setting(whole(1, 10_000), {
    group: 'Worker',
    default: '10',
    doc: 'Attempts that one worker process has under way to an endpoint until its first answer shows how long they take.',
  }),
  HOOKSTREAM_RECONCILE_AFTER_MS: setting(whole(1_000, 86_400_000), {
    group: 'Worker',
    default: '300000',
    doc: 'An unfinished delivery that nothing has moved for this long past its due time is dispatched again, in milliseconds.',
  }),
  HOOKSTREAM_REPLAY_PAGE_SIZE: setting(whole(1, 5_000), {
    group: 'Worker',
    default: '200',
    doc: 'Deliveries that a replay of many queues at a time.',
  }),
  HOOKSTREAM_REPLAY_WAITING_MAX: setting(whole(1, 1_000_000), {
    group: 'Worker',
    default: '500',
    doc: 'Replayed deliveries of one tenant that may wait for their turn; its replays queue more as these go out. What a tenant accepts meanwhile waits behind this many at most.',
  }),
  HOOKSTREAM_SHUTDOWN_GRACE_MS: setting(whole(0, 600_000), {
    group: 'Worker',
    default: '10000',
    doc: 'How long a stopping process lets work under way finish before it hands it back, in milliseconds.',
  }),

  HOOKSTREAM_RETENTION_DAYS: setting(whole(1, 3_650), {
    group: 'Retention',
    default: '30',
    doc: 'How long events, deliveries and attempts are kept, in days.',
  }),
  HOOKSTREAM_AUDIT_RETENTION_DAYS: setting(whole(1, 3_650), {
    group: 'Retention',
    default: '365',
    doc: 'How long entries of the audit log are kept, in days.',
  }),
  HOOKSTREAM_PARTITIONS_AHEAD_DAYS: setting(whole(2, 90), {
    group: 'Retention',
    default: '14',
    doc: 'How many days of partitions are made ahead.',
  }),
  HOOKSTREAM_MAINTENANCE_INTERVAL_MS: setting(whole(1_000, 86_400_000), {
    group: 'Retention',
    default: '3600000',
    doc: 'How often partitions are made and dropped and expired rows deleted, in milliseconds.',
  }),

  HOOKSTREAM_LOG_LEVEL: setting(
    z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error'),
    {
      group: 'Logs',
      default: 'info',
      doc: '`debug`, `info`, `warn` or `error`.',
    },
  ),

  HOOKSTREAM_METRICS_TOKEN: setting(z.string().min(16, 'must have at least 16 characters'), {
    group: 'Metrics',
    optional: true,
    secret: true,
    doc: 'Bearer token that `GET /metrics` asks for, at least 16 characters. Absent: anybody who reaches the port may read, ids of tenants included.',
  }),
  HOOKSTREAM_METRICS_MAX_SERIES: setting(whole(1, 100_000), {
    group: 'Metrics',
    default: '1000',
    doc: 'Most pairs of tenant and event type, most tenants and most endpoints that a metric of one process tells apart; the rest is counted as `other`.',
  }),

  OTEL_EXPORTER_OTLP_ENDPOINT: setting(url('http:', 'https:'), {
    group: 'Traces',
    optional: true,
    doc: 'Where spans are sent by OTLP over HTTP, without the `/v1/traces` that is appended, as `http://collector:4318`. Absent: no traces.',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: setting(pairs, {
    group: 'Traces',
    default: '',
    secret: true,
    doc: 'Headers to send along, as `name=value,…` with percent-encoded values, such as `authorization=Bearer%20…`.',
  }),
  OTEL_EXPORTER_OTLP_PROTOCOL: setting(
    z.enum(['http/protobuf'], 'must be http/protobuf, which is the only one spoken'),
    {
      group: 'Traces',
      default: 'http/protobuf',
      doc: '`http/protobuf`. Collectors take it on port 4318; 4317 is that of gRPC, which is not spoken.',
    },
  ),
  OTEL_TRACES_EXPORTER: setting(z.enum(['otlp', 'none'], 'must be otlp or none'), {
    group: 'Traces',
    default: 'otlp',
    doc: '`none`: no traces, whatever else is set.',
  }),
  OTEL_TRACES_SAMPLER: setting(z.enum(TRACE_SAMPLERS, `must be one of ${TRACE_SAMPLERS.join(', ')}`), {
    group: 'Traces',
    default: 'parentbased_always_on',
    doc: 'Which traces are sent. `parentbased_…`: what came with a `traceparent` as that says, all others as the rest of the name says. The same for the API and the workers.',
  }),
  OTEL_TRACES_SAMPLER_ARG: setting(
    z
      .string()
      .regex(/^\d+(?:\.\d+)?$|^\.\d+$/, 'must be a number from 0 to 1')
      .transform(Number)
      .refine((n) => n <= 1, 'must be a number from 0 to 1'),
    {
      group: 'Traces',
      default: '1',
      doc: 'The share of traces that `traceidratio` and `parentbased_traceidratio` send, from 0 to 1.',
    },
  ),
  OTEL_SERVICE_NAME: setting(z.string().min(1, 'must not be empty'), {
    group: 'Traces',
    optional: true,
    doc: 'The `service.name` of spans. Absent: `hookstream-api` and `hookstream-worker`.',
  }),
  OTEL_RESOURCE_ATTRIBUTES: setting(pairs, {
    group: 'Traces',
    default: '',
    doc: 'More attributes of the process, as `deployment.environment.name=production,…`.',
  }),

  HOOKSTREAM_DATA_DIR: setting(z.string().min(1, 'must not be empty'), {
    group: 'Standalone',
    default: '.hookstream',
    doc: 'Where the standalone instance keeps its databases, keys, logs and `instance.json`.',
  }),
  HOOKSTREAM_TEMPORAL_UI_PORT: setting(whole(1, 65_535), {
    group: 'Standalone',
    default: '8233',
    doc: "Port of Temporal's Web UI in the standalone instance.",
  }),
  HOOKSTREAM_TEMPORAL_CLI: setting(z.string().min(1, 'must not be empty'), {
    group: 'Standalone',
    optional: true,
    doc: 'Path of a `temporal` binary to use instead of the one on PATH, in the cache, downloaded or built.',
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;
