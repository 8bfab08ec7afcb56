import {
  idToUuid,
  newId,
  uuidToId,
  uuidV7Time,
  type AuditAction,
  type AuditActor,
  type AuditChanges,
} from '@hookstream/domain';
import type { Database } from '../database.js';
import { timeBound } from './events.repository.js';
import { cursorUuid, toPage, type Page, type PageRequest } from './page.js';

/** What runs SQL in the caller's transaction: a pg client or pool, or a TypeORM `EntityManager`. */
interface SqlRunner {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- pg and TypeORM name the type of their values differently
  query(sql: string, values: any[]): Promise<unknown>;
}

export interface AuditEntry {
  tenantId: string;
  actor: AuditActor;
  action: AuditAction;
  /** Its kind in the words of the API, such as `endpoint`. */
  objectKind: string;
  /** Its public id, or its name where that names it. */
  objectId: string;
  /** For people: why, where somebody or something gave a reason. */
  reason?: string | null | undefined;
  /** Never a secret: {@link auditChanges} leaves ciphertext out, what is given otherwise is the caller's to keep clean. */
  changes?: AuditChanges | undefined;
}

export interface AuditRecord {
  id: string;
  tenantId: string;
  /** `name` and `prefix` are of the key at the time. */
  actor: { kind: AuditActor['kind']; id: string | null; name: string | null; prefix: string | null };
  action: AuditAction;
  objectKind: string;
  objectId: string;
  reason: string | null;
  changes: AuditChanges | null;
  createdAt: Date;
}

export interface AuditFilter {
  action?: AuditAction | undefined;
  objectId?: string | undefined;
  /** Inclusive. */
  since?: Date | undefined;
  /** Exclusive. */
  until?: Date | undefined;
}

/** Writes an entry where the change is made: give it the client of the change's own transaction. */
export async function recordAudit(sql: SqlRunner, entry: AuditEntry): Promise<void> {
  const id = idToUuid('auditEntry', newId('auditEntry'));
  await sql.query(
    `INSERT INTO audit_log (id, tenant_id, actor_kind, actor_id, actor_name, actor_prefix, action, object_kind, object_id, reason, changes, created_at)
     VALUES ($1, $2, $3, $4, (SELECT name FROM api_keys WHERE id = $4 AND tenant_id = $2),
             (SELECT prefix FROM api_keys WHERE id = $4 AND tenant_id = $2), $5, $6, $7, $8, $9, $10)`,
    [
      id,
      idToUuid('tenant', entry.tenantId),
      entry.actor.kind,
      entry.actor.kind === 'key' ? idToUuid('apiKey', entry.actor.id) : null,
      entry.action,
      entry.objectKind,
      entry.objectId,
      entry.reason ?? null,
      entry.changes === undefined ? null : JSON.stringify(entry.changes),
      new Date(uuidV7Time(id)),
    ],
  );
}

interface AuditRow {
  id: string;
  tenant_id: string;
  actor_kind: AuditActor['kind'];
  actor_id: string | null;
  actor_name: string | null;
  actor_prefix: string | null;
  action: AuditAction;
  object_kind: string;
  object_id: string;
  reason: string | null;
  changes: AuditChanges | null;
  created_at: Date;
}

export class AuditRepository {
  constructor(private readonly database: Pick<Database, 'pool'>) {}

  /** For a change that another system has already made, so that there is no transaction to join. */
  async record(entry: AuditEntry): Promise<void> {
    await recordAudit(this.database.pool, entry);
  }

  async list(tenantId: string, filter: AuditFilter, page: PageRequest): Promise<Page<AuditRecord>> {
    const values: unknown[] = [idToUuid('tenant', tenantId)];
    const conditions = ['tenant_id = $1'];
    const where = (condition: (parameter: string) => string, value: unknown): void => {
      if (value === null || value === undefined) return;
      values.push(value);
      conditions.push(condition(`$${values.length}`));
    };
    where((p) => `id < ${p}`, cursorUuid('auditEntry', page));
    where((p) => `id >= ${p}`, timeBound(filter.since));
    where((p) => `id < ${p}`, timeBound(filter.until));
    where((p) => `action = ${p}`, filter.action);
    where((p) => `object_id = ${p}`, filter.objectId);
    values.push(page.limit + 1);
    const { rows } = await this.database.pool.query<AuditRow>(
      `SELECT * FROM audit_log WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT $${values.length}`,
      values,
    );
    return toPage(rows.map(toRecord), page.limit);
  }
}

const toRecord = (row: AuditRow): AuditRecord => ({
  id: uuidToId('auditEntry', row.id),
  tenantId: uuidToId('tenant', row.tenant_id),
  actor: {
    kind: row.actor_kind,
    id: row.actor_id === null ? null : uuidToId('apiKey', row.actor_id),
    name: row.actor_name,
    prefix: row.actor_prefix,
  },
  action: row.action,
  objectKind: row.object_kind,
  objectId: row.object_id,
  reason: row.reason,
  changes: row.changes,
  createdAt: row.created_at,
});
