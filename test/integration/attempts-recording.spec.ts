// Real: Postgres. What one attempt reads before it goes and writes after it.
import {
  DAY_MS,
  idToUuid,
  newId,
  newUuid,
  type AttemptDecision,
  type AttemptOutcome,
  type AttemptTrigger,
  SYSTEM_ACTOR,
} from '@hookstream/domain';
import {
  AttemptsRepository,
  ensurePartitions,
  inTransaction,
  type AttemptRecord,
  type Database,
  type EndpointRecord,
} from '@hookstream/persistence';
import { eventually } from '@hookstream/testing';
import { StoredDeliveries } from './stored-deliveries.js';

const NUL = '\u0000';

describe('recording attempts', () => {
  let store: StoredDeliveries;
  let attempts: AttemptsRepository;
  let endpoint: EndpointRecord;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    // as many days as an installation has: what Postgres leaves out of a plan depends on them
    await ensurePartitions(store.database.pool, { now: Date.now(), aheadMs: 14 * DAY_MS });
    attempts = new AttemptsRepository(store.database.pool);
  });
  beforeEach(async () => {
    endpoint = await store.endpoint();
  });
  afterAll(() => store.drop());

  const begin = (deliveryId: string, number = 1, trigger: AttemptTrigger = 'schedule') =>
    attempts.begin({ deliveryId, number, trigger, lane: 'durable' });
  const owner = (deliveryId: string) => ({
    deliveryId,
    tenantId: store.tenantId,
    endpointId: endpoint.id,
    dueAt: new Date(),
  });

  const NEXT_DECISION: Record<
    'ok' | 'again' | 'exhausted' | 'gone',
    { outcome: AttemptOutcome; decision: AttemptDecision }
  > = {
    ok: {
      outcome: { kind: 'succeeded', statusCode: 200, durationMs: 12.4 },
      decision: { next: 'succeeded' },
    },
    again: {
      outcome: { kind: 'http_error', statusCode: 503, durationMs: 8, error: 'the receiver answered 503' },
      decision: { next: 'retry', delayMs: 1_000 },
    },
    exhausted: {
      outcome: { kind: 'timeout', durationMs: 15_000, error: 'no answer within 15000 ms' },
      decision: { next: 'dead_letter', reason: 'schedule_exhausted' },
    },
    gone: {
      outcome: { kind: 'http_error', statusCode: 410, durationMs: 8 },
      decision: { next: 'dead_letter', reason: 'gone' },
    },
  };

  function made(what: keyof typeof NEXT_DECISION, overrides: Partial<AttemptRecord> = {}): AttemptRecord {
    const startedAt = new Date();
    return {
      attemptId: newId('attempt'),
      number: 1,
      trigger: 'schedule',
      ...NEXT_DECISION[what],
      startedAt,
      nextAttemptAt: what === 'again' ? new Date(startedAt.getTime() + 1_000) : null,
      requestUrl: endpoint.url,
      requestHeaders: { 'webhook-id': 'evt' },
      ...overrides,
    };
  }

  /** So many rows that each is looked up by its id, and a connection that has planned nothing before. */
  async function aFullDay(): Promise<Database> {
    await store.database.pool.query(
      `INSERT INTO deliveries (id, tenant_id, event_id, endpoint_id, event_type, status, lane, created_at, updated_at)
       SELECT overlay(gen_random_uuid()::text PLACING $1 FROM 1 FOR 13)::uuid, $2, gen_random_uuid(), $2, 'filler', 'succeeded', 'express', now(), now()
         FROM generate_series(1, 100000)`,
      [newUuid().slice(0, 13), newUuid()],
    );
    await store.database.pool.query('ANALYZE deliveries');
    return store.testDatabase.open({ poolSize: 1, lookUpsOnly: true });
  }

  it('loads what an attempt needs and marks the delivery as in progress', async () => {
    const { deliveryId, eventId } = await store.acceptOne(endpoint, { dataText: '{"big":9007199254740993}' });
    const loaded = await begin(deliveryId);
    expect(loaded).toMatchObject({
      deliveryId,
      eventId,
      tenantId: store.tenantId,
      endpointId: endpoint.id,
      attemptCount: 0,
      begun: true,
      endpoint: { url: endpoint.url, status: 'enabled', timeoutMs: 5_000, encryptedHeaders: null },
    });
    expect(loaded?.payload).toMatch(
      /^\{"type":"order\.paid","timestamp":"[^"]+","data":\{"big":9007199254740993\}\}$/,
    );
    expect(loaded?.endpoint?.encryptedSecrets).toHaveLength(1);
    expect(await store.delivery(deliveryId)).toMatchObject({ status: 'in_progress', next_attempt_at: null });
  });

  it('loads all live secrets, newest first, and none that has ended', async () => {
    const secret = (value: string) => store.newSecret(endpoint.id, value);
    await store.endpoints.rotateSecret(store.tenantId, endpoint.id, secret('ended'), 0, SYSTEM_ACTOR);
    await store.endpoints.rotateSecret(store.tenantId, endpoint.id, secret('older'), 0, SYSTEM_ACTOR);
    await store.endpoints.rotateSecret(store.tenantId, endpoint.id, secret('newest'), 3_600, SYSTEM_ACTOR);
    const { deliveryId } = await store.acceptOne(endpoint);
    const loaded = await begin(deliveryId);
    const secrets = loaded?.endpoint?.encryptedSecrets.map((value) =>
      store.secretBox.decrypt(value, endpoint.id),
    );
    expect(secrets).toEqual(['newest', 'older']);
  });

  it.each([
    ['paused', 'schedule', false],
    ['disabled', 'schedule', false],
    ['paused', 'replay', false],
    ['paused', 'test', true],
    ['disabled', 'test', true],
  ] as const)('at a %s endpoint, an attempt due to %s goes: %s', async (status, trigger, goes) => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.setStatus(endpoint, status);
    expect(await begin(deliveryId, 1, trigger)).toMatchObject({ begun: goes, endpoint: { status } });
    expect((await store.delivery(deliveryId)).status).toBe(goes ? 'in_progress' : 'pending');
  });

  it.each(['succeeded', 'dead_letter', 'cancelled'] as const)(
    'goes for a %s delivery only by a replay',
    async (status) => {
      const { deliveryId } = await store.acceptOne(endpoint);
      await store.database.pool.query('UPDATE deliveries SET status = $2, attempt_count = 1 WHERE id = $1', [
        idToUuid('delivery', deliveryId),
        status,
      ]);
      expect((await begin(deliveryId, 2))?.begun).toBe(false);
      expect((await begin(deliveryId, 2, 'retry_now'))?.begun).toBe(false);
      expect((await begin(deliveryId, 2, 'replay'))?.begun).toBe(true);
    },
  );

  it('knows no delivery that does not exist', async () => {
    expect(await begin(newId('delivery'))).toBeUndefined();
  });

  it.each([
    ['ok', { status: 'succeeded', last_outcome: 'succeeded', last_status_code: 200, next_attempt_at: null }],
    ['again', { status: 'retrying', last_outcome: 'http_error', last_status_code: 503, completed_at: null }],
    [
      'exhausted',
      { status: 'dead_letter', last_outcome: 'timeout', last_status_code: null, next_attempt_at: null },
    ],
  ] as const)('stores the attempt and what it means: %s', async (what, expected) => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await begin(deliveryId);
    const record = made(what);
    await attempts.record(owner(deliveryId), record, 1);
    const delivery = await store.delivery(deliveryId);
    expect(delivery).toMatchObject({ ...expected, attempt_count: 1, schedule_step: 1 });
    expect(delivery.next_attempt_at).toEqual(record.nextAttemptAt);
    expect(delivery.completed_at === null).toBe(what === 'again');
    expect(await attempts.find(deliveryId, 1)).toEqual({
      attemptId: record.attemptId,
      trigger: 'schedule',
      outcome: { ...record.outcome, durationMs: Math.round(record.outcome.durationMs) },
      decision: record.decision,
      startedAt: record.startedAt,
      nextAttemptAt: record.nextAttemptAt,
    });
  });

  it('changes nothing when the same attempt is stored again', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await begin(deliveryId);
    const record = made('again');
    await attempts.record(owner(deliveryId), record, 1);
    await attempts.cancel(deliveryId);
    const before = await store.delivery(deliveryId);
    await attempts.record(owner(deliveryId), record, 1);
    expect(await store.delivery(deliveryId)).toEqual(before);
    expect(await store.attempts(deliveryId)).toHaveLength(1);
  });

  it('loses none of many that another transaction is just changing', async () => {
    const { pool } = await aFullDay();
    const deliveries = await store.accept(endpoint, 5);
    const uuids = deliveries.map(({ deliveryId }) => idToUuid('delivery', deliveryId));
    const recording = deliveries.map(({ deliveryId }) => ({
      delivery: { ...owner(deliveryId), inOutbox: true },
      attempt: made('ok'),
      scheduleStep: 1,
    }));
    const stored = await inTransaction(store.database.pool, async (other) => {
      await other.query(`UPDATE deliveries SET status = 'in_progress' WHERE id = ANY($1)`, [uuids]);
      const { rows } = await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const under = new AttemptsRepository(pool).recordAll(recording);
      const blocked = 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))';
      await eventually(async () => (await store.count(blocked, [rows[0]?.pid])) === 1);
      return { under };
    });
    await stored.under;
    expect(await store.withStatus(endpoint, 'succeeded')).toBe(5);
    expect(await Promise.all(deliveries.map(({ deliveryId }) => store.outboxRow(deliveryId)))).toEqual(
      deliveries.map(() => undefined),
    );
  });

  it('takes the row away that its workflow was started from, where that is not known there yet', async () => {
    const [failed, succeeded, handedBack, replayed] = (await store.accept(endpoint, 4)).map(
      ({ deliveryId }) => deliveryId,
    ) as [string, string, string, string];
    await store.claim('starts');
    await attempts.handBack(owner(handedBack), 0);
    await store.database.pool.query(`UPDATE outbox SET trigger = 'replay' WHERE delivery_id = $1`, [
      idToUuid('delivery', replayed),
    ]);
    await attempts.record(owner(failed), made('again'), 1);
    await attempts.record(owner(succeeded), made('ok'), 1);
    for (const id of [handedBack, replayed]) await attempts.record(owner(id), made('again'), 1);
    const rows = [failed, succeeded, handedBack, replayed].map((id) => store.outboxRow(id));
    expect((await Promise.all(rows)).map((row) => row !== undefined)).toEqual([false, false, true, true]);
  });

  it('lets a row that stands for a recorded attempt be claimed by what its delivery is by now', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    const stored = { delivery: { ...owner(deliveryId), inOutbox: true }, scheduleStep: 1 };
    await attempts.record(owner(deliveryId), made('ok'), 1);
    expect(await store.outboxRow(deliveryId)).toMatchObject({ event_id: expect.any(String) });
    await attempts.recordAll([{ ...stored, attempt: made('ok') }]);
    expect(await store.outboxRow(deliveryId)).toMatchObject({ event_id: null });
  });

  it('stores what Postgres cannot hold: NUL bytes in answer and error', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    const response = { headers: { 'content-type': 'text/plain' }, body: `a${NUL}b`, truncated: true };
    const outcome: AttemptOutcome = {
      kind: 'http_error',
      statusCode: 500,
      durationMs: 1,
      error: `bad${NUL}`,
      response,
    };
    await attempts.record(owner(deliveryId), made('again', { outcome }), 1);
    expect(await store.attempts(deliveryId)).toMatchObject([{ response_body: 'a\uFFFDb' }]);
    expect((await attempts.find(deliveryId, 1))?.outcome.error).toBe('bad\uFFFD');
  });

  it('disables the endpoint after a 410 and holds what else waits for it', async () => {
    const bystander = await store.endpoint();
    const elsewhere = await store.acceptOne(bystander);
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.claim('a');
    await store.outbox.acknowledge('a', [deliveryId]);
    await store.outbox.release('a', [elsewhere.deliveryId]);
    await store.accept(endpoint, 3);
    await attempts.record(owner(deliveryId), made('gone'), 1);
    expect(await store.delivery(deliveryId)).toMatchObject({ status: 'dead_letter', last_status_code: 410 });
    const after = await store.endpoints.find(store.tenantId, endpoint.id);
    expect(after).toMatchObject({ status: 'disabled', disabledReason: 'the receiver answered 410 Gone' });
    expect(await store.held(endpoint)).toBe(3);
    expect(await store.claim('b')).toEqual([elsewhere.deliveryId]);
    await store.setStatus(endpoint, 'enabled');
    expect(await store.claim('b')).toHaveLength(3);
  });

  it('keeps why an endpoint was disabled when a 410 comes after', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.setStatus(endpoint, 'disabled');
    await attempts.record(owner(deliveryId), made('gone'), 1);
    expect((await store.endpoints.find(store.tenantId, endpoint.id))?.disabledReason).toBe('by a test');
  });

  it('survives many 410s at once beside pauses, resumes and a delete', async () => {
    const deliveries = await store.accept(endpoint, 12);
    await Promise.all([
      ...deliveries.map(({ deliveryId }) => attempts.record(owner(deliveryId), made('gone'), 1)),
      store.setStatus(endpoint, 'paused'),
      store.setStatus(endpoint, 'enabled'),
      store.endpoints.delete(store.tenantId, endpoint.id, SYSTEM_ACTOR),
    ]);
    for (const { deliveryId } of deliveries) {
      expect((await store.delivery(deliveryId)).attempt_count).toBe(1);
      expect(await store.outboxRow(deliveryId)).toBeUndefined();
    }
  });

  describe('a delivery cancelled while its attempt was under way', () => {
    async function cancelledUnderWay(): Promise<string> {
      const { deliveryId } = await store.acceptOne(endpoint);
      await begin(deliveryId);
      await attempts.cancel(deliveryId);
      return deliveryId;
    }

    it.each(['again', 'exhausted'] as const)('stays cancelled: %s', async (what) => {
      const deliveryId = await cancelledUnderWay();
      await attempts.record(owner(deliveryId), made(what), 1);
      const delivery = await store.delivery(deliveryId);
      expect(delivery).toMatchObject({ status: 'cancelled', attempt_count: 1, next_attempt_at: null });
      expect(delivery.completed_at).toBeInstanceOf(Date);
    });

    it('counts as succeeded when the attempt did', async () => {
      const deliveryId = await cancelledUnderWay();
      await attempts.record(owner(deliveryId), made('ok'), 1);
      expect(await store.delivery(deliveryId)).toMatchObject({ status: 'succeeded', attempt_count: 1 });
    });

    it('is not handed back', async () => {
      const deliveryId = await cancelledUnderWay();
      await store.setStatus(endpoint, 'paused');
      await store.database.pool.query('DELETE FROM outbox');
      await attempts.handBack(owner(deliveryId), 0);
      expect((await store.delivery(deliveryId)).status).toBe('cancelled');
      expect(await store.outboxRow(deliveryId)).toBeUndefined();
    });
  });

  it('hands a delivery back without using up its schedule', async () => {
    const [fresh, tried] = await store.accept(endpoint, 2);
    await store.claim('a');
    const ids = [fresh, tried].map((delivery) => delivery?.deliveryId as string) as [string, string];
    await store.outbox.acknowledge('a', ids);
    await attempts.record(owner(ids[1]), made('again'), 1);
    await store.setStatus(endpoint, 'paused');
    await attempts.handBack(owner(ids[0]), 0);
    await attempts.handBack(owner(ids[1]), 1);
    expect(await store.delivery(ids[0])).toMatchObject({
      status: 'pending',
      attempt_count: 0,
      schedule_step: 0,
    });
    expect(await store.delivery(ids[1])).toMatchObject({
      status: 'retrying',
      attempt_count: 1,
      schedule_step: 1,
      next_attempt_at: null,
    });
    expect(await store.held(endpoint)).toBe(2);
  });

  it('does not cancel what succeeded', async () => {
    const { deliveryId } = await store.acceptOne(endpoint);
    await attempts.record(owner(deliveryId), made('ok'), 1);
    await attempts.cancel(deliveryId);
    expect((await store.delivery(deliveryId)).status).toBe('succeeded');
  });
});
