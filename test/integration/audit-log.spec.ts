// Real: Postgres. What is written with a change is there with it or not at all, and expires.
import { createMaintenanceActivities } from '@hookstream/activities';
import { DAY_MS, idToUuid, newId, SYSTEM_ACTOR, uuidToId, uuidV7Floor } from '@hookstream/domain';
import { AuditRepository, inTransaction, MaintenanceRepository, recordAudit } from '@hookstream/persistence';
import { StoredDeliveries } from './stored-deliveries.js';

describe('the audit log', () => {
  let store: StoredDeliveries;
  let audit: AuditRepository;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    audit = new AuditRepository(store.database);
  });
  afterAll(() => store.drop());

  const entry = (objectId = newId('endpoint')) => ({
    tenantId: store.tenantId,
    actor: SYSTEM_ACTOR,
    action: 'endpoint.disabled' as const,
    objectKind: 'endpoint',
    objectId,
    reason: 'the receiver answered 410 Gone',
    changes: { status: { from: 'enabled', to: 'disabled' } },
  });
  const entriesOf = async (objectId: string) =>
    (await audit.list(store.tenantId, { objectId }, { limit: 10 })).data;

  it('keeps who did what to what, when and why', async () => {
    const one = entry();
    await recordAudit(store.database.pool, one);
    expect(await entriesOf(one.objectId)).toMatchObject([
      { ...one, actor: { kind: 'system', id: null, name: null, prefix: null } },
    ]);
  });

  it('keeps the name that a key had', async () => {
    const [key] = (await store.database.pool.query<{ id: string }>('SELECT id FROM api_keys LIMIT 1')).rows;
    const actor = { kind: 'key' as const, id: uuidToId('apiKey', key?.id ?? '') };
    const one = { ...entry(), actor };
    await recordAudit(store.database.pool, one);
    expect((await entriesOf(one.objectId))[0]?.actor).toEqual({
      ...actor,
      name: 'first',
      prefix: 'hs_test_',
    });
  });

  it.each(['pg', 'TypeORM'])('belongs to the transaction of the change (%s)', async (kind) => {
    const one = entry();
    const fail = () => Promise.reject(new Error('changed my mind'));
    const undone =
      kind === 'pg'
        ? inTransaction(store.database.pool, (client) => recordAudit(client, one).then(fail))
        : store.database.dataSource.transaction((manager) => recordAudit(manager, one).then(fail));
    await expect(undone).rejects.toThrow('changed my mind');
    expect(await entriesOf(one.objectId)).toEqual([]);
    await store.database.dataSource.transaction((manager) => recordAudit(manager, one));
    expect(await entriesOf(one.objectId)).toHaveLength(1);
  });

  it('expires by its own retention, whatever the number of entries', async () => {
    const one = entry();
    await recordAudit(store.database.pool, one);
    await store.database.pool.query(
      `INSERT INTO audit_log (id, tenant_id, actor_kind, action, object_kind, object_id, created_at)
       SELECT (substr($1::text, 1, 14) || '7' || substr($1::text, 16, 15) || lpad(n::text, 6, '0'))::uuid, $2, 'system', 'endpoint.disabled', 'endpoint', 'old', now()
         FROM generate_series(1, 2001) n`,
      [uuidV7Floor(Date.now() - 6 * DAY_MS), idToUuid('tenant', store.tenantId)],
    );
    const purge = () =>
      createMaintenanceActivities({
        database: store.database,
        maintenance: new MaintenanceRepository(store.database.pool),
        secretBox: store.secretBox,
        retentionMs: DAY_MS,
        auditRetentionMs: 5 * DAY_MS,
        partitionsAheadMs: DAY_MS,
        now: Date.now,
      }).purgeExpired();
    expect(await purge()).toMatchObject({ auditEntries: 2_001 });
    expect(await entriesOf(one.objectId)).toHaveLength(1);
    expect(await entriesOf('old')).toEqual([]);
  });
});
