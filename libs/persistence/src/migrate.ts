import { withClient, type Database } from './database.js';
import { MIGRATIONS } from './migrations/index.js';

/** Any number that nothing else in this database locks on. */
const MIGRATION_LOCK = 4_771_201;

/**
 * Brings the schema to this version, one process at a time (advisory lock), each migration in its own transaction.
 * @returns the names of the migrations that ran.
 */
export async function runMigrations(database: Database): Promise<string[]> {
  return withClient(database.pool, async (client, discard) => {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      const ran = await database.dataSource.runMigrations({ transaction: 'each' });
      return ran.map((migration) => migration.name);
    } finally {
      // Closing the connection gives the lock back too.
      await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(discard);
    }
  });
}

/** Whether this code's migrations have not all run. False only on a schema of this version or newer. */
export async function hasPendingMigrations(database: Database): Promise<boolean> {
  return database.dataSource.showMigrations();
}

export interface SchemaState {
  /** Migrations of this version that have not run. */
  missing: string[];
  /** Migrations that ran and that this version does not know: the schema is newer. */
  unknown: string[];
}

/** Compares the schema with this version. Changes nothing, also in an empty database. */
export async function schemaState({ pool }: Pick<Database, 'pool'>): Promise<SchemaState> {
  const known = MIGRATIONS.map((migration) => migration.name);
  const { rows } = await pool.query<{ there: boolean }>(
    "SELECT to_regclass('migrations') IS NOT NULL AS there",
  );
  const ran = rows[0]?.there
    ? (await pool.query<{ name: string }>('SELECT name FROM migrations ORDER BY id')).rows.map(
        ({ name }) => name,
      )
    : [];
  return {
    missing: known.filter((name) => !ran.includes(name)),
    unknown: ran.filter((name) => !known.includes(name)),
  };
}
