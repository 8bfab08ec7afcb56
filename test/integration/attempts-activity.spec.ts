// Real: Postgres, signing, encryption, the HTTP client and the receiver. Scripted only where a test says so: a database that fails.
import { attemptDelivery, AttemptRecorder, type DeliveryActivityDeps } from '@hookstream/activities';
import { createEgressClient, EgressFaultError, type EgressClient } from '@hookstream/egress';
import { idToUuid, newId, SYSTEM_ACTOR, type AttemptTrigger } from '@hookstream/domain';
import { createLogger } from '@hookstream/observability';
import { AttemptsRepository, type AttemptRecord, type EndpointRecord } from '@hookstream/persistence';
import { createWebhookSigner, generateEncryptionKey, parseKeyRing, SecretBox } from '@hookstream/signing';
import { eventually, TestReceiver } from '@hookstream/testing';
import { StoredDeliveries } from './stored-deliveries.js';

describe('the attempt activity', () => {
  let store: StoredDeliveries;
  let receiver: TestReceiver;
  let egress: EgressClient;
  let repository: AttemptsRepository;
  let path: string;
  let endpoint: EndpointRecord;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    receiver = await TestReceiver.start();
    egress = createEgressClient({ allowCidrs: ['127.0.0.0/8'], schemes: ['http'] });
    repository = new AttemptsRepository(store.database.pool);
  });
  beforeEach(async () => {
    path = `/${newId('event')}`;
    endpoint = await store.endpoint(receiver.url(path));
  });
  afterAll(async () => {
    await egress.close();
    await receiver.close();
    await store.drop();
  });

  function deps(overrides: Partial<DeliveryActivityDeps> = {}): DeliveryActivityDeps {
    return {
      attempts: repository,
      recorder: recordingThrough((...made) => repository.record(...made)),
      egress,
      circuits: { onAttempt: () => undefined },
      decrypt: (ciphertext, endpointId) => store.secretBox.decrypt(ciphertext, endpointId),
      signer: createWebhookSigner(),
      logger: createLogger({ name: 'test', level: 'silent' }),
      userAgent: 'Hookstream/test',
      retryAfterCapMs: 86_400_000,
      now: Date.now,
      random: () => 0.5,
      ...overrides,
    };
  }

  const attempt = (
    deliveryId: string,
    options: {
      number?: number;
      step?: number;
      trigger?: AttemptTrigger;
      deps?: DeliveryActivityDeps;
      signal?: AbortSignal;
    } = {},
  ) =>
    attemptDelivery(
      options.deps ?? deps(),
      {
        deliveryId,
        attemptNumber: options.number ?? 1,
        scheduleStep: options.step ?? 0,
        trigger: options.trigger ?? 'schedule',
        lane: 'durable',
      },
      options.signal,
    );

  /** A real recorder, except that storing an attempt goes through `record`. */
  const recordingThrough = (record: AttemptsRepository['record'], signal?: AbortSignal): AttemptRecorder =>
    new AttemptRecorder({
      attempts: {
        record,
        recordAll: async (group) => {
          for (const { delivery, attempt, scheduleStep } of group)
            await record(delivery, attempt, scheduleStep);
        },
      },
      logger: createLogger({ name: 'test', level: 'silent' }),
      ...{ batchSize: 10, withinMs: 1, underWay: () => 1, ...(signal ? { signal } : {}) },
    });

  it('sends, records and says what follows', async () => {
    receiver.on(path, [
      { status: 503, body: 'later' },
      { status: 200, body: 'ok' },
    ]);
    const { deliveryId } = await store.acceptOne(endpoint);
    const first = await attempt(deliveryId);
    expect(first).toMatchObject({
      kind: 'attempted',
      outcome: { kind: 'http_error', statusCode: 503 },
      decision: { next: 'retry', delayMs: 50 },
      scheduleLength: 3,
    });
    expect(await store.delivery(deliveryId)).toMatchObject({
      status: 'retrying',
      attempt_count: 1,
      schedule_step: 1,
    });
    const second = await attempt(deliveryId, { number: 2, step: 1 });
    expect(second).toMatchObject({ kind: 'attempted', decision: { next: 'succeeded' } });
    expect(await store.attempts(deliveryId)).toMatchObject([
      { number: 1, outcome: 'http_error', status_code: 503, response_body: 'later' },
      { number: 2, outcome: 'succeeded', status_code: 200, response_body: 'ok' },
    ]);
  });

  it('does not send again what was recorded, and answers what was decided then', async () => {
    receiver.on(path, { status: 503 });
    const { deliveryId } = await store.acceptOne(endpoint);
    const first = await attempt(deliveryId);
    const again = await attempt(deliveryId);
    expect(again).toEqual({ ...first, scheduleLength: undefined });
    expect(receiver.requestsTo(path)).toHaveLength(1);
    expect(await store.delivery(deliveryId)).toMatchObject({ attempt_count: 1, status: 'retrying' });
  });

  it('records an answer with NUL bytes', async () => {
    receiver.on(path, { status: 200, body: Buffer.from([0x61, 0x00, 0x62]) });
    const { deliveryId } = await store.acceptOne(endpoint);
    expect(await attempt(deliveryId)).toMatchObject({ decision: { next: 'succeeded' } });
    expect(await store.attempts(deliveryId)).toMatchObject([{ response_body: 'a\uFFFDb' }]);
  });

  it('disables the endpoint at a 410', async () => {
    receiver.on(path, { status: 410 });
    const { deliveryId } = await store.acceptOne(endpoint);
    const waiting = await store.acceptOne(endpoint);
    expect(await attempt(deliveryId)).toMatchObject({ decision: { next: 'dead_letter', reason: 'gone' } });
    expect(await store.statusOf(endpoint)).toBe('disabled');
    expect(await attempt(waiting.deliveryId)).toMatchObject({ kind: 'handed_back' });
    expect(receiver.requestsTo(path)).toHaveLength(1);
  });

  it.each(['paused', 'disabled'] as const)('hands back what a %s endpoint may not get', async (status) => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.setStatus(endpoint, status);
    expect(await attempt(deliveryId, { number: 3, step: 2 })).toEqual({
      kind: 'handed_back',
      reason: `the endpoint is ${status}`,
    });
    expect(await store.delivery(deliveryId)).toMatchObject({ schedule_step: 2, attempt_count: 0 });
    expect(receiver.requestsTo(path)).toHaveLength(0);
  });

  it.each(['succeeded', 'dead_letter', 'cancelled'] as const)(
    'does not revive a %s delivery whose endpoint is paused',
    async (status) => {
      const { deliveryId } = await store.acceptOne(endpoint);
      await store.setStatus(endpoint, 'paused');
      await store.database.pool.query('DELETE FROM outbox');
      await store.database.pool.query('UPDATE deliveries SET status = $2 WHERE id = $1', [
        idToUuid('delivery', deliveryId),
        status,
      ]);
      expect(await attempt(deliveryId)).toEqual({ kind: 'cancelled', reason: `the delivery is ${status}` });
      expect((await store.delivery(deliveryId)).status).toBe(status);
      expect(await store.outboxRow(deliveryId)).toBeUndefined();
    },
  );

  it('holds the replay of a finished delivery while the endpoint is paused', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await attempt(deliveryId);
    await store.setStatus(endpoint, 'paused');
    expect(await attempt(deliveryId, { number: 2, trigger: 'replay' })).toMatchObject({
      kind: 'handed_back',
    });
    expect(await store.delivery(deliveryId)).toMatchObject({
      status: 'retrying',
      attempt_count: 1,
      schedule_step: 0,
    });
  });

  it('does not send for a delivery that was cancelled', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await repository.cancel(deliveryId);
    expect(await attempt(deliveryId)).toEqual({ kind: 'cancelled', reason: 'the delivery is cancelled' });
    expect(receiver.requestsTo(path)).toHaveLength(0);
  });

  it('leaves cancelled what was cancelled while its attempt failed', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    receiver.on(path, async () => {
      await repository.cancel(deliveryId);
      return { status: 500 };
    });
    await attempt(deliveryId);
    expect(await store.delivery(deliveryId)).toMatchObject({
      status: 'cancelled',
      attempt_count: 1,
      next_attempt_at: null,
    });
    expect(await attempt(deliveryId, { number: 2, step: 1 })).toMatchObject({ kind: 'cancelled' });
  });

  it('cancels when the endpoint is deleted', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.endpoints.delete(store.tenantId, endpoint.id, SYSTEM_ACTOR);
    expect(await attempt(deliveryId)).toEqual({ kind: 'cancelled', reason: 'the endpoint was deleted' });
    expect((await store.delivery(deliveryId)).status).toBe('cancelled');
    expect(receiver.requestsTo(path)).toHaveLength(0);
  });

  it('ends a delivery whose payload is gone', async () => {
    const { deliveryId, eventId } = await store.acceptOne(endpoint);
    await store.database.pool.query('DELETE FROM events WHERE id = $1', [idToUuid('event', eventId)]);
    expect(await attempt(deliveryId)).toEqual({ kind: 'expired' });
    const delivery = await store.delivery(deliveryId);
    expect(delivery.status).toBe('cancelled');
    expect(delivery.completed_at).not.toBeNull();
    expect(receiver.requestsTo(path)).toHaveLength(0);
  });

  it('answers "expired" when the delivery itself is gone', async () => {
    expect(await attempt(newId('delivery'))).toEqual({ kind: 'expired' });
  });

  it('sends once and records in the end while the database fails', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    let failures = 3;
    const recorder = recordingThrough(async (delivery, record, step) => {
      if (failures-- > 0)
        throw Object.assign(new Error('the database system is shutting down'), { code: '57P03' });
      await repository.record(delivery, record, step);
    });
    expect(await attempt(deliveryId, { deps: deps({ recorder }) })).toMatchObject({
      decision: { next: 'succeeded' },
    });
    expect(receiver.requestsTo(path)).toHaveLength(1);
    expect(await store.attempts(deliveryId)).toHaveLength(1);
    expect((await store.delivery(deliveryId)).status).toBe('succeeded');
  });

  it('records once when only the answer of the database was lost', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    let lost = 2;
    const recorder = recordingThrough(async (delivery, record, step) => {
      await repository.record(delivery, record, step);
      if (lost-- > 0) throw new Error('Connection terminated unexpectedly');
    });
    await attempt(deliveryId, { deps: deps({ recorder }) });
    expect(receiver.requestsTo(path)).toHaveLength(1);
    expect(await store.attempts(deliveryId)).toHaveLength(1);
  });

  it('records although every connection was terminated while the receiver worked', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    const admin = await store.testDatabase.open({ poolSize: 1 });
    receiver.on(path, async () => {
      await admin.pool.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
      return { status: 200 };
    });
    expect(await attempt(deliveryId)).toMatchObject({ decision: { next: 'succeeded' } });
    expect(receiver.requestsTo(path)).toHaveLength(1);
    expect(await store.attempts(deliveryId)).toHaveLength(1);
  });

  it('records without the answer what the database refuses to store', async () => {
    receiver.on(path, { status: 500, body: 'strange' });
    const { deliveryId } = await store.acceptOne(endpoint);
    const refusing = recordingThrough((delivery, record: AttemptRecord, step) => {
      if (record.outcome.response)
        throw Object.assign(new Error('unsupported Unicode escape sequence'), { code: '22P05' });
      return repository.record(delivery, record, step);
    });
    expect(await attempt(deliveryId, { deps: deps({ recorder: refusing }) })).toMatchObject({
      outcome: { kind: 'http_error', statusCode: 500 },
      decision: { next: 'retry' },
    });
    expect(await store.attempts(deliveryId)).toMatchObject([{ status_code: 500, response_body: null }]);
    expect(receiver.requestsTo(path)).toHaveLength(1);
  });

  it('stops waiting for the database when its worker stops', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    const stopping = new AbortController();
    let tries = 0;
    const recorder = recordingThrough(() => {
      tries += 1;
      return Promise.reject(new Error('away'));
    }, stopping.signal);
    const outcome = expect(attempt(deliveryId, { deps: deps({ recorder }) })).rejects.toThrow();
    await eventually(() => tries > 0);
    stopping.abort();
    await outcome;
    expect(await store.delivery(deliveryId)).toMatchObject({ attempt_count: 0 });
  });

  it('throws when a secret cannot be decrypted, and charges nothing', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    const otherBox = new SecretBox(parseKeyRing(generateEncryptionKey()));
    const wrongKey = deps({ decrypt: (ciphertext, endpointId) => otherBox.decrypt(ciphertext, endpointId) });
    await expect(attempt(deliveryId, { deps: wrongKey })).rejects.toMatchObject({
      code: 'decryption_failed',
    });
    await notCharged(deliveryId);
    expect(receiver.requestsTo(path)).toHaveLength(0);
  });

  it('throws when the proxy is away, and charges nothing', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    const proxied = createEgressClient({
      allowCidrs: ['127.0.0.0/8'],
      schemes: ['http'],
      proxyUrl: 'http://127.0.0.1:1',
    });
    await expect(attempt(deliveryId, { deps: deps({ egress: proxied }) })).rejects.toBeInstanceOf(
      EgressFaultError,
    );
    await proxied.close();
    await notCharged(deliveryId);
  });

  it('records nothing when it is aborted under way', async () => {
    receiver.on(path, { kind: 'hang' });
    const { deliveryId } = await store.acceptOne(endpoint);
    const stopping = new AbortController();
    const outcome = expect(attempt(deliveryId, { signal: stopping.signal })).rejects.toThrow('worker stops');
    await receiver.waitForRequests(path, 1);
    stopping.abort(new Error('worker stops'));
    await outcome;
    await notCharged(deliveryId);
  });

  async function notCharged(deliveryId: string): Promise<void> {
    expect(await store.attempts(deliveryId)).toEqual([]);
    expect(await store.delivery(deliveryId)).toMatchObject({
      attempt_count: 0,
      schedule_step: 0,
      last_outcome: null,
    });
  }
});
