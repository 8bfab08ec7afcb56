// Brings the database to this version and makes the partitions ahead, then ends. May run at any time, several at once too.
import 'reflect-metadata';
import { ConfigError, loadMigrationConfig } from '@hookstream/config';
import { createLogger } from '@hookstream/observability';
import { ensurePartitions, openDatabase, runMigrations } from '@hookstream/persistence';

async function migrate(): Promise<void> {
  const config = loadMigrationConfig();
  const logger = createLogger({ name: 'migrate', level: config.logLevel });
  const database = await openDatabase({
    url: config.databaseUrl,
    poolSize: 2,
    applicationName: 'hookstream-migrate',
  });
  try {
    const ran = await runMigrations(database);
    const made = await ensurePartitions(database.pool, {
      now: Date.now(),
      aheadMs: config.partitionsAheadMs,
    });
    logger.info({ ran, partitions: made.length }, 'the schema is of this version');
  } finally {
    await database.close();
  }
}

await migrate().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
