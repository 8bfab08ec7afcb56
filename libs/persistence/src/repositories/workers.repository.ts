import type pg from 'pg';

export interface DispatchProgress {
  /** Workers that were seen within `seenWithinMs`. */
  workers: number;
  /** Milliseconds since a worker last dispatched something; null when none of those seen ever did. */
  lastDispatchMs: number | null;
  /** How long the oldest delivery that could go has waited, in milliseconds; 0 when none waits. */
  oldestWaitingMs: number;
}

/** Worker processes and their signs of life, from which readiness tells whether deliveries move. */
export class WorkersRepository {
  constructor(private readonly pool: pg.Pool) {}

  async heartbeat(worker: { id: string; startedAt: Date; lastDispatchAt: Date | null }): Promise<void> {
    await this.pool.query(
      `INSERT INTO workers (id, started_at, seen_at, last_dispatch_at) VALUES ($1, $2, now(), $3)
       ON CONFLICT (id) DO UPDATE SET seen_at = now(), last_dispatch_at = $3`,
      [worker.id, worker.startedAt, worker.lastDispatchAt],
    );
  }

  async remove(id: string): Promise<void> {
    await this.pool.query('DELETE FROM workers WHERE id = $1', [id]);
  }

  /** Deletes workers not seen for `olderThanMs`: they died without saying so. */
  async removeLost(olderThanMs: number): Promise<void> {
    await this.pool.query(`DELETE FROM workers WHERE seen_at < now() - $1 * interval '1 millisecond'`, [
      olderThanMs,
    ]);
  }

  async progress(seenWithinMs: number): Promise<DispatchProgress> {
    const { rows } = await this.pool.query<{ workers: number; last: number | null; oldest: number | null }>(
      `SELECT (SELECT count(*)::int FROM workers WHERE seen_at > now() - $1 * interval '1 millisecond') AS workers,
              (SELECT extract(epoch FROM now() - max(last_dispatch_at))::float8 * 1000 FROM workers
                WHERE seen_at > now() - $1 * interval '1 millisecond') AS last,
              (SELECT extract(epoch FROM now() - min(due_at))::float8 * 1000 FROM
                (SELECT due_at FROM outbox WHERE claimable_at <= now() ORDER BY claimable_at LIMIT 1000) claimable) AS oldest`,
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
