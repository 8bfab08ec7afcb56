import type pg from 'pg';

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
}
