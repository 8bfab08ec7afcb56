import { withClient, type Database } from './database.js';

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
