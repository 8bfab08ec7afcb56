// Real: an API and a worker as processes that log all they have to say, Postgres, Temporal and receivers. Known secrets go through every path
// that touches them; then all that came out is searched: logs, Temporal histories, answers, metrics.
import { randomBytes } from 'node:crypto';
import { connectTemporal, type TemporalClient } from '@hookstream/temporal-client';
import { eventually, TestReceiver, testTemporalOptions } from '@hookstream/testing';
import { startServices, type Services } from './service-processes.js';

const canary = (what: string): string => `canary-${what}-${randomBytes(9).toString('hex')}`;

describe('secrets', () => {
  const given = {
    header: canary('header'),
    payload: canary('payload'),
    path: canary('path'),
    answer: canary('answer'),
    metricsToken: canary('metrics-token'),
    foreignKey: `hs_live_${randomBytes(32).toString('base64url')}`,
  };
  /** By what they are; filled as they are made. */
  const secrets: Record<string, string> = { ...given };
  const answers: { request: string; text: string }[] = [];
  const endpoints: string[] = [];
  let services: Services;
  let receiver: TestReceiver;
  let temporal: TemporalClient;
  let key: string;

  /** @param shown secrets that this answer is there to tell */
  const call = async (method: string, path: string, body?: unknown, shown: string[] = [], token = key) => {
    const answer = await services.call(method, path, token, body);
    let text = JSON.stringify(answer.body);
    for (const secret of shown.map((name) => answer.body[name] as string))
      text = text.replace(secret, 'shown');
    answers.push({ request: `${method} ${path} ${answer.status}`, text });
    return answer;
  };
  const deliveriesOf = async (eventId: string): Promise<string[]> => {
    const { body } = await call('GET', `/events/${eventId}`);
    return body.deliveries.map(({ id }: { id: string }) => id);
  };

  beforeAll(async () => {
    receiver = await TestReceiver.start();
    services = await startServices({
      HOOKSTREAM_LOG_LEVEL: 'debug',
      HOOKSTREAM_METRICS_TOKEN: given.metricsToken,
    });
    temporal = connectTemporal({ ...testTemporalOptions(), namespace: services.namespace });
    Object.assign(secrets, { adminToken: services.adminToken, encryptionKey: services.encryptionKey });
    const tenant = await call('POST', '/tenants', { name: 'Acme' }, ['api_key'], services.adminToken);
    key = tenant.body.api_key as string;
    secrets['apiKey'] = key;
  });
  afterAll(async () => {
    await temporal.close();
    await services.stop();
    await receiver.close();
  });

  it('go through everything that is done with them', async () => {
    const path = `/hooks/${given.path}`;
    // the second answer cannot be stored as it is
    receiver.on(path, [{ status: 200 }, { status: 500, body: `${given.answer}\u0000` }, { status: 200 }]);
    receiver.on('/dead', { status: 500, body: given.answer });
    for (const [lane, url] of [
      ['durable', receiver.url(path)],
      ['express', receiver.url(`${path}?express`)],
      ['express', receiver.url('/dead')],
      ['durable', 'http://10.1.2.3/'],
    ]) {
      const { status, body } = await call(
        'POST',
        '/endpoints',
        {
          ...{ url, lane, event_types: ['order.paid'], retry: { delays_ms: [50], jitter: 0 } },
          headers: { authorization: `Bearer ${given.header}` },
        },
        ['secret'],
      );
      expect(status).toBe(201);
      endpoints.push(body.id as string);
      secrets[`secret of ${body.id}`] = body.secret as string;
    }
    const event = { type: 'order.paid', data: { card: given.payload } };
    const first = await call('POST', '/events', event);
    const deliveries = await deliveriesOf(first.body.id as string);
    expect(deliveries).toHaveLength(4);
    const statuses = async () =>
      Promise.all(deliveries.map(async (id) => (await call('GET', `/deliveries/${id}`)).body.status));
    await eventually(
      async () => (await statuses()).sort().join() === 'dead_letter,dead_letter,succeeded,succeeded',
      { timeoutMs: 30_000, intervalMs: 200 },
    );
    for (const id of deliveries) await call('POST', `/deliveries/${id}/replay`);
    await eventually(
      async () => (await statuses()).sort().join() === 'dead_letter,dead_letter,succeeded,succeeded',
      {
        timeoutMs: 30_000,
        intervalMs: 200,
      },
    );
    const [endpoint] = endpoints as [string];
    const rotated = await call('POST', `/endpoints/${endpoint}/rotate-secret`, {}, ['secret']);
    secrets['rotated secret'] = rotated.body.secret as string;
    await call('POST', `/endpoints/${endpoint}/test`);
    await call('POST', `/endpoints/${endpoint}/verify`);
    await call('PATCH', `/endpoints/${endpoint}`, { headers: { 'x-api-key': given.header } });
    const created = await call('POST', '/api-keys', { name: 'second' }, ['key']);
    secrets['second key'] = created.body.key as string;
  });

  it('go wrong in every way that they can', async () => {
    await call('GET', '/endpoints', undefined, [], given.foreignKey);
    await call('GET', '/tenants', undefined, [], `${services.adminToken}x`);
    await call('POST', '/events', `{"type":"order.paid","data":"${given.payload}"`);
    await call('POST', '/events', { type: 'order paid', data: given.payload });
    await call('POST', '/events', { type: 'order.paid', data: given.payload, [given.payload]: 1 });
    await call('POST', '/endpoints', {
      url: `http://user:${given.header}@example.com/`,
      headers: { authorization: given.header },
    });
    await call('POST', '/endpoints', { url: receiver.url(), headers: { 'bad header': given.header } });
    await call('PATCH', `/endpoints/${endpoints[0]}`, { headers: { authorization: `${given.header}\n` } });
    expect(answers.filter(({ request }) => / 4\d\d$/.test(request)).length).toBeGreaterThanOrEqual(8);

    // our own failures: what the database says of them is for the log, and not all of it
    const { pool } = await services.database.open();
    for (const table of ['endpoint_secrets', 'events', 'api_keys']) {
      await pool.query(`ALTER TABLE ${table} RENAME TO away`);
      try {
        await call('POST', '/endpoints', {
          url: receiver.url(),
          headers: { authorization: given.header },
          description: given.payload,
        });
        await call('POST', '/events', { type: 'order.paid', data: given.payload });
        await call('POST', '/api-keys', { name: given.payload });
      } finally {
        await pool.query(`ALTER TABLE away RENAME TO ${table}`);
      }
    }
    const failures = answers.filter(({ request }) => request.endsWith(' 500'));
    expect(failures.length).toBeGreaterThanOrEqual(3);
    for (const { text } of failures) expect(Object.keys(JSON.parse(text)).sort()).toEqual(PROBLEM_OF_OURS);
  });

  it('are in no log', async () => {
    await Promise.all([services.api.stop(), services.worker.stop()]);
    const lines = [...services.api.lines, ...services.worker.lines];
    const attempts = lines.filter((line) => line.includes('"msg":"attempt"')).map((line) => JSON.parse(line));
    expect(attempts.length).toBeGreaterThan(8);
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({
        tenant_id: expect.stringMatching(/^tnt_/),
        delivery_id: expect.stringMatching(/^dlv_/),
      });
      expect(attempt.trace_id).toMatch(/^[0-9a-f]{32}$/);
    }
    expect(lines.filter((line) => line.includes('"msg":"event accepted"')).length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes('"msg":"request failed"')).length).toBeGreaterThanOrEqual(3);
    for (const line of lines) expect(secretsIn(line)).toEqual([]);
  });

  it('are in no history of Temporal, nor in what it lists', async () => {
    const texts: string[] = [];
    for await (const execution of temporal.client.workflow.list()) {
      const history = await temporal.client.workflow
        .getHandle(execution.workflowId, execution.runId)
        .fetchHistory();
      const text = JSON.stringify([execution.raw, history], asText);
      expect(text).toContain(execution.workflowId);
      expect(secretsIn(text)).toEqual([]);
      texts.push(text);
    }
    expect(texts.length).toBeGreaterThanOrEqual(4);
    // what a workflow was told can be read here
    expect(texts.filter((text) => text.includes('\\"eventType\\":\\"order.paid\\"')).length).toBeGreaterThan(
      0,
    );
  });

  it('are in no answer but the one that tells them', () => {
    expect(answers.length).toBeGreaterThan(30);
    for (const { request, text } of answers) {
      // what a tenant's own objects hold is the tenant's to read
      const own = new Set(request.endsWith(' 500') ? [] : ['payload', 'path', 'answer']);
      expect([request, ...secretsIn(text).filter((what) => !own.has(what))]).toEqual([request]);
    }
  });

  const PROBLEM_OF_OURS = ['code', 'request_id', 'status', 'title', 'type'];

  function secretsIn(text: string): string[] {
    return Object.entries(secrets)
      .filter(([, secret]) => text.includes(secret) || text.includes(secret.replace(/^whsec_/, '')))
      .map(([what]) => what);
  }
});

/** Payloads as the text that they are: as JSON, a message has them in base64. */
function asText(name: string, value: unknown): unknown {
  return name === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value;
}
