import { IsNull, LessThan } from 'typeorm';
import { auditChanges, idToUuid, uuidToId, type AuditActor, type AuditChanges } from '@hookstream/domain';
import type { Database } from '../database.js';
import { ApiKeyEntity } from '../entities/api-key.entity.js';
import { recordAudit } from './audit.repository.js';
import { cursorUuid, toPage, type Page, type PageRequest } from './page.js';

export interface ApiKeyRecord {
  id: string;
  tenantId: string;
  name: string;
  prefix: string;
  scopes: string[];
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  createdAt: Date;
}

export interface NewApiKey {
  id: string;
  name: string;
  prefix: string;
  /** SHA-256 of the key. */
  hash: Buffer;
  scopes: string[];
  expiresAt: Date | null;
}

/** What a request needs to know about the key it came with. */
export interface ApiKeyIdentity {
  id: string;
  tenantId: string;
  scopes: string[];
  expiresAt: Date | null;
}

export function apiKeyRow(tenantId: string, key: NewApiKey, now: Date): ApiKeyEntity {
  return {
    ...key,
    id: idToUuid('apiKey', key.id),
    tenantId: idToUuid('tenant', tenantId),
    lastUsedAt: null,
    revokedAt: null,
    createdAt: now,
  };
}

const toRecord = (row: ApiKeyEntity): ApiKeyRecord => ({
  id: uuidToId('apiKey', row.id),
  tenantId: uuidToId('tenant', row.tenantId),
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  expiresAt: row.expiresAt,
  lastUsedAt: row.lastUsedAt,
  createdAt: row.createdAt,
});

export class ApiKeysRepository {
  constructor(private readonly database: Database) {}

  async create(tenantId: string, key: NewApiKey, actor: AuditActor): Promise<ApiKeyRecord> {
    const row = apiKeyRow(tenantId, key, new Date());
    await this.database.dataSource.transaction(async (manager) => {
      await manager.insert(ApiKeyEntity, row);
      await recordAudit(manager, {
        ...{ tenantId, actor, action: 'api_key.created', objectKind: 'api_key', objectId: key.id },
        changes: shownChanges(key),
      });
    });
    return toRecord(row);
  }

  /**
   * Adds a key like the one before, which ends after the overlap (seconds; one that ends sooner keeps its end). Rotating the same key
   * twice at once makes two keys. @returns null when there is no such key, or it has ended.
   */
  async rotate(
    tenantId: string,
    id: string,
    successor: (previous: ApiKeyRecord) => NewApiKey,
    overlapSeconds: number,
    actor: AuditActor,
  ): Promise<{ key: ApiKeyRecord; previousExpiresAt: Date } | null> {
    return this.database.dataSource.transaction(async (manager) => {
      const previous = await manager.findOne(ApiKeyEntity, {
        where: { ...owned(tenantId, id), revokedAt: IsNull() },
        lock: { mode: 'for_no_key_update' },
      });
      if (previous === null || (previous.expiresAt !== null && previous.expiresAt <= new Date())) return null;
      const overlapEnd = new Date(Date.now() + overlapSeconds * 1000);
      const previousExpiresAt =
        previous.expiresAt !== null && previous.expiresAt < overlapEnd ? previous.expiresAt : overlapEnd;
      const key = successor(toRecord(previous));
      const row = apiKeyRow(tenantId, key, new Date());
      await manager.insert(ApiKeyEntity, row);
      await manager.update(ApiKeyEntity, { id: previous.id }, { expiresAt: previousExpiresAt });
      await recordAudit(manager, {
        ...{ tenantId, actor, action: 'api_key.rotated', objectKind: 'api_key', objectId: id },
        changes: {
          ...auditChanges<ApiKeyEntity>(previous, { expiresAt: previousExpiresAt }),
          replaced_by: { to: key.id },
        },
      });
      return { key: toRecord(row), previousExpiresAt };
    });
  }

  async find(tenantId: string, id: string): Promise<ApiKeyRecord | null> {
    const row = await this.keys.findOneBy({
      ...owned(tenantId, id),
      revokedAt: IsNull(),
    });
    return row && toRecord(row);
  }

  async list(tenantId: string, page: PageRequest): Promise<Page<ApiKeyRecord>> {
    const before = cursorUuid('apiKey', page);
    const rows = await this.keys.find({
      where: {
        tenantId: idToUuid('tenant', tenantId),
        revokedAt: IsNull(),
        ...(before === null ? {} : { id: LessThan(before) }),
      },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
    return toPage(rows.map(toRecord), page.limit);
  }

  /** @returns whether there was such a key, not yet revoked. */
  async revoke(tenantId: string, id: string, actor: AuditActor): Promise<boolean> {
    return this.database.dataSource.transaction(async (manager) => {
      const result = await manager.update(
        ApiKeyEntity,
        { ...owned(tenantId, id), revokedAt: IsNull() },
        { revokedAt: new Date() },
      );
      if (result.affected !== 1) return false;
      await recordAudit(manager, {
        ...{ tenantId, actor, action: 'api_key.revoked', objectKind: 'api_key', objectId: id },
      });
      return true;
    });
  }

  /** The key with that SHA-256, unless it is revoked or its tenant deleted. Runs on the hot path's pool. */
  async identify(hash: Buffer): Promise<ApiKeyIdentity | null> {
    const { rows } = await this.database.pool.query<{
      id: string;
      tenant_id: string;
      scopes: string[];
      expires_at: Date | null;
    }>({
      name: 'api-key-identify',
      text: `SELECT k.id, k.tenant_id, k.scopes, k.expires_at
               FROM api_keys k JOIN tenants t ON t.id = k.tenant_id AND t.deleted_at IS NULL
              WHERE k.hash = $1 AND k.revoked_at IS NULL`,
      values: [hash],
    });
    const row = rows[0];
    return row === undefined
      ? null
      : {
          id: uuidToId('apiKey', row.id),
          tenantId: uuidToId('tenant', row.tenant_id),
          scopes: row.scopes,
          expiresAt: row.expires_at,
        };
  }

  /** Notes that the key is in use, at most once a minute over all processes. */
  async touch(tenantId: string, id: string): Promise<void> {
    await this.database.pool.query(
      `UPDATE api_keys SET last_used_at = now()
        WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
      [idToUuid('tenant', tenantId), idToUuid('apiKey', id)],
    );
  }

  private get keys() {
    return this.database.dataSource.getRepository(ApiKeyEntity);
  }
}

function owned(tenantId: string, id: string): { tenantId: string; id: string } {
  return { tenantId: idToUuid('tenant', tenantId), id: idToUuid('apiKey', id) };
}

/** Neither the key nor its hash. */
function shownChanges({ name, prefix, scopes, expiresAt }: NewApiKey): AuditChanges | undefined {
  return auditChanges<NewApiKey>({}, { name, prefix, scopes, expiresAt });
}
