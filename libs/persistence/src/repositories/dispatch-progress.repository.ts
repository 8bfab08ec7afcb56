import type { Database } from '../database.js';
import { LONGEST_WAITING_SQL } from '../dispatch/list-queues.sql.js';

/** Enough to see that something moves, and a bound for the cost of asking. */
const QUEUES_LOOKED_AT = 1_000;

export interface DispatchProgress {
  /** Workers that were seen within `seenWithinMs`. */
  workers: number;
  /** Milliseconds since a worker last dispatched something; null when none ever did. */
  lastDispatchMs: number | null;
  /** How long the delivery that waits longest could have gone, in milliseconds; 0 when none that may go waits. */
  oldestWaitingMs: number;
}

/** From which readiness tells whether deliveries move. All by the database's clock. */
export class DispatchProgressRepository {
  constructor(private readonly database: Database) {}

  async read(seenWithinMs: number): Promise<DispatchProgress> {
    const { rows } = await this.database.pool.query<{ workers: number; last: number | null }>(
      `SELECT count(*) FILTER (WHERE seen_at > now() - $1 * interval '1 millisecond')::int AS workers,
              (extract(epoch FROM now() - max(last_dispatch_at)) * 1000)::float8 AS last
         FROM workers`,
      [seenWithinMs],
    );
    const waiting = await this.database.pool.query<{ ms: number | null }>({
      name: 'longest-waiting',
      text: LONGEST_WAITING_SQL,
      values: [QUEUES_LOOKED_AT],
    });
    const row = rows[0];
    return {
      workers: row?.workers ?? 0,
      lastDispatchMs: row?.last ?? null,
      oldestWaitingMs: waiting.rows[0]?.ms ?? 0,
    };
  }
}
