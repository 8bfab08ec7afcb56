import type { Database } from '../database.js';

export interface DispatchProgress {
  /** Workers that were seen within `seenWithinMs`. */
  workers: number;
  /** Milliseconds since a worker last dispatched something; null when none ever did. */
  lastDispatchMs: number | null;
  /** How long the oldest delivery that may go has waited, in milliseconds; 0 when none waits. */
  oldestWaitingMs: number;
}

/** From which readiness tells whether deliveries move. All by the database's clock. */
export class DispatchProgressRepository {
  constructor(private readonly database: Database) {}

  async read(seenWithinMs: number): Promise<DispatchProgress> {
    const { rows } = await this.database.pool.query<{
      workers: number;
      last: number | null;
      oldest: number | null;
    }>(
      `SELECT count(*) FILTER (WHERE seen_at > now() - $1 * interval '1 millisecond')::int AS workers,
              (extract(epoch FROM now() - max(last_dispatch_at)) * 1000)::float8 AS last,
              (SELECT (extract(epoch FROM now() - min(claimable_at)) * 1000)::float8
                 FROM outbox WHERE claimable_at <= now()) AS oldest
         FROM workers`,
      [seenWithinMs],
    );
    const row = rows[0];
    return {
      workers: row?.workers ?? 0,
      lastDispatchMs: row?.last ?? null,
      oldestWaitingMs: row?.oldest ?? 0,
    };
  }
}
