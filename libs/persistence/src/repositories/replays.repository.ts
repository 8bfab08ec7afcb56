import type pg from 'pg';
import {
  auditChanges,
  ENDED_REPLAY_STATUSES,
  idToUuid,
  isReplayWishMet,
  MAX_UNFINISHED_REPLAYS,
  newId,
  uuidToId,
  uuidV7Floor,
  type AuditAction,
  type AuditActor,
  type ReplayableStatus,
  type ReplayFailure,
  type ReplayStatus,
  type ReplayWish,
} from '@hookstream/domain';
import { inTransaction, type Database } from '../database.js';
import { recordAudit } from './audit.repository.js';
import type { DeliveryFilter } from './delivery-filter.sql.js';
import { cursorUuid, toPage, type Page, type PageRequest } from './page.js';

export interface ReplayFilter extends DeliveryFilter {
  /** Absent: those that a replay is about by default. */
  status?: ReplayableStatus | undefined;
}

export interface ReplayRecord {
  id: string;
  tenantId: string;
  filter: ReplayFilter;
  status: ReplayStatus;
  total: number;
  done: number;
  failed: number;
  /** How many of the failed for which reason. */
  failures: Partial<Record<ReplayFailure, number>>;
  createdAt: Date;
  completedAt: Date | null;
}

/** What the database keeps of a filter: nothing that JSON cannot hold. */
interface StoredFilter extends Omit<ReplayFilter, 'since' | 'until'> {
  since?: string;
  until?: string;
}

export interface ReplayRow {
  id: string;
  tenant_id: string;
  filter: StoredFilter;
  status: ReplayStatus;
  total: number;
  done: number;
  failed: number;
  failures: ReplayRecord['failures'];
  created_at: Date;
  completed_at: Date | null;
}

export const REPLAY_COLUMNS =
  'id, tenant_id, filter, status, total, done, failed, failures, created_at, completed_at';

export const toReplay = (row: ReplayRow): ReplayRecord => ({
  id: uuidToId('replay', row.id),
  tenantId: uuidToId('tenant', row.tenant_id),
  filter: filterOf(row.filter),
  status: row.status,
  total: row.total,
  done: row.done,
  failed: row.failed,
  failures: row.failures,
  createdAt: row.created_at,
  completedAt: row.completed_at,
});

function filterOf({ since, until, ...filter }: StoredFilter): ReplayFilter {
  return {
    ...filter,
    ...(since === undefined ? {} : { since: new Date(since) }),
    ...(until === undefined ? {} : { until: new Date(until) }),
  };
}

const UNFINISHED = `status IN ('counting', 'running', 'paused')`;
const STATUS_AFTER: Readonly<Record<ReplayWish, string>> = {
  pause: `'paused'`,
  resume: `CASE WHEN counted_at IS NULL THEN 'counting' ELSE 'running' END`,
  cancel: `'cancelled'`,
};
const ACTION: Readonly<Record<ReplayWish, AuditAction>> = {
  pause: 'replay.paused',
  resume: 'replay.resumed',
  cancel: 'replay.cancelled',
};
/** Replays as people see and steer them. A row is all there is to a replay: its workflow only keeps it moving. */
export class ReplaysRepository {
  constructor(private readonly database: Pick<Database, 'pool'>) {}

  /**
   * A replay of what matches now: deliveries made later are not part of it.
   * @returns null when the tenant has as many unfinished replays as it may.
   */
  async create(tenantId: string, filter: ReplayFilter, actor: AuditActor): Promise<ReplayRecord | null> {
    const now = Date.now();
    return inTransaction(this.database.pool, async (client) => {
      const { rows } = await client.query<ReplayRow>(
        `INSERT INTO replays (id, tenant_id, filter, after_id, cursor, before_id, created_by, created_at)
         SELECT $1, $2, $3, $4, $4, $5, $6, $7 WHERE (SELECT count(*) FROM replays WHERE tenant_id = $2 AND ${UNFINISHED}) < $8
         RETURNING ${REPLAY_COLUMNS}`,
        [
          idToUuid('replay', newId('replay')),
          idToUuid('tenant', tenantId),
          JSON.stringify(filter),
          uuidV7Floor(filter.since?.getTime() ?? 0),
          uuidV7Floor(Math.min(filter.until?.getTime() ?? Infinity, now + 1)),
          actor.kind === 'key' ? actor.id : actor.kind,
          new Date(now),
          MAX_UNFINISHED_REPLAYS,
        ],
      );
      if (rows[0] === undefined) return null;
      const replay = toReplay(rows[0]);
      const changes = auditChanges<ReplayFilter>({}, filter);
      await recordAudit(client, { ...aboutReplay(replay, actor), action: 'replay.created', changes });
      return replay;
    });
  }

  async find(tenantId: string, id: string): Promise<ReplayRecord | null> {
    const { rows } = await this.database.pool.query<ReplayRow>(
      `SELECT ${REPLAY_COLUMNS} FROM replays WHERE tenant_id = $1 AND id = $2`,
      [idToUuid('tenant', tenantId), idToUuid('replay', id)],
    );
    return rows[0] === undefined ? null : toReplay(rows[0]);
  }

  async list(tenantId: string, page: PageRequest): Promise<Page<ReplayRecord>> {
    const { rows } = await this.database.pool.query<ReplayRow>(
      `SELECT ${REPLAY_COLUMNS} FROM replays WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [idToUuid('tenant', tenantId), cursorUuid('replay', page), page.limit + 1],
    );
    return toPage(rows.map(toReplay), page.limit);
  }

  /** Pauses, resumes or cancels. @returns how it then stands, changed or because it had ended; null when there is none. */
  async change(
    tenantId: string,
    id: string,
    wish: ReplayWish,
    actor: AuditActor,
  ): Promise<ReplayRecord | null> {
    return inTransaction(this.database.pool, async (client) => {
      const { rows } = await client.query<ReplayRow>(
        `SELECT ${REPLAY_COLUMNS} FROM replays WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
        [idToUuid('tenant', tenantId), idToUuid('replay', id)],
      );
      return rows[0] === undefined ? null : toReplay(await changeLocked(client, rows[0], wish, actor));
    });
  }

  /** Replays that should move and have not for `olderThanMs`. A few: whoever asks comes back. */
  async listIdle(olderThanMs: number): Promise<ReplayRecord[]> {
    const { rows } = await this.database.pool.query<ReplayRow>(
      `SELECT ${REPLAY_COLUMNS} FROM replays
        WHERE status IN ('counting', 'running') AND updated_at < now() - $1 * interval '1 millisecond'
        ORDER BY updated_at LIMIT 100`,
      [olderThanMs],
    );
    return rows.map(toReplay);
  }
}

/** Brings a wish into a row that the transaction has locked. One that is met already, or comes too late, changes nothing. */
export async function changeLocked(
  client: pg.PoolClient,
  row: ReplayRow,
  wish: ReplayWish,
  actor: AuditActor,
): Promise<ReplayRow> {
  if (isReplayWishMet(wish, row.status) || ENDED_REPLAY_STATUSES.includes(row.status)) return row;
  const { rows } = await client.query<ReplayRow>(
    `UPDATE replays SET status = ${STATUS_AFTER[wish]}, updated_at = now()${wish === 'cancel' ? ', completed_at = now()' : ''}
      WHERE id = $1 RETURNING ${REPLAY_COLUMNS}`,
    [row.id],
  );
  await recordAudit(client, { ...aboutReplay(toReplay(row), actor), action: ACTION[wish] });
  return rows[0] as ReplayRow;
}

const aboutReplay = ({ tenantId, id }: ReplayRecord, actor: AuditActor) => ({
  tenantId,
  actor,
  objectKind: 'replay',
  objectId: id,
});
