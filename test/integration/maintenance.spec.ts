// Real: Postgres, encryption and, in the last test, the Temporal Schedule, its workflow and the worker.
import { createMaintenanceActivities } from '@hookstream/activities';
import { DAY_MS, idToUuid, SYSTEM_ACTOR, uuidV7Floor } from '@hookstream/domain';
import { ensurePartitions, MaintenanceRepository } from '@hookstream/persistence';
import { generateEncryptionKey, generateSecret, parseKeyRing, SecretBox } from '@hookstream/signing';
import { eventually } from '@hookstream/testing';
import { StoredDeliveries } from './stored-deliveries.js';
import { WorkerInstance } from './worker-instance.js';

describe('maintenance', () => {
  let store: StoredDeliveries;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
  });
  afterAll(() => store.drop());

  const activities = (secretBox = store.secretBox) =>
    createMaintenanceActivities({
      database: store.database,
      maintenance: new MaintenanceRepository(store.database.pool),
      secretBox,
      retentionMs: 3 * DAY_MS,
      auditRetentionMs: 5 * DAY_MS,
      partitionsAheadMs: 4 * DAY_MS,
      now: Date.now,
    });

  it('makes partitions ahead and drops those past retention', async () => {
    await ensurePartitions(store.database.pool, { now: Date.now() - 9 * DAY_MS, aheadMs: DAY_MS });
    const { created, dropped } = await activities().maintainPartitions();
    expect(created).toHaveLength(3 * 2);
    expect(dropped).toHaveLength(3 * 3);
    expect(await activities().maintainPartitions()).toEqual({ created: [], dropped: [] });
  });

  it('deletes outbox rows whose deliveries are gone, which a paused endpoint would hold for ever', async () => {
    const endpoint = await store.endpoint();
    await store.setStatus(endpoint, 'paused');
    const { deliveryId } = await store.acceptOne(endpoint);
    const old = uuidV7Floor(Date.now() - 5 * DAY_MS);
    await store.database.pool.query(
      `INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at) VALUES ($1, $2, $3, now(), 'infinity')`,
      [old, idToUuid('tenant', store.tenantId), idToUuid('endpoint', endpoint.id)],
    );
    await activities().maintainPartitions();
    expect(await store.count('SELECT count(*)::int AS n FROM outbox WHERE delivery_id = $1', [old])).toBe(0);
    expect(await store.outboxRow(deliveryId)).toBeDefined();
  });

  it('deletes what has ended, in as many pages as it takes, and nothing else', async () => {
    await store.database.pool.query(
      `INSERT INTO idempotency_keys (tenant_id, key, request_hash, response, expires_at)
       SELECT $1, 'key-' || n, '', '{}', now() + CASE WHEN n <= 2500 THEN -interval '1 s' ELSE interval '1 hour' END
         FROM generate_series(1, 2503) n`,
      [idToUuid('tenant', store.tenantId)],
    );
    const endpoint = await store.endpoint();
    await store.endpoints.rotateSecret(
      store.tenantId,
      endpoint.id,
      store.newSecret(endpoint.id, generateSecret('v1')),
      0,
      SYSTEM_ACTOR,
    );
    await store.database.pool.query(`UPDATE endpoint_secrets SET expires_at = expires_at - interval '1 s'`);
    expect(await activities().purgeExpired()).toEqual({
      idempotencyKeys: 2_500,
      secrets: 1,
      auditEntries: 0,
      replays: 0,
      stats: 0,
    });
    expect(await activities().purgeExpired()).toEqual({
      idempotencyKeys: 0,
      secrets: 0,
      auditEntries: 0,
      replays: 0,
      stats: 0,
    });
    expect(await store.count('SELECT count(*)::int AS n FROM idempotency_keys')).toBe(3);
  });

  it('deletes minutes after two days, hours after thirty, days with the deliveries', async () => {
    const zeros = ', 0'.repeat(11);
    await store.database.pool.query(
      `INSERT INTO stats SELECT gen_random_uuid(), period, date_trunc(period, now() - age, 'UTC')${zeros}, '{}', '{}'
         FROM (VALUES ('minute', interval '47 hours'), ('minute', '49 hours'), ('hour', '29 days'), ('hour', '31 days'),
                      ('day', '2 days'), ('day', '4 days')) AS rows (period, age)`,
    );
    expect(await activities().purgeExpired()).toMatchObject({ stats: 3 });
    const { rows } = await store.database.pool.query(
      'SELECT period, now() - starts_at < $1 AS young FROM stats ORDER BY 1',
      ['30 days'],
    );
    expect(rows).toEqual(['day', 'hour', 'minute'].map((period) => ({ period, young: true })));
  });

  it('encrypts again what an older key holds, so that the older key can go', async () => {
    const secret = generateSecret('v1');
    const endpoint = await store.endpoint(undefined, { secret, headers: { 'x-a': 'b' } });
    const newKey = generateEncryptionKey();
    const both = new SecretBox(parseKeyRing([newKey, store.encryptionKey]));
    const { reencrypted } = await activities(both).reencryptSecrets();
    expect(reencrypted).toBeGreaterThanOrEqual(2);
    expect(await activities(both).reencryptSecrets()).toEqual({ reencrypted: 0 });
    const onlyNew = new SecretBox(parseKeyRing(newKey));
    const stored = await store.endpoints.find(store.tenantId, endpoint.id);
    expect(onlyNew.decrypt(stored?.headers as Buffer, endpoint.id)).toBe('{"x-a":"b"}');
    const { rows } = await store.database.pool.query<{ ciphertext: Buffer; key_id: string }>(
      'SELECT ciphertext, key_id FROM endpoint_secrets WHERE endpoint_id = $1',
      [idToUuid('endpoint', endpoint.id)],
    );
    expect(rows.map((row) => onlyNew.decrypt(row.ciphertext, endpoint.id))).toEqual([secret]);
    expect(rows[0]?.key_id).toBe(onlyNew.currentKeyId);
  });

  it('does not overwrite a secret that changed while it was encrypted again', async () => {
    const repository = new MaintenanceRepository(store.database.pool);
    const endpoint = await store.endpoint(undefined, { headers: { 'x-a': 'old' } });
    const values = await repository.encryptedValues('headers', null, 1_000);
    const value = values.find(({ rowId }) => rowId === endpoint.id);
    const changed = store.secretBox.encrypt('{"x-a":"new"}', endpoint.id);
    await store.endpoints.update(store.tenantId, endpoint.id, { headers: changed }, SYSTEM_ACTOR);
    if (!value) throw new Error('the headers were not found');
    const next = { ciphertext: store.secretBox.encrypt('{"x-a":"old"}', endpoint.id), keyId: 'x' };
    expect(await repository.replaceCiphertext(value, next)).toBe(false);
    const stored = await store.endpoints.find(store.tenantId, endpoint.id);
    expect(store.secretBox.decrypt(stored?.headers as Buffer, endpoint.id)).toBe('{"x-a":"new"}');
  });

  it('runs by the Temporal Schedule that a worker makes, with the retention set', async () => {
    const instance = await WorkerInstance.create({ ownNamespace: true });
    try {
      const { pool } = instance.store.database;
      await ensurePartitions(pool, { now: Date.now() - 6 * DAY_MS, aheadMs: 0 });
      const partitions = () =>
        instance.store.count(
          `SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'deliveries'::regclass`,
        );
      expect(await partitions()).toBe(2 + 4);
      await instance.startWorker({ HOOKSTREAM_RETENTION_DAYS: '3', HOOKSTREAM_PARTITIONS_AHEAD_DAYS: '5' });
      await eventually(async () => (await partitions()) === 7, { timeoutMs: 40_000 });
    } finally {
      await instance.stop();
    }
  });
});
