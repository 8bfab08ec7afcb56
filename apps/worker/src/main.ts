import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ConfigError, loadWorkerConfig } from '@hookstream/config';
import { createLogger, MetricRegistry, metricsGuard } from '@hookstream/observability';
import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { HealthServer } from './health/health-server.js';
import { freeLoopbackPort } from './metrics/free-loopback-port.js';
import { metricsPage } from './metrics/metrics-page.js';
import { HookstreamWorker } from './worker.js';
import { WorkerModule } from './worker.module.js';

/** The SDK warns of every workflow task above five seconds: here that is an attempt at a slow receiver, which is data. */
const SDK_LOG_FILTER = `${makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' })},temporalio_sdk_core::worker::workflow::managed_run=error`;

/**
 * Before anything else of Temporal. Its own metrics are measured outside JavaScript and served by a listener of its own, on loopback.
 * @returns where they are; undefined when nobody asks for them
 */
async function installRuntime(measured: boolean): Promise<string | undefined> {
  // Nest stops the workers in our order; Temporal's runtime must not do so on its own at the same signals.
  const shutdownSignals: [] = [];
  const logging = { filter: SDK_LOG_FILTER };
  if (!measured) {
    Runtime.install({ shutdownSignals, telemetryOptions: { logging } });
    return undefined;
  }
  const bindAddress = `127.0.0.1:${await freeLoopbackPort()}`;
  const prometheus = {
    bindAddress,
    countersTotalSuffix: true,
    unitSuffix: true,
    useSecondsForDurations: true,
  };
  Runtime.install({ shutdownSignals, telemetryOptions: { logging, metrics: { prometheus } } });
  return `http://${bindAddress}/metrics`;
}

async function main(): Promise<void> {
  const config = loadWorkerConfig();
  const logger = createLogger({ name: 'worker', level: config.logLevel });
  // A supervisor that dies closes this channel; nothing is left running then, be it in the middle of starting.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  const sdkMetricsUrl = await installRuntime(config.health !== undefined);
  const registry = new MetricRegistry();
  const worker = new HookstreamWorker({ config, logger, registry });
  if (config.health) {
    const { port, host } = config.health;
    // Before all else: while it waits for Postgres it is starting, not dead.
    const listening = await new HealthServer(() => worker.notReadyBecause(), {
      allowed: metricsGuard(config.metrics.token),
      page: metricsPage(registry, worker, sdkMetricsUrl),
    }).listen(port, host);
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
