import { ConfigError, loadApiConfig, loadStandaloneConfig, loadWorkerConfig, SETTINGS } from './index.js';

// Pure: environments are given as objects.

const KEY = Buffer.alloc(32, 7).toString('base64');
const ENV = {
  DATABASE_URL: 'postgres://u:p4ssw0rd@127.0.0.1:5432/hookstream',
  HOOKSTREAM_ADMIN_TOKEN: 'a-token-of-sixteen-characters',
  HOOKSTREAM_ENCRYPTION_KEY: KEY,
};

function problemsOf(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.setting);
    throw error;
  }
  return [];
}

describe('configuration', () => {
  it('needs nothing but the database, the token and the key', () => {
    const api = loadApiConfig(ENV);
    expect(api).toMatchObject({
      port: 3000,
      temporal: { namespace: 'hookstream' },
      accept: { maxBodyBytes: 1_048_576 },
    });
    expect(loadWorkerConfig(ENV)).toMatchObject({
      egress: { allowCidrs: [], schemes: ['https'] },
      retention: { retentionMs: 30 * 86_400_000 },
    });
  });

  it.each<[Record<string, string>, object | undefined]>([
    [{}, undefined],
    [{ TEMPORAL_TLS: 'false' }, undefined],
    [{ TEMPORAL_TLS: 'true' }, {}],
    [{ TEMPORAL_API_KEY: 'k' }, {}],
    [{ TEMPORAL_TLS_SERVER_NAME: 'temporal' }, { serverName: 'temporal' }],
    [
      { TEMPORAL_TLS_CLIENT_CERT_PATH: '/c', TEMPORAL_TLS_CLIENT_KEY_PATH: '/k' },
      { client: { certFile: '/c', keyFile: '/k' } },
    ],
  ])('reads TLS to Temporal from %j', (env, tls) => {
    expect(loadWorkerConfig({ ...ENV, ...env }).temporal.tls).toEqual(tls);
  });

  it.each<[Record<string, string>, string]>([
    [{ TEMPORAL_TLS_CLIENT_CERT_PATH: '/c' }, 'TEMPORAL_TLS_CLIENT_KEY_PATH'],
    [{ TEMPORAL_TLS_CLIENT_KEY_PATH: '/k' }, 'TEMPORAL_TLS_CLIENT_CERT_PATH'],
    [{ TEMPORAL_TLS: 'false', TEMPORAL_API_KEY: 'k' }, 'TEMPORAL_TLS'],
  ])('refuses half a TLS connection %j', (env, problem) => {
    expect(problemsOf(() => loadApiConfig({ ...ENV, ...env }))).toEqual([problem]);
  });

  it('reports every problem at once, by name and without values', () => {
    const env = {
      ...ENV,
      DATABASE_URL: 'mysql://u:p4ssw0rd@h/d',
      HOOKSTREAM_PORT: '70000',
      HOOKSTREAM_ENCRYPTION_KEY: 'c2hvcnQ=',
      HOOKSTREAM_ADMIN_TOKEN: '',
    };
    expect(problemsOf(() => loadApiConfig(env)).sort()).toEqual(
      ['DATABASE_URL', 'HOOKSTREAM_ADMIN_TOKEN', 'HOOKSTREAM_ENCRYPTION_KEY', 'HOOKSTREAM_PORT'].sort(),
    );
    expect(() => loadApiConfig(env)).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/p4ssw0rd|c2hvcnQ=|70000/) }),
    );
  });

  it.each([
    ['HOOKSTREAM_EGRESS_ALLOW_CIDRS', '127.0.0.1'],
    ['HOOKSTREAM_EGRESS_ALLOW_CIDRS', '10.0.0.0/8,all'],
    ['HOOKSTREAM_EGRESS_SCHEMES', 'ftp'],
    ['HOOKSTREAM_EGRESS_PORTS', '443,99999'],
    ['HOOKSTREAM_EGRESS_PROXY_URL', 'socks5://proxy:1080'],
    ['HOOKSTREAM_RETENTION_DAYS', '0'],
    ['HOOKSTREAM_MAX_CONCURRENT_ATTEMPTS', '1e3'],
    ['TEMPORAL_ADDRESS', 'localhost'],
    ['TEMPORAL_TLS', 'yes'],
    ['HOOKSTREAM_LOG_LEVEL', 'loud'],
  ])('refuses %s=%s by its name', (name, value) => {
    expect(problemsOf(() => loadWorkerConfig({ ...ENV, [name]: value }))).toEqual([name]);
  });

  it('refuses to accept events for a time when their payload will be gone', () => {
    expect(problemsOf(() => loadApiConfig({ ...ENV, HOOKSTREAM_RETENTION_DAYS: '7' }))).toEqual([
      'HOOKSTREAM_MAX_DELIVER_AHEAD_DAYS',
    ]);
  });

  it('sends traces where an endpoint is named, and only there', () => {
    const named = { ...ENV, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318/otlp/' };
    expect(loadApiConfig(ENV).traces).toBeUndefined();
    expect(loadWorkerConfig({ ...named, OTEL_TRACES_EXPORTER: 'none' }).traces).toBeUndefined();
    expect(loadWorkerConfig(named).traces).toEqual({
      url: 'https://collector:4318/otlp/v1/traces',
      headers: {},
      sampler: 'parentbased_always_on',
      ratio: 1,
      resourceAttributes: {},
    });
    expect(
      loadApiConfig({
        ...named,
        OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic YTpi==, x-scope = a%2Cb',
        OTEL_TRACES_SAMPLER: 'traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.05',
        OTEL_SERVICE_NAME: 'webhooks',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=production',
      }).traces,
    ).toMatchObject({
      headers: { Authorization: 'Basic YTpi==', 'x-scope': 'a,b' },
      ...{ sampler: 'traceidratio', ratio: 0.05, serviceName: 'webhooks' },
      resourceAttributes: { 'deployment.environment.name': 'production' },
    });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'Bearer s3cret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization=s3cret%'],
    ['OTEL_EXPORTER_OTLP_HEADERS', '=s3cret'],
    ['OTEL_TRACES_EXPORTER', 'jaeger'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ])('refuses traces by %s=%s, and does not repeat it', (name, value) => {
    const load = () => loadWorkerConfig({ ...ENV, [name]: value });
    expect(problemsOf(load)).toEqual([name]);
    expect(load).toThrow(expect.objectContaining({ message: expect.not.stringContaining('s3cret') }));
  });

  it('allows loopback and http in the standalone instance unless told otherwise', () => {
    expect(loadStandaloneConfig({})).toMatchObject({
      allowCidrs: ['127.0.0.0/8', '::1/128'],
      schemes: ['https', 'http'],
      host: '127.0.0.1',
    });
    expect(loadStandaloneConfig({ HOOKSTREAM_EGRESS_ALLOW_CIDRS: '10.0.0.0/8' }).allowCidrs).toEqual([
      '10.0.0.0/8',
    ]);
  });

  it('takes several encryption keys, the active one first', () => {
    const older = Buffer.alloc(32, 9).toString('base64');
    expect(
      loadWorkerConfig({ ...ENV, HOOKSTREAM_ENCRYPTION_KEY: `${KEY}, ${older}` }).encryptionKeys,
    ).toEqual([KEY, older]);
  });

  it('has a default that its own rule accepts for every setting that has one', () => {
    for (const [name, setting] of Object.entries(SETTINGS)) {
      if ('default' in setting)
        expect([name, setting.schema.safeParse(setting.default).success]).toEqual([name, true]);
    }
  });
});
