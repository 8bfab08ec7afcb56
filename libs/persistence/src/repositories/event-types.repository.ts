import { MoreThan, type EntityManager } from 'typeorm';
import {
  auditChanges,
  DomainError,
  idToUuid,
  MAX_EVENT_TYPES,
  uuidToId,
  type AuditAction,
  type AuditActor,
  type AuditChanges,
  type JsonSchema,
  type SchemaValidation,
} from '@hookstream/domain';
import type { Database } from '../database.js';
import { EventTypeEntity } from '../entities/event-type.entity.js';
import { recordAudit } from './audit.repository.js';

/** What a caller may set. */
export interface EventTypeSettings {
  description: string;
  schema: JsonSchema | null;
  validation: SchemaValidation;
}

export interface EventTypeRecord extends EventTypeSettings {
  tenantId: string;
  name: string;
  /** Another one after every change. */
  version: string;
  createdAt: Date;
  updatedAt: Date;
}

/** An event type that events are checked against, without its schema. */
export interface CheckedEventType {
  name: string;
  version: string;
  validation: SchemaValidation;
}

const toRecord = (row: EventTypeEntity): EventTypeRecord => ({
  ...row,
  tenantId: uuidToId('tenant', row.tenantId),
});

/** Changes of a tenant's catalogue happen one after the other, under the lock of the tenant's row. */
export class EventTypesRepository {
  constructor(private readonly database: Database) {}

  /** @throws DomainError `conflict` when the name is taken or the catalogue full */
  async create(
    tenantId: string,
    name: string,
    settings: EventTypeSettings,
    actor: AuditActor,
  ): Promise<EventTypeRecord> {
    return this.database.dataSource.transaction(async (manager) => {
      const version = await nextVersion(manager, tenantId);
      const key = keyOf(tenantId, name);
      if (await manager.existsBy(EventTypeEntity, key))
        throw new DomainError('conflict', `There is an event type "${name}" already.`);
      if ((await manager.countBy(EventTypeEntity, { tenantId: key.tenantId })) >= MAX_EVENT_TYPES)
        throw new DomainError('conflict', `There are ${MAX_EVENT_TYPES} event types, which is the most.`);
      const now = new Date();
      const row = manager.create(EventTypeEntity, {
        ...key,
        ...settings,
        version,
        createdAt: now,
        updatedAt: now,
      });
      await manager.insert(EventTypeEntity, row as object);
      const changes = auditChanges<EventTypeSettings>({}, settings);
      await audit(manager, tenantId, name, actor, 'event_type.created', changes);
      return toRecord(row);
    });
  }

  async find(tenantId: string, name: string): Promise<EventTypeRecord | null> {
    const row = await this.eventTypes.findOneBy(keyOf(tenantId, name));
    return row && toRecord(row);
  }

  /** By name; `cursor` is the last name of the page before. */
  async list(
    tenantId: string,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<{ data: EventTypeRecord[]; nextCursor: string | null }> {
    const rows = await this.eventTypes.find({
      where: {
        tenantId: idToUuid('tenant', tenantId),
        ...(page.cursor === undefined ? {} : { name: MoreThan(page.cursor) }),
      },
      order: { name: 'ASC' },
      take: page.limit + 1,
    });
    const data = rows.slice(0, page.limit).map(toRecord);
    return { data, nextCursor: rows.length > page.limit ? (data.at(-1)?.name ?? null) : null };
  }

  async update(
    tenantId: string,
    name: string,
    patch: Partial<EventTypeSettings>,
    actor: AuditActor,
  ): Promise<EventTypeRecord | null> {
    return this.database.dataSource.transaction(async (manager) => {
      const version = await nextVersion(manager, tenantId);
      const before = await manager.findOneBy(EventTypeEntity, keyOf(tenantId, name));
      if (before === null) return null;
      const changed = { ...patch, version, updatedAt: new Date() };
      await manager.update(EventTypeEntity, keyOf(tenantId, name), changed as object);
      const changes = auditChanges<EventTypeSettings>(before, patch);
      if (changes) await audit(manager, tenantId, name, actor, 'event_type.updated', changes);
      return toRecord({ ...before, ...changed });
    });
  }

  /** @returns whether there was such an event type. */
  async delete(tenantId: string, name: string, actor: AuditActor): Promise<boolean> {
    return this.database.dataSource.transaction(async (manager) => {
      await nextVersion(manager, tenantId);
      const deleted = await manager.delete(EventTypeEntity, keyOf(tenantId, name));
      if (deleted.affected !== 1) return false;
      await audit(manager, tenantId, name, actor, 'event_type.deleted');
      return true;
    });
  }

  /** Runs on the hot path's pool. */
  async listChecked(tenantId: string): Promise<CheckedEventType[]> {
    const { rows } = await this.database.pool.query<CheckedEventType>({
      name: 'event-types-checked',
      text: `SELECT name, version, validation FROM event_types
              WHERE tenant_id = $1 AND validation <> 'off' AND schema IS NOT NULL`,
      values: [idToUuid('tenant', tenantId)],
    });
    return rows;
  }

  /** The schema of an event type as it is now. Runs on the hot path's pool. */
  async findSchema(tenantId: string, name: string): Promise<JsonSchema | null> {
    const { rows } = await this.database.pool.query<{ schema: JsonSchema | null }>({
      name: 'event-type-schema',
      text: `SELECT schema FROM event_types WHERE tenant_id = $1 AND name = $2`,
      values: [idToUuid('tenant', tenantId), name],
    });
    return rows[0]?.schema ?? null;
  }

  private get eventTypes() {
    return this.database.dataSource.getRepository(EventTypeEntity);
  }
}

function keyOf(tenantId: string, name: string): { tenantId: string; name: string } {
  return { tenantId: idToUuid('tenant', tenantId), name };
}

async function nextVersion(manager: EntityManager, tenantId: string): Promise<string> {
  const [rows] = await manager.query<[{ version: string }[], number]>(
    `UPDATE tenants SET event_types_version = event_types_version + 1 WHERE id = $1 RETURNING event_types_version AS version`,
    [idToUuid('tenant', tenantId)],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('A tenant that makes a request is gone');
  return row.version;
}

function audit(
  manager: EntityManager,
  tenantId: string,
  name: string,
  actor: AuditActor,
  action: AuditAction,
  changes?: AuditChanges,
): Promise<void> {
  return recordAudit(manager, {
    ...{ tenantId, actor, action, changes },
    objectKind: 'event_type',
    objectId: name,
  });
}
