import type pg from 'pg';
import { idToUuid } from '@hookstream/domain';

/** What is asked of a tenant before its events are accepted. Read often, so it is one small row. */
export interface AcceptPolicies {
  /** Another one after every change of the tenant's event types; `0`: it has never had any. */
  eventTypesVersion: string;
}

export class AcceptPoliciesRepository {
  constructor(private readonly database: { pool: pg.Pool }) {}

  /** @returns null for a tenant that does not exist. */
  async find(tenantId: string): Promise<AcceptPolicies | null> {
    const { rows } = await this.database.pool.query<{ event_types_version: string }>({
      name: 'accept-policies',
      text: `SELECT event_types_version FROM tenants WHERE id = $1`,
      values: [idToUuid('tenant', tenantId)],
    });
    return rows[0] === undefined ? null : { eventTypesVersion: rows[0].event_types_version };
  }
}
