import type pg from 'pg';
import {
  idToUuid,
  PROBE_EVENT_TYPE,
  REPLAYED_BY_DEFAULT,
  SYSTEM_ACTOR,
  type ReplayFailure,
  type ReplayStatus,
  type ReplayWish,
} from '@hookstream/domain';
import { inTransaction } from '../database.js';
import { indexedConditions, Parameters } from './delivery-filter.sql.js';
import { changeLocked, REPLAY_COLUMNS, type ReplayRow } from './replay-rows.sql.js';
import { requeueDeliveries, type Requeued } from './requeue-deliveries.sql.js';

/** Where a replay stands. */
export interface ReplayStanding {
  status: ReplayStatus;
  total: number;
  done: number;
  failed: number;
}

interface LockedReplay extends ReplayRow {
  tenant_deleted: boolean;
  cursor: string;
  after_id: string;
  before_id: string;
}

/** Deliveries after the cursor: as many rows are read as the statement may cost. */
interface Scanned {
  count: number;
  lastId: string | null;
  matching: number;
  page: (Requeued & { event: string | null })[];
}

/** A replay that is no more: its row was deleted long after it ended. */
const GONE: ReplayStanding = { status: 'cancelled', total: 0, done: 0, failed: 0 };

/**
 * The steps of a replay. Each locks the replay's row, does a bounded piece of work from its cursor on, and moves the cursor and the
 * counts in the same transaction. So whatever dies in between, and however often a step is repeated, no delivery is skipped and none
 * is queued twice.
 */
export class ReplayStepsRepository {
  constructor(private readonly pool: pg.Pool) {}

  /** Counts on, reading `scanLimit` deliveries at most; turns to `running` at the end. */
  count(replayId: string, scanLimit: number): Promise<ReplayStanding> {
    return this.step(replayId, 'counting', async (client, replay) => {
      const scanned = await scan(client, replay, scanLimit, 0);
      const finished = scanned.count < scanLimit;
      return store(
        client,
        `total = total + $2, cursor = CASE WHEN $4 THEN after_id ELSE coalesce($3, cursor) END,
         status = CASE WHEN $4 THEN 'running' ELSE status END, counted_at = CASE WHEN $4 THEN now() END`,
        [replay.id, scanned.matching, scanned.lastId, finished],
      );
    });
  }

  /**
   * Queues the next `pageSize` deliveries, reading `scanLimit` at most, unless more than `waitingMax` of the tenant's replayed deliveries
   * would then wait to go out: `full`. Those held by their endpoint or behind an open circuit wait for something else and do not count.
   */
  async page(
    replayId: string,
    bounds: { pageSize: number; scanLimit: number; waitingMax: number },
  ): Promise<ReplayStanding & { full: boolean }> {
    let full = false;
    const standing = await this.step(replayId, 'running', async (client, replay) => {
      const now = await waiting(client, replay.tenant_id, bounds.waitingMax);
      full = now > 0 && now + bounds.pageSize > bounds.waitingMax;
      return full ? replay : queuePage(client, replay, bounds);
    });
    return { ...standing, full };
  }

  /** For a wish told to the workflow: whoever told it through the API has stored it before, and nothing changes. */
  async change(replayId: string, wish: ReplayWish): Promise<ReplayStanding> {
    return inTransaction(this.pool, async (client) => {
      const replay = await lock(client, replayId);
      if (replay === undefined) return GONE;
      return standingOf(await changeLocked(client, replay, wish, SYSTEM_ACTOR));
    });
  }

  private step(
    replayId: string,
    status: ReplayStatus,
    work: (client: pg.PoolClient, replay: LockedReplay) => Promise<ReplayStanding>,
  ): Promise<ReplayStanding> {
    return inTransaction(this.pool, async (client) => {
      const replay = await lock(client, replayId);
      if (replay === undefined) return GONE;
      if (replay.status !== status) return standingOf(replay);
      if (replay.tenant_deleted)
        return store(client, `status = 'cancelled', completed_at = now()`, [replay.id]);
      return standingOf(await work(client, replay));
    });
  }
}

async function lock(client: pg.PoolClient, replayId: string): Promise<LockedReplay | undefined> {
  const { rows } = await client.query<LockedReplay>(
    `SELECT r.*, t.deleted_at IS NOT NULL AS tenant_deleted
       FROM replays r JOIN tenants t ON t.id = r.tenant_id WHERE r.id = $1 FOR UPDATE OF r`,
    [idToUuid('replay', replayId)],
  );
  return rows[0];
}

const standingOf = ({ status, total, done, failed }: ReplayStanding): ReplayStanding => ({
  status,
  total,
  done,
  failed,
});

async function store(client: pg.PoolClient, changes: string, values: unknown[]): Promise<ReplayStanding> {
  const { rows } = await client.query<ReplayRow>(
    `UPDATE replays SET ${changes}, updated_at = now() WHERE id = $1 RETURNING ${REPLAY_COLUMNS}`,
    values,
  );
  return rows[0] as ReplayRow;
}

async function queuePage(
  client: pg.PoolClient,
  replay: LockedReplay,
  { pageSize, scanLimit }: { pageSize: number; scanLimit: number },
): Promise<ReplayStanding> {
  const scanned = await scan(client, replay, scanLimit, pageSize);
  const cursor = scanned.page.length === pageSize ? scanned.page.at(-1)?.id : scanned.lastId;
  const finished = scanned.page.length < pageSize && scanned.count < scanLimit;
  const expired = scanned.page.filter(({ event }) => event === null);
  const { queued, deletedEndpoint } = await requeueDeliveries(
    client,
    replay.tenant_id,
    scanned.page.filter(({ event }) => event !== null),
    statusesOf(replay.filter),
  );
  const failures = added(replay.failures, {
    endpoint_deleted: deletedEndpoint.length,
    payload_expired: expired.length,
  });
  // What was counted and has gone its own way since is not waited for: a replay that is completed has met all it could.
  return store(
    client,
    `done = done + $2, failed = failed + $3, failures = $4, cursor = coalesce($5, cursor),
     status = CASE WHEN $6 THEN 'completed' ELSE status END, completed_at = CASE WHEN $6 THEN now() END,
     total = CASE WHEN $6 THEN done + $2 + failed + $3 ELSE greatest(total, done + $2 + failed + $3) END`,
    [replay.id, queued.length, deletedEndpoint.length + expired.length, failures, cursor ?? null, finished],
  );
}

function added(
  failures: ReplayRow['failures'],
  more: Readonly<Record<ReplayFailure, number>>,
): ReplayRow['failures'] {
  const sums = { ...failures };
  for (const [reason, count] of Object.entries(more) as [ReplayFailure, number][])
    if (count > 0) sums[reason] = (sums[reason] ?? 0) + count;
  return sums;
}

/**
 * Reads deliveries after the cursor in id order, `scanLimit` at most whatever matches: that bounds the statement. The limits are written
 * out because the planner has to know them, and `dead_letter` because that has an index of its own.
 */
async function scan(
  client: pg.PoolClient,
  replay: LockedReplay,
  scanLimit: number,
  pageSize: number,
): Promise<Scanned> {
  const { filter } = replay;
  const parameters = new Parameters(replay.tenant_id, replay.cursor, replay.before_id, statusesOf(filter));
  const scope = [
    ...indexedConditions(filter, parameters),
    ...(filter.status === 'dead_letter' ? [`status = 'dead_letter'`] : []),
  ];
  const typeMatches = filter.eventType
    ? `event_type = ${parameters.add(filter.eventType)}`
    : `event_type <> ALL(${parameters.add(Object.values(PROBE_EVENT_TYPE))})`;
  const { rows } = await client.query<Scanned>(
    `WITH scanned AS MATERIALIZED (
       SELECT id, endpoint_id, event_id, status = ANY($4) AND ${typeMatches} AS matches FROM deliveries
        WHERE ${['tenant_id = $1', 'id > $2', 'id < $3', ...scope].join(' AND ')} ORDER BY id LIMIT ${Math.floor(scanLimit)}
     ), page AS (
       SELECT * FROM scanned WHERE matches ORDER BY id LIMIT ${Math.floor(pageSize)}
     )
     SELECT (SELECT count(*)::int FROM scanned) AS count, (SELECT count(*)::int FROM scanned WHERE matches) AS matching,
            (SELECT id FROM scanned ORDER BY id DESC LIMIT 1) AS "lastId",
            coalesce((SELECT json_agg(json_build_object('id', p.id, 'endpoint', p.endpoint_id, 'event', ev.id) ORDER BY p.id)
                        FROM page p LEFT JOIN LATERAL (SELECT id FROM events WHERE id = p.event_id OFFSET 0) ev ON true), '[]') AS page`,
    parameters.values,
  );
  return rows[0] as Scanned;
}

const statusesOf = (filter: { status?: string | undefined }): readonly string[] =>
  filter.status === undefined ? REPLAYED_BY_DEFAULT : [filter.status];

/** Replayed deliveries of the tenant that wait for nothing but their turn, counted up to `max` an endpoint. */
async function waiting(client: pg.PoolClient, tenantUuid: string, max: number): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `SELECT coalesce(sum(w.n), 0)::int AS n
       FROM endpoints e
       CROSS JOIN LATERAL (
         SELECT count(*) AS n FROM (
           SELECT 1 FROM outbox o WHERE o.tenant_id = $1 AND o.endpoint_id = e.id AND o.trigger = 'replay' AND o.claimable_at < 'infinity' LIMIT $2) o
       ) w
      WHERE e.tenant_id = $1 AND e.deleted_at IS NULL AND e.status = 'enabled' AND e.circuit_state = 'closed'`,
    [tenantUuid, max],
  );
  return rows[0]?.n ?? 0;
}
