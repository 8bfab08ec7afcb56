// Real: an API and a worker as processes, Postgres, Temporal, a receiver, and the pages that Prometheus reads. The rules and the dashboard are
// those that are shipped.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, TestReceiver } from '@hookstream/testing';
import { startServices, type Services } from './service-processes.js';

const TOKEN = 'token-of-the-scrapers';
const DEPLOY = join(import.meta.dirname, '..', '..', '..', 'deploy');
/** What Prometheus makes itself. */
const OF_PROMETHEUS = ['up'];

const CONTRACT: readonly [name: string, type: string, labels: string[]][] = [
  ['hookstream_events_accepted_total', 'counter', ['tenant', 'event_type']],
  ['hookstream_deliveries_total', 'counter', ['tenant', 'event_type', 'status']],
  ['hookstream_attempts_total', 'counter', ['outcome']],
  ['hookstream_delivery_duration_seconds', 'histogram', ['le']],
  ['hookstream_attempt_duration_seconds', 'histogram', ['le']],
  ['hookstream_queue_depth', 'gauge', ['tenant']],
  ['hookstream_oldest_pending_seconds', 'gauge', []],
  ['hookstream_circuit_breaker_state', 'gauge', ['endpoint']],
  ['hookstream_dispatch_lag_seconds', 'histogram', ['le']],
];

/** Metric names in an expression of PromQL: what is no function, keyword, label or text. */
function metricsOf(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"/g, '')
    .replace(/\$\{?\w+\}?/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '');
  const names = bare.match(/[a-z_][a-z0-9_:]*(?!\s*\()\b/g) ?? [];
  return names.filter((name) => /_/.test(name) || OF_PROMETHEUS.includes(name));
}

/** `expr` of the rules and `expr` of the panels. */
function shippedExpressions(): string[] {
  const rules = join(DEPLOY, 'prometheus', 'rules');
  const dashboards = join(DEPLOY, 'grafana', 'dashboards');
  const ofRules = readdirSync(rules).flatMap((file) =>
    [...readFileSync(join(rules, file), 'utf8').matchAll(/^\s+expr: (.*(?:\n {10,}.*)*)/gm)].map(
      ([, text]) => text as string,
    ),
  );
  const ofPanels = readdirSync(dashboards)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => [
      ...readFileSync(join(dashboards, file), 'utf8').matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g),
    ])
    .map(([, text]) => JSON.parse(text as string) as string);
  expect(ofRules.length).toBeGreaterThan(5);
  expect(ofPanels.length).toBeGreaterThan(10);
  return [...ofRules, ...ofPanels];
}

describe('metrics', () => {
  let services: Services;
  let receiver: TestReceiver;
  let tenant: { id: string; api_key: string };

  const page = async (url: string, path = '/metrics', token = TOKEN) => {
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, text: await response.text() };
  };
  const samples = async (url: string, name: string): Promise<string[]> =>
    (await page(url)).text.split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line));

  beforeAll(async () => {
    receiver = await TestReceiver.start();
    services = await startServices({
      HOOKSTREAM_METRICS_TOKEN: TOKEN,
      HOOKSTREAM_METRICS_MAX_SERIES: '3',
      HOOKSTREAM_LOG_LEVEL: 'info',
    });
    const { call, adminToken } = services;
    tenant = (await call('POST', '/tenants', adminToken, { name: 'Acme' })).body;
    receiver.on('/broken', { status: 500 });
    const endpoints = [
      { url: receiver.url('/express'), lane: 'express', event_types: ['order.paid'] },
      { url: receiver.url('/durable'), lane: 'durable', event_types: ['order.paid'] },
      { url: receiver.url('/broken'), retry: { delays_ms: [] }, event_types: ['order.lost'] },
    ];
    for (const body of endpoints)
      expect((await call('POST', '/endpoints', tenant.api_key, body)).status).toBe(201);
    for (const type of ['order.paid', 'order.lost', 'order.a', 'order.b', 'order.c'])
      expect((await call('POST', '/events', tenant.api_key, { type, data: 1 })).status).toBe(202);
    await eventually(async () => {
      const ended = await samples(services.workerUrl, 'hookstream_attempts_total');
      return (
        ended.includes('hookstream_attempts_total{outcome="succeeded"} 2') &&
        ended.includes('hookstream_attempts_total{outcome="http_error"} 1')
      );
    });
  });
  afterAll(async () => {
    await services.stop();
    await receiver.close();
  });

  it.each(CONTRACT)('has %s as a %s', async (name, type, labels) => {
    const pages = (await page(services.apiUrl)).text + (await page(services.workerUrl)).text;
    expect(pages).toContain(`# TYPE ${name} ${type}\n`);
    const lines = pages
      .split('\n')
      .filter((line) => line.startsWith(type === 'histogram' ? `${name}_bucket` : name));
    // nothing waits now, so no tenant has a depth
    if (name !== 'hookstream_queue_depth') expect(lines).not.toHaveLength(0);
    for (const line of lines)
      expect([...line.matchAll(/[{,](\w+)=/g)].map(([, label]) => label)).toEqual(labels);
  });

  it('counts what both lanes did, once', async () => {
    const ended = await samples(services.workerUrl, 'hookstream_deliveries_total');
    const of = (type: string, status: string) =>
      `hookstream_deliveries_total{tenant="${tenant.id}",event_type="${type}",status="${status}"}`;
    expect(ended).toContain(`${of('order.paid', 'succeeded')} 2`);
    expect(ended).toContain(`${of('order.lost', 'dead_letter')} 1`);
    expect(await samples(services.workerUrl, 'hookstream_delivery_duration_seconds_count')).toEqual([
      'hookstream_delivery_duration_seconds_count 2',
    ]);
    expect(await samples(services.workerUrl, 'hookstream_dispatch_lag_seconds_count')).toEqual([
      'hookstream_dispatch_lag_seconds_count 3',
    ]);
  });

  it('tells apart as many event types as it may, and counts the rest together', async () => {
    const accepted = await samples(services.apiUrl, 'hookstream_events_accepted_total');
    expect(accepted).toHaveLength(4);
    expect(accepted.at(-1)).toBe('hookstream_events_accepted_total{tenant="other",event_type="other"} 2');
  });

  it('says from both processes what the database knows', async () => {
    for (const url of [services.apiUrl, services.workerUrl]) {
      expect(await samples(url, 'hookstream_workers')).toEqual(['hookstream_workers 1']);
      expect(await samples(url, 'hookstream_circuit_breaker_state')).toHaveLength(3);
      expect(await samples(url, 'hookstream_partitions_ahead_seconds')).toEqual([
        'hookstream_partitions_ahead_seconds 172800',
      ]);
      expect(await samples(url, 'hookstream_ready')).toEqual(['hookstream_ready 1']);
    }
  });

  it.each(['nothing', 'not-the-token'])('are shown to nobody who brings %s', async (token) => {
    for (const [url, path] of [
      [services.apiUrl, '/metrics'],
      [services.apiUrl, '/api/v1/metrics'],
      [services.workerUrl, '/metrics'],
    ] as const) {
      const { status, text } = await page(url, path, token);
      expect(status).toBe(401);
      expect(text).not.toContain('hookstream_');
      expect((await page(url, path)).status).toBe(200);
    }
  });

  it('exist, each of those that the shipped rules and dashboards ask for', async () => {
    const pages = (await page(services.apiUrl)).text + (await page(services.workerUrl)).text;
    const there = new Set(pages.split('\n').map((line) => /^[a-z_]\w*/.exec(line)?.[0]));
    for (const [, name] of pages.matchAll(/^# TYPE (\S+) (?:gauge|counter)$/gm)) there.add(name);
    for (const expression of shippedExpressions())
      for (const name of metricsOf(expression))
        if (!OF_PROMETHEUS.includes(name))
          expect([expression, there.has(name) ? 'there' : name]).toEqual([expression, 'there']);
  });
});
