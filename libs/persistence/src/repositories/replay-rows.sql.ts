import type pg from 'pg';
import {
  ENDED_REPLAY_STATUSES,
  isReplayWishMet,
  uuidToId,
  type AuditAction,
  type AuditActor,
  type ReplayableStatus,
  type ReplayFailure,
  type ReplayStatus,
  type ReplayWish,
} from '@hookstream/domain';
import { recordAudit } from './audit.repository.js';
import type { DeliveryFilter } from './delivery-filter.sql.js';

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

/** Of an audit entry. */
export const aboutReplay = ({ tenantId, id }: ReplayRecord, actor: AuditActor) => ({
  tenantId,
  actor,
  objectKind: 'replay',
  objectId: id,
});
