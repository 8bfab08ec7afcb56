import {
  auditChanges,
  idToUuid,
  MAX_UNFINISHED_REPLAYS,
  newId,
  uuidV7Floor,
  type AuditActor,
  type ReplayWish,
} from '@hookstream/domain';
import { inTransaction, type Database } from '../database.js';
import { recordAudit } from './audit.repository.js';
import { cursorUuid, toPage, type Page, type PageRequest } from './page.js';
import {
  aboutReplay,
  changeLocked,
  REPLAY_COLUMNS,
  toReplay,
  type ReplayFilter,
  type ReplayRecord,
  type ReplayRow,
} from './replay-rows.sql.js';

const UNFINISHED = `status IN ('counting', 'running', 'paused')`;

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
