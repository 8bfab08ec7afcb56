import type pg from 'pg';
import { inTransaction } from '../database.js';

/** Any number that nothing else in this database locks on. */
const METER_LOCK = 4_771_202;
/** Counting takes at most this share of the time, however long it takes. */
const SHARE_OF_TIME = 1 / 10;

/** Counts the unfinished deliveries of all tenants now and then, for all processes, so that accepting an event counts nothing. */
export class BacklogsRepository {
  constructor(private readonly database: { pool: pg.Pool }) {}

  /**
   * Counts when the last count is `everyMs` old, nobody else is counting, and (unless `always`) some tenant has a quota.
   * @returns whether it counted.
   */
  async measure(options: { everyMs: number; always: boolean }): Promise<boolean> {
    return inTransaction(this.database.pool, async (client) => {
      const { rows } = await client.query<{ due: boolean }>(
        `SELECT pg_try_advisory_xact_lock($1) AND next_at <= clock_timestamp()
                AND ($2 OR EXISTS (SELECT 1 FROM tenants WHERE max_pending IS NOT NULL AND deleted_at IS NULL)) AS due
           FROM backlog_meter`,
        [METER_LOCK, options.always],
      );
      if (rows[0]?.due !== true) return false;
      await client.query(`
        WITH counted AS (
          SELECT tenant_id, count(*) AS pending FROM deliveries
           WHERE status IN ('pending', 'in_progress', 'retrying') GROUP BY tenant_id
        ), gone AS (
          DELETE FROM tenant_backlogs b WHERE NOT EXISTS (SELECT 1 FROM counted c WHERE c.tenant_id = b.tenant_id)
        )
        INSERT INTO tenant_backlogs (tenant_id, pending) SELECT tenant_id, pending FROM counted
        ON CONFLICT (tenant_id) DO UPDATE SET pending = excluded.pending`);
      await client.query(
        `UPDATE backlog_meter SET measured_at = now(),
                next_at = clock_timestamp() + greatest($1 * interval '1 millisecond', (clock_timestamp() - now()) / $2::float8)`,
        [options.everyMs, SHARE_OF_TIME],
      );
      return true;
    });
  }
}
