import { IsNull, LessThan, type EntityManager } from 'typeorm';
import {
  auditChanges,
  idToUuid,
  uuidToId,
  type AuditAction,
  type AuditActor,
  type AuditChanges,
  type CircuitPolicy,
  type CircuitState,
  type EndpointStatus,
  type Filter,
  type Lane,
  type RateLimitPolicy,
  type RetryPolicy,
  type SignaturePolicy,
} from '@hookstream/domain';
import type { Database } from '../database.js';
import { EndpointSecretEntity } from '../entities/endpoint-secret.entity.js';
import { EndpointEntity } from '../entities/endpoint.entity.js';
import { recordAudit } from './audit.repository.js';
import { forgetCircuitOfDisabled } from './circuits.repository.js';
import { COUNT_CANCELLED } from './fold-stats.sql.js';
import { forgetOrder, holdWaiting, releaseHeld, removeWaiting } from './outbox-holding.sql.js';
import { cursorUuid, toPage, type Page, type PageRequest } from './page.js';

/** What a caller may set. */
export interface EndpointSettings {
  url: string;
  description: string;
  eventTypes: string[];
  /** Which payloads it wants; null: all. */
  filter: Filter | null;
  /** Encrypted; null: none. */
  headers: Buffer | null;
  timeoutMs: number;
  retry: RetryPolicy;
  rateLimit: RateLimitPolicy | null;
  maxInFlight: number;
  /** Whether deliveries go in order, and the path of the value within whose deliveries they do; null: all of them. */
  ordered: boolean;
  orderKey: string | null;
  circuit: CircuitPolicy;
  lane: Lane;
  signature: SignaturePolicy;
  metadata: Record<string, string>;
}

export interface EndpointRecord extends EndpointSettings {
  id: string;
  tenantId: string;
  status: EndpointStatus;
  disabledReason: string | null;
  circuitState: CircuitState;
  verifiedAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface NewSecret {
  id: string;
  ciphertext: Buffer;
  keyId: string;
}

const STATUS_ACTION: Readonly<Record<EndpointStatus, AuditAction>> = {
  enabled: 'endpoint.resumed',
  paused: 'endpoint.paused',
  disabled: 'endpoint.disabled',
};

const UNFINISHED = `status IN ('pending', 'in_progress', 'retrying')`;

const toRecord = (row: EndpointEntity): EndpointRecord => ({
  id: uuidToId('endpoint', row.id),
  tenantId: uuidToId('tenant', row.tenantId),
  url: row.url,
  description: row.description,
  eventTypes: row.eventTypes,
  filter: row.filter,
  headers: row.headers,
  timeoutMs: row.timeoutMs,
  retry: row.retry,
  rateLimit: row.rateLimit,
  maxInFlight: row.maxInFlight,
  ordered: row.ordered,
  orderKey: row.orderKey,
  circuit: row.circuit,
  lane: row.lane,
  signature: row.signature,
  metadata: row.metadata,
  status: row.status,
  disabledReason: row.disabledReason,
  circuitState: row.circuitState,
  verifiedAt: row.verifiedAt,
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
});

export class EndpointsRepository {
  constructor(private readonly database: Database) {}

  /** The endpoint and its first secret, in one transaction. */
  async create(
    tenantId: string,
    id: string,
    settings: EndpointSettings,
    secret: NewSecret,
    actor: AuditActor,
  ): Promise<EndpointRecord> {
    const now = new Date();
    return this.database.dataSource.transaction(async (manager) => {
      const row = manager.create(EndpointEntity, {
        ...settings,
        ...owned(tenantId, id),
        type: 'http',
        status: 'enabled',
        disabledReason: null,
        circuitState: 'closed',
        verifiedAt: null,
        createdAt: now,
        updatedAt: now,
        deletedAt: null,
      });
      await manager.insert(EndpointEntity, row);
      await insertSecret(manager, tenantId, id, secret);
      await audit(
        manager,
        tenantId,
        id,
        actor,
        'endpoint.created',
        auditChanges<EndpointSettings>({}, settings),
      );
      return toRecord(row);
    });
  }

  async find(tenantId: string, id: string): Promise<EndpointRecord | null> {
    const row = await this.endpoints.findOneBy({ ...owned(tenantId, id), deletedAt: IsNull() });
    return row && toRecord(row);
  }

  async list(tenantId: string, page: PageRequest): Promise<Page<EndpointRecord>> {
    const before = cursorUuid('endpoint', page);
    const rows = await this.endpoints.find({
      where: {
        tenantId: idToUuid('tenant', tenantId),
        deletedAt: IsNull(),
        ...(before === null ? {} : { id: LessThan(before) }),
      },
      order: { id: 'DESC' },
      take: page.limit + 1,
    });
    return toPage(rows.map(toRecord), page.limit);
  }

  async update(
    tenantId: string,
    id: string,
    patch: Partial<EndpointSettings> & { verifiedAt?: Date | null },
    actor: AuditActor,
    action: AuditAction = 'endpoint.updated',
  ): Promise<EndpointRecord | null> {
    return this.database.dataSource.transaction(async (manager) => {
      const before = await lock(manager, tenantId, id);
      if (before === null) return null;
      const changed = { ...(patch as object), updatedAt: new Date() };
      await manager.update(EndpointEntity, owned(tenantId, id), changed);
      if (patch.rateLimit !== undefined) await forgetTokens(manager, id);
      if (patch.ordered === false && before.ordered)
        await forgetOrder(manager, idToUuid('tenant', tenantId), idToUuid('endpoint', id));
      const changes = auditChanges<EndpointEntity>(before, patch);
      if (changes) await audit(manager, tenantId, id, actor, action, changes);
      return toRecord({ ...before, ...changed });
    });
  }

  /**
   * Sets the status and holds or releases what waits in the outbox, in one transaction. The endpoint's row is
   * locked first: an accept that found it paused waits on that lock, so no row is held after the release.
   */
  async setStatus(
    tenantId: string,
    id: string,
    status: EndpointStatus,
    disabledReason: string | null,
    actor: AuditActor,
  ): Promise<EndpointRecord | null> {
    const uuids = [idToUuid('tenant', tenantId), idToUuid('endpoint', id)] as const;
    return this.database.dataSource.transaction(async (manager) => {
      const before = await lock(manager, tenantId, id);
      if (before === null) return null;
      if (status === 'enabled') await forgetCircuitOfDisabled(manager, ...uuids);
      const reason = status === 'disabled' ? disabledReason : null;
      const changed = { status, disabledReason: reason, updatedAt: new Date() };
      await manager.update(EndpointEntity, owned(tenantId, id), changed);
      await (status === 'enabled' ? releaseHeld : holdWaiting)(manager, ...uuids);
      const changes = auditChanges<EndpointEntity>(before, { status });
      if (changes) await audit(manager, tenantId, id, actor, STATUS_ACTION[status], changes, reason);
      return manager.findOneByOrFail(EndpointEntity, owned(tenantId, id)).then(toRecord);
    });
  }

  /** Deletes it and cancels what has not been delivered, in one transaction. @returns whether there was such an endpoint. */
  async delete(tenantId: string, id: string, actor: AuditActor): Promise<boolean> {
    return this.database.dataSource.transaction(async (manager) => {
      const deleted = await manager.update(
        EndpointEntity,
        { ...owned(tenantId, id), deletedAt: IsNull() },
        { deletedAt: new Date() },
      );
      if (deleted.affected !== 1) return false;
      const uuids = [idToUuid('tenant', tenantId), idToUuid('endpoint', id)] as const;
      await removeWaiting(manager, ...uuids);
      await manager.query(
        `WITH cancelled AS (
           UPDATE deliveries SET status = 'cancelled', next_attempt_at = NULL, completed_at = now(), updated_at = now()
            WHERE tenant_id = $1 AND endpoint_id = $2 AND ${UNFINISHED}
           RETURNING tenant_id, endpoint_id
         ) ${COUNT_CANCELLED}`,
        [...uuids],
      );
      await audit(manager, tenantId, id, actor, 'endpoint.deleted');
      return true;
    });
  }

  /**
   * Adds a secret and lets those before it end after the overlap (seconds; one that ends sooner keeps its end).
   * The endpoint's row is locked, so that two rotations at once end one after the other.
   * @returns the endpoint and when the secrets before stop signing, or null when there is no such endpoint.
   */
  async rotateSecret(
    tenantId: string,
    id: string,
    secret: NewSecret,
    overlapSeconds: number,
    actor: AuditActor,
  ): Promise<{ endpoint: EndpointRecord; previousExpiresAt: Date } | null> {
    const previousExpiresAt = new Date(Date.now() + overlapSeconds * 1000);
    const rotated = await this.database.dataSource.transaction(async (manager) => {
      const result = await manager.update(
        EndpointEntity,
        { ...owned(tenantId, id), deletedAt: IsNull() },
        { updatedAt: new Date() },
      );
      if (result.affected !== 1) return false;
      await manager.query(
        `UPDATE endpoint_secrets SET expires_at = $3
          WHERE tenant_id = $1 AND endpoint_id = $2 AND (expires_at IS NULL OR expires_at > $3)`,
        [idToUuid('tenant', tenantId), idToUuid('endpoint', id), previousExpiresAt],
      );
      await insertSecret(manager, tenantId, id, secret);
      await audit(manager, tenantId, id, actor, 'endpoint.secret_rotated', {
        overlap_seconds: { to: overlapSeconds },
      });
      return true;
    });
    const endpoint = rotated ? await this.find(tenantId, id) : null;
    return endpoint && { endpoint, previousExpiresAt };
  }

  private get endpoints() {
    return this.database.dataSource.getRepository(EndpointEntity);
  }
}

function owned(tenantId: string, id: string): { tenantId: string; id: string } {
  return { tenantId: idToUuid('tenant', tenantId), id: idToUuid('endpoint', id) };
}

function audit(
  manager: EntityManager,
  tenantId: string,
  id: string,
  actor: AuditActor,
  action: AuditAction,
  changes?: AuditChanges,
  reason?: string | null,
): Promise<void> {
  return recordAudit(manager, {
    ...{ tenantId, actor, action, changes, reason },
    objectKind: 'endpoint',
    objectId: id,
  });
}

/** As it stands, locked until the transaction ends, so that the audit log tells what a change really replaced. */
function lock(manager: EntityManager, tenantId: string, id: string): Promise<EndpointEntity | null> {
  return manager.findOne(EndpointEntity, {
    where: { ...owned(tenantId, id), deletedAt: IsNull() },
    lock: { mode: 'for_no_key_update' },
  });
}

async function insertSecret(manager: EntityManager, tenantId: string, endpointId: string, secret: NewSecret) {
  await manager.insert(EndpointSecretEntity, {
    id: idToUuid('secret', secret.id),
    tenantId: idToUuid('tenant', tenantId),
    endpointId: idToUuid('endpoint', endpointId),
    ciphertext: secret.ciphertext,
    keyId: secret.keyId,
    createdAt: new Date(),
    expiresAt: null,
  });
}

/** What was taken at another rate is no debt at this one. */
async function forgetTokens(manager: EntityManager, endpointId: string): Promise<void> {
  await manager.query(`UPDATE endpoint_gates SET tat = least(tat, now()) WHERE endpoint_id = $1`, [
    idToUuid('endpoint', endpointId),
  ]);
}
