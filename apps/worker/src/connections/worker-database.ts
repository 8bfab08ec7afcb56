import type { DatabaseConfig } from '@hookstream/config';
import type { Logger } from '@hookstream/observability';
import { hasPendingMigrations, openDatabase, type Database } from '@hookstream/persistence';
import { untilAvailable } from '../until-available.js';

/** Waits for Postgres. */
export function openWorkerDatabase({ url, poolSize }: DatabaseConfig, logger: Logger): Promise<Database> {
  return untilAvailable('Postgres', logger, () =>
    openDatabase({
      url,
      poolSize,
      applicationName: 'hookstream-worker',
      lookUpsOnly: true,
      onIdleError: (error) => logger.warn({ err: error }, 'a connection to Postgres broke'),
    }),
  );
}

/** Waits for who runs the migrations of this version. */
export function untilMigrated(database: Database, logger: Logger): Promise<void> {
  return untilAvailable('migrations', logger, async () => {
    if (await hasPendingMigrations(database))
      throw new Error('the schema is older than this version: run the migrations');
  });
}
