import { IsNull, LessThan, type EntityManager } from 'typeorm';
import {
  auditChanges,
  DEFAULT_TENANT_LIMITS,
  idToUuid,
  uuidToId,
  type AuditAction,
  type AuditActor,
  type AuditChanges,
  type TenantLimits,
} from '@hookstream/domain';
import type { Database } from '../database.js';
import { ApiKeyEntity } from '../entities/api-key.entity.js';
import { TenantEntity } from '../entities/tenant.entity.js';
import { apiKeyRow, type NewApiKey } from './api-keys.repository.js';
import { recordAudit } from './audit.repository.js';
import { removeWaiting } from './outbox-holding.sql.js';
import { cursorUuid, toPage, type Page, type PageRequest } from './page.js';

export interface TenantRecord {
  id: string;
  name: string;
  metadata: Record<string, string>;
  limits: TenantLimits;
  createdAt: Date;
  updatedAt: Date;
}

export interface TenantPatch {
  name?: string | undefined;
  metadata?: Record<string, string> | undefined;
  /** Those that are absent stay. */
  limits?: Partial<TenantLimits> | undefined;
}

const toRecord = (row: TenantEntity): TenantRecord => ({
  id: uuidToId('tenant', row.id),
  name: row.name,
  metadata: row.metadata,
  limits: {
    eventsPerSecond: row.eventsPerSecond,
    burst: row.burst,
    maxPending: row.maxPending,
    maxInFlight: row.maxInFlight,
    weight: row.dispatchWeight,
  },
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
});

type TenantColumns = Pick<
  TenantEntity,
  'name' | 'metadata' | 'eventsPerSecond' | 'burst' | 'maxPending' | 'maxInFlight' | 'dispatchWeight'
>;

/** The columns that are given a value. */
function columnsOf({
  name,
  metadata,
  limits: { weight, ...limits } = {},
}: TenantPatch): Partial<TenantColumns> {
  const columns = { name, metadata, ...limits, dispatchWeight: weight };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

export class TenantsRepository {
  constructor(private readonly database: Database) {}

  /** The tenant and its first key, in one transaction. */
  async create(
    tenant: { id: string; name: string; metadata: Record<string, string>; limits?: Partial<TenantLimits> },
    firstKey: NewApiKey,
    actor: AuditActor,
  ): Promise<TenantRecord> {
    const now = new Date();
    const columns = columnsOf({ ...tenant, limits: { ...DEFAULT_TENANT_LIMITS, ...tenant.limits } });
    return this.database.dataSource.transaction(async (manager) => {
      const row = manager.create(TenantEntity, {
        ...columns,
        eventTypesVersion: '0',
        id: idToUuid('tenant', tenant.id),
        createdAt: now,
        updatedAt: now,
        deletedAt: null,
      });
      await manager.insert(TenantEntity, row);
      await manager.insert(ApiKeyEntity, apiKeyRow(tenant.id, firstKey, now));
      await audit(
        manager,
        tenant.id,
        actor,
        'tenant.created',
        auditChanges<TenantColumns>({}, { ...columns, metadata: {} }),
      );
      return toRecord(row);
    });
  }

  async find(id: string): Promise<TenantRecord | null> {
    const row = await this.tenants.findOneBy({ id: idToUuid('tenant', id), deletedAt: IsNull() });
    return row && toRecord(row);
  }

  async list(page: PageRequest): Promise<Page<TenantRecord>> {
    const before = cursorUuid('tenant', page);
    const rows = await this.tenants.find({
      where: { deletedAt: IsNull(), ...(before === null ? {} : { id: LessThan(before) }) },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
    return toPage(rows.map(toRecord), page.limit);
  }

  async update(id: string, patch: TenantPatch, actor: AuditActor): Promise<TenantRecord | null> {
    const given = columnsOf(patch);
    return this.database.dataSource.transaction(async (manager) => {
      const before = await manager.findOne(TenantEntity, {
        where: { id: idToUuid('tenant', id), deletedAt: IsNull() },
        lock: { mode: 'for_no_key_update' },
      });
      if (before === null) return null;
      const changed = { ...given, updatedAt: new Date() };
      await manager.update(TenantEntity, { id: before.id }, changed);
      const changes = auditChanges<TenantColumns>(before, given);
      if (changes) await audit(manager, id, actor, 'tenant.updated', changes);
      return toRecord({ ...before, ...changed });
    });
  }

  /**
   * Revokes the tenant's keys, deletes its endpoints and cancels what has not been delivered, in one transaction.
   * Rows stay until their retention ends. @returns whether there was such a tenant.
   */
  async delete(id: string, actor: AuditActor): Promise<boolean> {
    const uuid = idToUuid('tenant', id);
    return this.database.dataSource.transaction(async (manager) => {
      // endpoints before their tenant, as every change of an endpoint takes them
      await manager.query(
        `SELECT FROM endpoints WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY id FOR UPDATE`,
        [uuid],
      );
      const deleted = await manager.update(
        TenantEntity,
        { id: uuid, deletedAt: IsNull() },
        { deletedAt: new Date() },
      );
      if (deleted.affected !== 1) return false;
      await manager.query(
        `UPDATE api_keys SET revoked_at = now() WHERE tenant_id = $1 AND revoked_at IS NULL`,
        [uuid],
      );
      await manager.query(
        `UPDATE endpoints SET deleted_at = now() WHERE tenant_id = $1 AND deleted_at IS NULL`,
        [uuid],
      );
      await removeWaiting(manager, uuid);
      await manager.query(
        `UPDATE deliveries SET status = 'cancelled', next_attempt_at = NULL, completed_at = now(), updated_at = now()
          WHERE tenant_id = $1 AND status IN ('pending', 'in_progress', 'retrying')`,
        [uuid],
      );
      await audit(manager, id, actor, 'tenant.deleted');
      return true;
    });
  }

  private get tenants() {
    return this.database.dataSource.getRepository(TenantEntity);
  }
}

function audit(
  manager: EntityManager,
  tenantId: string,
  actor: AuditActor,
  action: AuditAction,
  changes?: AuditChanges,
): Promise<void> {
  return recordAudit(manager, {
    ...{ tenantId, actor, action, changes },
    objectKind: 'tenant',
    objectId: tenantId,
  });
}
