import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ConfigError, loadWorkerConfig } from '@hookstream/config';
import { createLogger } from '@hookstream/observability';
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { HealthServer } from './health/health-server.js';
import { HookstreamWorker } from './worker.js';
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
  const worker = new HookstreamWorker({ config, logger });
  if (config.health) {
    const { port, host } = config.health;
    // Before all else: while it waits for Postgres it is starting, not dead.
    const listening = await new HealthServer(() => worker.notReadyBecause()).listen(port, host);
    logger.info({ port: listening }, 'health is answered');
  }
  const app = await NestFactory.createApplicationContext(WorkerModule.register(worker), {
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
