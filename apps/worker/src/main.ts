import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ConfigError, loadWorkerConfig } from '@hookstream/config';
import { createLogger } from '@hookstream/observability';
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { WorkerModule } from './worker.module.js';

/** The SDK warns of every workflow task above five seconds: here that is an attempt at a slow receiver, which is data. */
const SDK_LOG_FILTER = `${makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' })},temporalio_sdk_core::worker::workflow::managed_run=error`;

async function main(): Promise<void> {
  const config = loadWorkerConfig();
  const logger = createLogger({ name: 'worker', level: config.logLevel });
  // A supervisor that dies closes this channel; nothing is left running then, be it in the middle of starting.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // Nest stops the workers in our order; Temporal's runtime must not do so on its own at the same signals.
  Runtime.install({ shutdownSignals: [], telemetryOptions: { logging: { filter: SDK_LOG_FILTER } } });
  const app = await NestFactory.createApplicationContext(WorkerModule.register({ config, logger }), {
    logger: false,
    abortOnError: false,
  });
  app.enableShutdownHooks(['SIGINT', 'SIGTERM']);
  logger.info('worker running');
  process.send?.({ kind: 'ready' });
  await app.get(WorkerModule).stopped();
}

main().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
