import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { loadApiConfig, type ApiConfig } from '@hookstream/config';
import { createLogger, SEND_REST_WITHIN_MS, startTracing, type Logger } from '@hookstream/observability';
import { openDatabase, type Database } from '@hookstream/persistence';
import { connectTemporal } from '@hookstream/temporal-client';
import { createApi } from './create-api.js';

const RECONNECT_MS = 1_000;
/** Then the caller is told to come again: nobody waits for a Postgres that stands still. */
const DATABASE_ANSWER_TIMEOUT_MS = 8_000;

/** Postgres may come up after us. @throws never: waits until it is there */
async function waitForDatabase(config: ApiConfig, logger: Logger): Promise<Database> {
  for (;;) {
    try {
      return await openDatabase({
        url: config.database.url,
        poolSize: config.database.poolSize,
        applicationName: 'hookstream-api',
        answerTimeoutMs: DATABASE_ANSWER_TIMEOUT_MS,
        onIdleError: (error) => logger.warn({ err: error }, 'a database connection broke'),
      });
    } catch (error) {
      logger.warn({ reason: (error as Error).message }, 'waiting for Postgres');
      await delay(RECONNECT_MS);
    }
  }
}

async function main(): Promise<void> {
  const config = loadApiConfig();
  const logger = createLogger({ name: 'api', level: config.logLevel });
  const tracing = await startTracing(config.traces, { serviceName: 'hookstream-api', logger });
  const database = await waitForDatabase(config, logger);
  // connects with its first use: events are accepted without Temporal
  const temporal = connectTemporal(config.temporal);
  const app = await createApi({ config, database, temporal, logger, ...(tracing && { tracing }) });
  await app.listen(config.port, config.host);
  logger.info({ url: await app.getUrl() }, 'api listening');

  let stopping: Promise<void> | undefined;
  const stop = async (signal: string): Promise<void> => {
    logger.info({ signal }, 'api stopping');
    // unreferenced: it only ends a stop that hangs
    setTimeout(() => process.exit(1), config.shutdownGraceMs + 1_000 + SEND_REST_WITHIN_MS).unref();
    await app.close();
    await Promise.allSettled([database.close(), temporal.close(), tracing?.stop()]);
    logger.info('api stopped');
    // spans that a collector has not taken would be tried for some seconds more
    if (tracing !== undefined) process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void (stopping ??= stop(signal)));
  }
}

await main().catch((error: unknown) => {
  const text =
    error instanceof Error && error.name !== 'ConfigError' ? error.stack : String((error as Error).message);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
