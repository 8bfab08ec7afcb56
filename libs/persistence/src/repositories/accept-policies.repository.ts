import type pg from 'pg';
import { idToUuid } from '@hookstream/domain';

/** What is asked of a tenant before its events are accepted. Read often, so it is one small row. */
export interface AcceptPolicies {
  /** Another one after every change of the tenant's event types; `0`: it has never had any. */
  eventTypesVersion: string;
  /** Null: what the deployment says. */
  eventsPerSecond: number | null;
  burst: number | null;
  maxPending: number | null;
  /** Unfinished deliveries when they were last counted. */
  pending: number;
  /** Tells one count from the next. */
  measuredAt: string;
}

interface Row {
  event_types_version: string;
  events_per_second: number | null;
  burst: number | null;
  max_pending: number | null;
  pending: number | null;
  measured_at: string;
}

export class AcceptPoliciesRepository {
  constructor(private readonly database: { pool: pg.Pool }) {}

  /** @returns null for a tenant that does not exist. */
  async find(tenantId: string): Promise<AcceptPolicies | null> {
    const { rows } = await this.database.pool.query<Row>({
      name: 'accept-policies',
      text: `SELECT t.event_types_version, t.events_per_second, t.burst, t.max_pending, b.pending::float8 AS pending,
                    (SELECT measured_at::text FROM backlog_meter) AS measured_at
               FROM tenants t LEFT JOIN tenant_backlogs b ON b.tenant_id = t.id
              WHERE t.id = $1`,
      values: [idToUuid('tenant', tenantId)],
    });
    const row = rows[0];
    return row === undefined
      ? null
      : {
          eventTypesVersion: row.event_types_version,
          eventsPerSecond: row.events_per_second,
          burst: row.burst,
          maxPending: row.max_pending,
          pending: row.pending ?? 0,
          measuredAt: row.measured_at,
        };
  }
}
