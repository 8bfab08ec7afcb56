import type pg from 'pg';
import { idToUuid, uuidToId, uuidV7Floor, type StatsWindow } from '@hookstream/domain';

/** What is encrypted in the database: an endpoint's secret, or all its custom headers as one. */
export interface EncryptedValue {
  kind: 'secret' | 'headers';
  /** The row's id: of the secret, or of the endpoint. */
  rowId: string;
  /** What the ciphertext is bound to. */
  endpointId: string;
  ciphertext: Buffer;
}

/** Clean-up of rows that end by time rather than with a partition, and upkeep of encrypted values. */
export class MaintenanceRepository {
  constructor(private readonly pool: pg.Pool) {}

  /** Deletes up to `limit` expired idempotency keys. @returns how many. */
  async deleteExpiredIdempotencyKeys(limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED))`,
      [limit],
    );
    return rowCount ?? 0;
  }

  /** Deletes secrets whose rotation overlap has ended. @returns how many. */
  async deleteExpiredSecrets(limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `DELETE FROM endpoint_secrets WHERE id = ANY (ARRAY(
        SELECT id FROM endpoint_secrets WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED))`,
      [limit],
    );
    return rowCount ?? 0;
  }

  /** Deletes audit entries made before that moment. @returns how many. */
  async deleteAuditEntries(before: Date, limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `DELETE FROM audit_log WHERE id = ANY (ARRAY(
        SELECT id FROM audit_log WHERE id < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED))`,
      [uuidV7Floor(before.getTime()), limit],
    );
    return rowCount ?? 0;
  }

  /** Deletes replays that ended before that moment. @returns how many. */
  async deleteEndedReplays(before: Date, limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `DELETE FROM replays WHERE id = ANY (ARRAY(
        SELECT id FROM replays WHERE id < $1 AND completed_at < $2 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED))`,
      [uuidV7Floor(before.getTime()), before, limit],
    );
    return rowCount ?? 0;
  }

  /** Deletes rollups of that length that begin before that moment. @returns how many. */
  async deleteStats(period: StatsWindow, before: Date, limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `DELETE FROM stats WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM stats WHERE period = $1 AND starts_at < $2 LIMIT $3 FOR UPDATE SKIP LOCKED))`,
      [period, before, limit],
    );
    return rowCount ?? 0;
  }

  /**
   * Deletes outbox rows made before that moment whose delivery is gone with its partition: an endpoint that is never resumed
   * would hold them for ever. @returns how many.
   */
  async deleteOrphanedOutboxRows(before: Date, limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `DELETE FROM outbox WHERE delivery_id = ANY (ARRAY(
        SELECT o.delivery_id FROM outbox o
         WHERE o.delivery_id < $1 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.id = o.delivery_id)
         ORDER BY o.delivery_id LIMIT $2 FOR UPDATE SKIP LOCKED))`,
      [uuidV7Floor(before.getTime()), limit],
    );
    return rowCount ?? 0;
  }

  /** Values in pages by row id, so that those under an older encryption key are found without a scan of the hot path. */
  async encryptedValues(
    kind: EncryptedValue['kind'],
    afterRowId: string | null,
    limit: number,
  ): Promise<EncryptedValue[]> {
    const idKind = kind === 'secret' ? 'secret' : 'endpoint';
    const after = afterRowId === null ? '00000000-0000-0000-0000-000000000000' : idToUuid(idKind, afterRowId);
    const { rows } = await this.pool.query<{ id: string; endpoint_id: string; ciphertext: Buffer }>(
      kind === 'secret'
        ? 'SELECT id, endpoint_id, ciphertext FROM endpoint_secrets WHERE id > $1 ORDER BY id LIMIT $2'
        : 'SELECT id, id AS endpoint_id, headers AS ciphertext FROM endpoints WHERE id > $1 AND headers IS NOT NULL ORDER BY id LIMIT $2',
      [after, limit],
    );
    return rows.map((row) => ({
      kind,
      rowId: uuidToId(idKind, row.id),
      endpointId: uuidToId('endpoint', row.endpoint_id),
      ciphertext: row.ciphertext,
    }));
  }

  /** Replaces a ciphertext unless it changed meanwhile. */
  async replaceCiphertext(
    value: EncryptedValue,
    next: { ciphertext: Buffer; keyId: string },
  ): Promise<boolean> {
    const { rowCount } =
      value.kind === 'secret'
        ? await this.pool.query(
            'UPDATE endpoint_secrets SET ciphertext = $3, key_id = $4 WHERE id = $1 AND ciphertext = $2',
            [idToUuid('secret', value.rowId), value.ciphertext, next.ciphertext, next.keyId],
          )
        : await this.pool.query('UPDATE endpoints SET headers = $3 WHERE id = $1 AND headers = $2', [
            idToUuid('endpoint', value.rowId),
            value.ciphertext,
            next.ciphertext,
          ]);
    return rowCount === 1;
  }
}
