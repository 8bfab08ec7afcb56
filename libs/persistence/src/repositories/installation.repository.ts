import { uuidToId } from '@hookstream/domain';
import type pg from 'pg';

export interface ServerFacts {
  /** As `170002`. */
  versionNumber: number;
  version: string;
  /** What the server keeps and answers with: `on`, `off`, `local`, … */
  fsync: string;
  fullPageWrites: string;
  synchronousCommit: string;
  /** Connections that ordinary roles can have at once, by server, database and role together. */
  connectionLimit: number;
  user: string;
  database: string;
  isStandby: boolean;
}

export interface EnabledEndpoint {
  id: string;
  tenantId: string;
  url: string;
}

/** What an installation's database is like, for the one who looks after it. Reads only. */
export class InstallationRepository {
  constructor(private readonly pool: pg.Pool) {}

  async serverFacts(): Promise<ServerFacts> {
    const { rows } = await this.pool.query<ServerFacts>(
      `SELECT current_setting('server_version_num')::int AS "versionNumber", current_setting('server_version') AS version,
              current_setting('fsync') AS fsync, current_setting('full_page_writes') AS "fullPageWrites",
              current_setting('synchronous_commit') AS "synchronousCommit",
              least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
                    nullif(d.datconnlimit, -1), nullif(r.rolconnlimit, -1)) AS "connectionLimit",
              current_user::text AS user, current_database()::text AS database, pg_is_in_recovery() AS "isStandby"
         FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`,
    );
    return rows[0] as ServerFacts;
  }

  /** The server's clock, in unix milliseconds. */
  async clock(): Promise<number> {
    const { rows } = await this.pool.query<{ ms: number }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
    );
    return rows[0]?.ms ?? NaN;
  }

  /** What the role may not do that migrations and maintenance do. Empty: it may do all of it. */
  async missingRights(): Promise<{ createTables: boolean; foreignTables: string[] }> {
    const { rows } = await this.pool.query<{ createTables: boolean; foreignTables: string[] }>(
      `SELECT NOT has_schema_privilege(current_schema(), 'CREATE') AS "createTables",
              ARRAY(SELECT relname::text FROM pg_class
                     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
                       AND NOT pg_has_role(relowner, 'USAGE') ORDER BY 1) AS "foreignTables"`,
    );
    return rows[0] ?? { createTables: true, foreignTables: [] };
  }

  /** Endpoints that are sent to, newest first. */
  async enabledEndpoints(limit: number): Promise<EnabledEndpoint[]> {
    const { rows } = await this.pool.query<{ id: string; tenant_id: string; url: string }>(
      `SELECT id, tenant_id, url FROM endpoints WHERE deleted_at IS NULL AND status = 'enabled' ORDER BY id DESC LIMIT $1`,
      [limit],
    );
    return rows.map(({ id, tenant_id, url }) => ({
      id: uuidToId('endpoint', id),
      tenantId: uuidToId('tenant', tenant_id),
      url,
    }));
  }
}
