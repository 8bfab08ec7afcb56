import { DAY_MS, uuidToId, type CircuitState } from '@hookstream/domain';
import type { Database } from '../database.js';
import { missingPartitions } from '../partitions/partitions.js';
import { DispatchProgressRepository } from './dispatch-progress.repository.js';

export interface Gauges {
  /** Tenants with the most waiting first; what is beyond the limit stands under `other`. */
  queueDepths: { tenantId: string; waiting: number }[];
  oldestPendingSeconds: number;
  /** Those that are not closed first. */
  circuits: { endpointId: string; state: CircuitState }[];
  workers: number;
  /** Whole days from now for which there are partitions of every table. */
  partitionsAheadDays: number;
}

const WORKER_SEEN_WITHIN_MS = 15_000;
/** Further ahead nobody has to look. */
const LOOK_AHEAD_DAYS = 7;

/** What is measured by asking the database. Costs grow with what waits: to be asked now and then. */
export class GaugesRepository {
  constructor(private readonly database: Database) {}

  /** @param limit tenants and endpoints that are told apart */
  async read(limit: number): Promise<Gauges> {
    const progress = await new DispatchProgressRepository(this.database).read(WORKER_SEEN_WITHIN_MS);
    return {
      queueDepths: await this.queueDepths(limit),
      oldestPendingSeconds: Math.max(0, progress.oldestWaitingMs) / 1_000,
      circuits: await this.circuits(limit),
      workers: progress.workers,
      partitionsAheadDays: await this.partitionsAhead(),
    };
  }

  private async queueDepths(limit: number): Promise<Gauges['queueDepths']> {
    const { rows } = await this.database.pool.query<{ tenant_id: string | null; waiting: number }>(
      `WITH depths AS (
         SELECT tenant_id, count(*) AS waiting, row_number() OVER (ORDER BY count(*) DESC) AS place
           FROM outbox GROUP BY tenant_id
       )
       SELECT CASE WHEN place <= $1 THEN tenant_id END AS tenant_id, sum(waiting)::float8 AS waiting
         FROM depths GROUP BY 1 ORDER BY 2 DESC`,
      [limit],
    );
    return rows.map(({ tenant_id, waiting }) => ({
      tenantId: tenant_id === null ? 'other' : uuidToId('tenant', tenant_id),
      waiting,
    }));
  }

  private async circuits(limit: number): Promise<Gauges['circuits']> {
    const { rows } = await this.database.pool.query<{ id: string; circuit_state: CircuitState }>(
      `(SELECT id, circuit_state FROM endpoints WHERE circuit_state <> 'closed' AND deleted_at IS NULL LIMIT $1)
       UNION ALL
       (SELECT id, circuit_state FROM endpoints WHERE circuit_state = 'closed' AND deleted_at IS NULL ORDER BY id DESC LIMIT $1)
       LIMIT $1`,
      [limit],
    );
    return rows.map(({ id, circuit_state }) => ({
      endpointId: uuidToId('endpoint', id),
      state: circuit_state,
    }));
  }

  private async partitionsAhead(): Promise<number> {
    const now = Date.now();
    const missing = await missingPartitions(this.database.pool, { now, aheadMs: LOOK_AHEAD_DAYS * DAY_MS });
    const days = missing.map((name) => Date.parse(name.replace(/^.*_(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3')));
    const ahead = days.filter((day) => day > now).map((day) => Math.floor((day - now) / DAY_MS));
    if (days.some((day) => day <= now && day + DAY_MS > now)) return 0;
    return Math.min(LOOK_AHEAD_DAYS, ...ahead);
  }
}
