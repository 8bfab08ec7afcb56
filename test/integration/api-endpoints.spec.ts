// Real: API on a socket, Postgres. Temporal is up but not asked.
import { idToUuid, newId } from '@hookstream/domain';
import { keyIdOf, parseKeyRing, SecretBox } from '@hookstream/signing';
import { startTestApi, type TestApi, type TestTenant } from './api-fixture.js';

describe('endpoints', () => {
  let api: TestApi;
  let tenant: TestTenant;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    tenant = await api.createTenant();
  });

  const call = (method: string, path: string, body?: unknown) =>
    api.call(method, path, { token: tenant.key, body });
  const create = async (settings: object = {}) =>
    (await call('POST', '/endpoints', { url: 'https://example.com/hooks', ...settings })).body;
  const outbox = (endpointId: string) =>
    api.rows<{ held: boolean; due: boolean }>(
      `SELECT claimable_at = 'infinity' AS held, claimable_at <= now() AS due FROM outbox WHERE endpoint_id = $1`,
      [idToUuid('endpoint', endpointId)],
    );
  const box = () => new SecretBox(parseKeyRing(api.config.encryptionKeys.join(',')));

  it('has the defaults of the design', async () => {
    expect(await create()).toMatchObject({
      type: 'http',
      url: 'https://example.com/hooks',
      description: '',
      event_types: [],
      headers: {},
      timeout_ms: 15_000,
      retry: { preset: 'standard' },
      rate_limit: null,
      max_in_flight: 100,
      circuit: { failure_threshold: 5, cooldown_ms: 600_000, disable_after_ms: 432_000_000 },
      lane: 'auto',
      signature: { scheme: 'v1' },
      metadata: {},
      status: 'enabled',
      disabled_reason: null,
      circuit_state: 'closed',
      verified_at: null,
    });
  });

  it('keeps every policy it is given', async () => {
    const settings = {
      description: 'Orders',
      event_types: ['order.*', 'refund.made'],
      timeout_ms: 5_000,
      retry: {
        strategy: 'exponential',
        base_ms: 1000,
        factor: 2,
        max_delay_ms: 60_000,
        max_attempts: 9,
        jitter: 0,
      },
      rate_limit: { per_second: 0.5, burst: 3 },
      max_in_flight: 7,
      circuit: { failure_threshold: 0, cooldown_ms: 1_000, disable_after_ms: 60_000 },
      lane: 'durable',
      signature: { scheme: 'v1', compat: { header: 'X-Sig', encoding: 'base64' } },
      metadata: { team: 'a' },
    };
    const created = await create(settings);
    const { body } = await call('GET', `/endpoints/${created.id as string}`);
    expect(body).toMatchObject(settings);
  });

  it('shows its secret once and never again, anywhere', async () => {
    const created = await create({ headers: { Authorization: 'Bearer s3cr3t', 'X-Plain': 'seen' } });
    const secret = created.secret as string;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const id = created.id as string;
    const answers = [
      await call('GET', `/endpoints/${id}`),
      await call('GET', '/endpoints'),
      await call('PATCH', `/endpoints/${id}`, { description: 'x' }),
      await call('POST', `/endpoints/${id}/pause`),
      await call('POST', `/endpoints/${id}/resume`),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.text).not.toContain(secret.slice(6));
      expect(answer.text).not.toContain('s3cr3t');
    }
    expect(answers[0]?.body.headers).toEqual({ Authorization: '[redacted]', 'X-Plain': 'seen' });
    const stored = JSON.stringify(
      [await api.rows('SELECT * FROM endpoints'), await api.rows('SELECT * FROM endpoint_secrets')],
      (_key, value: unknown) =>
        (value as { type?: string } | null)?.type === 'Buffer'
          ? Buffer.from((value as { data: number[] }).data).toString('latin1')
          : value,
    );
    expect(stored).not.toContain('s3cr3t');
    expect(stored).not.toContain(secret.slice(6));
  });

  it('makes an ed25519 key for v1a and says its public half', async () => {
    const created = await create({ signature: { scheme: 'v1a' } });
    expect(created.secret).toMatch(/^whsk_/);
    expect(created.public_key).toMatch(/^whpk_/);
  });

  it('rotates: the old secret ends with the overlap, the new one stays', async () => {
    const created = await create();
    const id = created.id as string;
    const before = Date.now();
    const rotated = await call('POST', `/endpoints/${id}/rotate-secret`, { overlap_seconds: 60 });
    expect(rotated.status).toBe(200);
    expect(rotated.body.secret).not.toBe(created.secret);
    const ends = Date.parse(rotated.body.previous_secrets_expire_at as string);
    expect(ends).toBeGreaterThanOrEqual(before + 59_000);
    expect(ends).toBeLessThan(Date.now() + 61_000);
    const rows = await api.rows<{ ciphertext: Buffer; key_id: string; expires_at: Date | null }>(
      'SELECT ciphertext, key_id, expires_at FROM endpoint_secrets WHERE endpoint_id = $1 ORDER BY id',
      [idToUuid('endpoint', id)],
    );
    expect(rows.map((row) => box().decrypt(row.ciphertext, id))).toEqual([
      created.secret,
      rotated.body.secret,
    ]);
    expect(rows.map((row) => row.expires_at?.getTime() ?? null)).toEqual([ends, null]);
    expect(rows.every((row) => row.key_id === keyIdOf(row.ciphertext))).toBe(true);
  });

  it('rotates with a day of overlap when nothing is said, and never prolongs an older secret', async () => {
    const id = (await create()).id as string;
    await call('POST', `/endpoints/${id}/rotate-secret`, { overlap_seconds: 60 });
    const second = await call('POST', `/endpoints/${id}/rotate-secret`);
    expect(second.status).toBe(200);
    const rows = await api.rows<{ seconds: number | null }>(
      `SELECT round(extract(epoch FROM expires_at - now()))::int AS seconds FROM endpoint_secrets WHERE endpoint_id = $1 ORDER BY id`,
      [idToUuid('endpoint', id)],
    );
    expect(rows).toHaveLength(3);
    expect(rows[0]?.seconds).toBeLessThanOrEqual(60);
    expect(rows[1]?.seconds).toBeGreaterThan(86_000);
    expect(rows[2]?.seconds).toBeNull();
  });

  it('takes up a changed signature scheme with the next rotation', async () => {
    const id = (await create()).id as string;
    await call('PATCH', `/endpoints/${id}`, { signature: { scheme: 'v1a' } });
    const rotated = await call('POST', `/endpoints/${id}/rotate-secret`);
    expect(rotated.body.secret).toMatch(/^whsk_/);
    expect(rotated.body.public_key).toMatch(/^whpk_/);
  });

  it('changes what a PATCH names and nothing else; a new URL has proved nothing', async () => {
    const { secret: _secret, ...created } = await create({
      rate_limit: { per_second: 1 },
      event_types: ['a'],
    });
    const id = created.id as string;
    await api.rows('UPDATE endpoints SET verified_at = now() WHERE id = $1', [idToUuid('endpoint', id)]);
    const first = await call('PATCH', `/endpoints/${id}`, { rate_limit: null, event_types: [] });
    expect(first.body).toEqual({
      ...created,
      rate_limit: null,
      event_types: [],
      verified_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const second = await call('PATCH', `/endpoints/${id}`, { url: 'https://example.com/other' });
    expect(second.body).toMatchObject({ url: 'https://example.com/other', verified_at: null });
    expect((await call('PATCH', `/endpoints/${id}`, { url: 'https://u:p@example.com' })).status).toBe(422);
  });

  it('keeps a stored header where its redacted value is sent back', async () => {
    const id = (await create({ headers: { Authorization: 'Bearer one', 'X-A': '1' } })).id as string;
    await call('PATCH', `/endpoints/${id}`, { headers: { authorization: '[redacted]', 'X-B': '2' } });
    const [row] = await api.rows<{ headers: Buffer }>('SELECT headers FROM endpoints WHERE id = $1', [
      idToUuid('endpoint', id),
    ]);
    expect(JSON.parse(box().decrypt(row?.headers ?? Buffer.alloc(0), id))).toEqual({
      authorization: 'Bearer one',
      'X-B': '2',
    });
    const removed = await call('PATCH', `/endpoints/${id}`, { headers: null });
    expect(removed.body.headers).toEqual({});
  });

  it('holds what waits while paused and releases it on resume', async () => {
    const id = (await create()).id as string;
    await call('POST', '/events', { type: 'a', data: 1 });
    expect((await call('POST', `/endpoints/${id}/pause`)).body).toMatchObject({ status: 'paused' });
    await call('POST', '/events', { type: 'a', data: 2 });
    expect(await outbox(id)).toEqual([
      { held: true, due: false },
      { held: true, due: false },
    ]);
    expect((await call('POST', `/endpoints/${id}/pause`)).status).toBe(200);
    expect((await call('POST', `/endpoints/${id}/resume`)).body).toMatchObject({ status: 'enabled' });
    expect(await outbox(id)).toEqual([
      { held: false, due: true },
      { held: false, due: true },
    ]);
  });

  it('keeps a deliver_at over a pause', async () => {
    const id = (await create()).id as string;
    await call('POST', '/events', {
      type: 'a',
      data: 1,
      deliver_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    await call('POST', `/endpoints/${id}/pause`);
    await call('POST', `/endpoints/${id}/resume`);
    expect(await outbox(id)).toEqual([{ held: false, due: false }]);
  });

  it('can be disabled and enabled, with a reason while it lasts', async () => {
    const id = (await create()).id as string;
    const disabled = await call('PATCH', `/endpoints/${id}`, { status: 'disabled' });
    expect(disabled.body).toMatchObject({ status: 'disabled', disabled_reason: 'disabled through the API' });
    const enabled = await call('POST', `/endpoints/${id}/resume`);
    expect(enabled.body).toMatchObject({ status: 'enabled', disabled_reason: null });
  });

  it('is gone once deleted, with what waited for it', async () => {
    const id = (await create()).id as string;
    const event = await call('POST', '/events', { type: 'a', data: 1 });
    expect((await call('DELETE', `/endpoints/${id}`)).status).toBe(204);
    expect(await outbox(id)).toEqual([]);
    const detail = await call('GET', `/events/${event.body.id as string}`);
    expect(detail.body.deliveries).toMatchObject([
      { endpoint_id: id, status: 'cancelled', next_attempt_at: null },
    ]);
    expect((await call('POST', '/events', { type: 'a', data: 1 })).body.deliveries).toBe(0);
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/rotate-secret'],
      ['POST', '/test'],
      ['POST', '/verify'],
    ] as const) {
      const answer = await call(method, `/endpoints/${id}${path}`, method === 'PATCH' ? {} : undefined);
      expect([method, path, answer.status]).toEqual([method, path, 404]);
    }
    expect((await call('GET', '/endpoints')).body.data).toEqual([]);
    expect((await call('GET', `/endpoints/${newId('endpoint')}`)).status).toBe(404);
  });

  it('pages newest first', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.unshift((await create()).id as string);
    const first = await call('GET', '/endpoints?limit=2');
    const second = await call('GET', `/endpoints?limit=2&cursor=${first.body.next_cursor as string}`);
    expect([...first.body.data, ...second.body.data].map((e: { id: string }) => e.id)).toEqual(ids);
    expect(second.body.next_cursor).toBeNull();
  });
});
