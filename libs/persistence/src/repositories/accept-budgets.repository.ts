import type pg from 'pg';
import { idToUuid } from '@hookstream/domain';

export interface GrantedEvents {
  /** How many events may be accepted; at most what was asked for. */
  granted: number;
  /** How many more there would have been. */
  remaining: number;
  /** Until there is one more; 0 where there is. Milliseconds. */
  waitMs: number;
  /** Until all of the burst is there again. Milliseconds. */
  fullMs: number;
}

/**
 * Accept rates over all API processes: one row a tenant tells when the next event is due by theory (GCRA, generic cell rate
 * algorithm). It never lies further ahead than the burst reaches, so that a rate that is raised takes effect at once.
 */
export class AcceptBudgetsRepository {
  constructor(private readonly database: { pool: pg.Pool }) {}

  /** @param wanted events, at least 1 */
  async take(
    tenantId: string,
    rate: { perSecond: number; burst: number },
    wanted: number,
  ): Promise<GrantedEvents> {
    const { perSecond, burst } = rate;
    const { rows } = await this.database.pool.query<{ granted: number; ahead: number }>({
      name: 'accept-budget-take',
      text: `
        INSERT INTO accept_budgets AS b (tenant_id, tat, granted)
        VALUES ($1, clock_timestamp() + make_interval(secs => least($4::int, $3::int) / $2::float8), least($4::int, $3::int))
        ON CONFLICT (tenant_id) DO UPDATE SET (tat, granted) = (
          SELECT base + make_interval(secs => free / $2), free
            FROM (SELECT base, least($4, greatest(0, floor($3 - extract(epoch FROM base - moment)::float8 * $2 + 1e-6)))::int AS free
                    FROM (SELECT moment, least(greatest(b.tat, moment), moment + make_interval(secs => $3 / $2)) AS base
                            FROM (SELECT clock_timestamp() AS moment OFFSET 0) clock) reached) counted)
        RETURNING granted, extract(epoch FROM tat - clock_timestamp())::float8 AS ahead`,
      values: [idToUuid('tenant', tenantId), perSecond, burst, wanted],
    });
    const { granted = 0, ahead = 0 } = rows[0] ?? {};
    const used = Math.max(0, ahead) * perSecond;
    return {
      granted,
      remaining: Math.max(0, Math.floor(burst - used + 1e-6)),
      waitMs: Math.max(0, ((used - (burst - 1)) / perSecond) * 1_000),
      fullMs: Math.max(0, ahead * 1_000),
    };
  }
}
