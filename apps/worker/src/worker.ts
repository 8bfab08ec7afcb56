import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import {
  activityContext,
  createDeliveryActivities,
  type AttemptDeps,
  type AttemptReporter,
} from '@hookstream/activities';
import type { WorkerConfig } from '@hookstream/config';
import { TASK_QUEUE } from '@hookstream/contracts';
import {
  DeliveryMetrics,
  startTracing,
  type InstallationGauges,
  type Logger,
  type MetricRegistry,
  type Tracing,
} from '@hookstream/observability';
import {
  CircuitsRepository,
  GaugesRepository,
  ProbesRepository,
  ensurePartitions,
  ReplaysRepository,
  StatsRepository,
  WorkersRepository,
  type Database,
} from '@hookstream/persistence';
import {
  DeliveryStarter,
  EndpointWorkflows,
  ReplayStarter,
  restContext,
  type WorkerTemporalClient,
} from '@hookstream/temporal-client';
import { CircuitReporter } from './circuits/circuit-reporter.js';
import { CircuitReviver } from './circuits/circuit-reviver.js';
import { ProbeKeeper } from './circuits/probe-keeper.js';
import { openWorkerDatabase, untilMigrated } from './connections/worker-database.js';
import { openWorkerTemporal, untilNamespaceServed } from './connections/worker-temporal.js';
import { createEgress, deliveryDeps } from './delivery-deps.js';
import { watchedActivities } from './dispatch/attempt-watch.js';
import { Dispatching } from './dispatch/dispatching.js';
import { Heartbeat } from './heartbeat/heartbeat.js';
import { MaintenanceScheduler } from './maintenance/maintenance-scheduler.js';
import { ReplayKeeper } from './replays/replay-keeper.js';
import { StatsFolder } from './stats/stats-folder.js';
import { createControlActivities } from './temporal-workers/control-activities.js';
import { TemporalWorkers, type TaskQueues } from './temporal-workers/temporal-workers.js';
import { untilAvailable } from './until-available.js';

/** As long as the API waits before it counts a worker as gone. Milliseconds. */
const SILENT_TOO_LONG_MS = 15_000;

export interface WorkerOptions {
  config: WorkerConfig;
  logger: Logger;
  /** Where it measures. Absent: nowhere. */
  registry?: MetricRegistry;
  /** Others than the released names only where several instances share a Temporal namespace, as tests do. */
  taskQueues?: TaskQueues;
}

/**
 * One worker process: Temporal workers, dispatcher and signs of life. {@link start} waits for Postgres, its migrations and
 * Temporal, in that order; {@link stop} ends what is under way or hands it back.
 */
export class HookstreamWorker {
  readonly id = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  private readonly taskQueues: TaskQueues;
  private closers: (() => Promise<void>)[] = [];
  private temporalWorkers: TemporalWorkers | undefined;
  private heartbeat: Heartbeat | undefined;
  private stopping = false;
  private gauges: GaugesRepository | undefined;

  constructor(private readonly options: WorkerOptions) {
    this.taskQueues = options.taskQueues ?? TASK_QUEUE;
  }

  async start(): Promise<void> {
    const { config, logger } = this.options;
    const tracing = await this.startTracing();
    const database = await this.openDatabase();
    this.gauges = new GaugesRepository(database);
    const temporal = await this.connectTemporal();
    restContext(activityContext);
    // what was there a moment ago may be away again: a worker waits for it, it does not end
    await untilAvailable('the partitions', logger, () =>
      ensurePartitions(database.pool, { now: Date.now(), aheadMs: config.retention.partitionsAheadMs }),
    );

    const egress = createEgress(config);
    this.closers.unshift(() => egress.close());
    const circuits = this.startCircuits(database, temporal);
    const deps = {
      ...deliveryDeps(config, egress, circuits, logger),
      ...this.measuring(),
      ...tracing,
    };
    const dispatching = this.createDispatching(database, temporal, deps);
    await this.startTemporalWorkers(database, temporal, dispatching, deps);
    this.scheduleMaintenance(temporal);

    dispatching.start();
    this.closers.unshift(() => dispatching.stopClaiming());
    this.startReplayKeeper(database, temporal);
    const heartbeat = new Heartbeat({
      workerId: this.id,
      workers: new WorkersRepository(database.pool),
      lastDispatchAt: () => dispatching.lastDispatchAt,
      logger,
    });
    await untilAvailable('Postgres', logger, () => heartbeat.start());
    this.heartbeat = heartbeat;
    this.closers.unshift(() => heartbeat.stop());

    const folder = new StatsFolder({
      stats: new StatsRepository(database.pool),
      logger,
      now: () => performance.now(),
    });
    folder.start();
    this.closers.unshift(() => folder.stop());
  }

  /** Resolves after {@link stop}; rejects when a Temporal worker fails for good. */
  async stopped(): Promise<void> {
    await this.temporalWorkers?.stopped();
  }

  /** Why no deliveries are taken now, undefined while they are. */
  notReadyBecause(): string | undefined {
    if (this.stopping) return 'stopping';
    if (this.heartbeat === undefined) return 'starting';
    return this.heartbeat.silentMs() > SILENT_TOO_LONG_MS ? 'Postgres is away' : undefined;
  }

  /** What the database says of the whole installation. @throws while it is not open, and what Postgres answers */
  async readGauges(): Promise<InstallationGauges> {
    if (this.gauges === undefined) throw new Error('starting');
    return this.gauges.read(this.options.config.metrics.maxSeries);
  }

  private measuring(): { metrics?: DeliveryMetrics } {
    const { registry, config } = this.options;
    return registry ? { metrics: new DeliveryMetrics(registry, config.metrics.maxSeries) } : {};
  }

  /** In order: claim nothing more, finish or hand back attempts, then leave. Every step runs even where one fails. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const close of this.closers.splice(0)) {
      await close().catch((error: unknown) =>
        this.options.logger.warn({ err: error }, 'a part did not stop cleanly'),
      );
    }
  }

  /** Stopped after all else, so that the last attempts are told too. */
  private async startTracing(): Promise<{ tracing?: Tracing }> {
    const { config, logger } = this.options;
    const tracing = await startTracing(config.traces, { serviceName: 'hookstream-worker', logger });
    if (tracing === undefined) return {};
    this.closers.unshift(() => tracing.stop());
    return { tracing };
  }

  private async openDatabase(): Promise<Database> {
    const { config, logger } = this.options;
    const database = await openWorkerDatabase(config.database, logger);
    this.closers.unshift(() => database.close());
    await untilMigrated(database, logger);
    return database;
  }

  private async connectTemporal(): Promise<WorkerTemporalClient> {
    const { config, logger } = this.options;
    const temporal = await openWorkerTemporal(config.temporal, logger);
    this.closers.unshift(() => temporal.close());
    await untilNamespaceServed(temporal, config.temporal, logger);
    return temporal;
  }

  /** Stopped after the Temporal workers, so that the last attempts are told too. */
  private startCircuits(database: Database, temporal: WorkerTemporalClient): AttemptReporter {
    const { logger } = this.options;
    const workflows = new EndpointWorkflows(temporal, { taskQueue: this.taskQueues.control });
    const reporter = new CircuitReporter({ workflows, logger, now: Date.now });
    const reviver = new CircuitReviver({
      circuits: new CircuitsRepository(database.pool),
      workflows,
      logger,
    });
    reviver.start();
    const probes = new ProbeKeeper({ probes: new ProbesRepository(database.pool), workflows, logger });
    probes.start();
    this.closers.unshift(
      () => probes.stop(),
      () => reviver.stop(),
      () => reporter.stop(),
    );
    return reporter;
  }

  private scheduleMaintenance(temporal: WorkerTemporalClient): void {
    const { config, logger } = this.options;
    const scheduler = new MaintenanceScheduler({
      temporal,
      taskQueue: this.taskQueues.control,
      everyMs: config.retention.maintenanceIntervalMs,
      logger,
    });
    scheduler.start();
    this.closers.unshift(() => scheduler.stop());
  }

  private createDispatching(
    database: Database,
    temporal: WorkerTemporalClient,
    attempt: AttemptDeps,
  ): Dispatching {
    const starter = new DeliveryStarter(temporal, { taskQueue: this.taskQueues.deliveries });
    return new Dispatching({
      workerId: this.id,
      config: this.options.config,
      database,
      starter,
      attempt,
    });
  }

  private async startTemporalWorkers(
    database: Database,
    temporal: WorkerTemporalClient,
    dispatching: Dispatching,
    deps: AttemptDeps,
  ): Promise<void> {
    const { config, logger } = this.options;
    const stopping = new AbortController();
    // One listener per attempt under way is no leak.
    setMaxListeners(0, stopping.signal);
    const workers = await TemporalWorkers.start({
      temporal,
      logger,
      taskQueues: this.taskQueues,
      identity: this.id,
      deliveryActivities: watchedActivities(
        createDeliveryActivities({
          ...deps,
          attempts: dispatching.firstAttempts.attempts,
          recorder: dispatching.recorder(stopping.signal),
          stopping: stopping.signal,
        }),
        dispatching.watch,
      ),
      controlActivities: createControlActivities(database, config),
      maxConcurrentAttempts: config.maxConcurrentAttempts,
      abortAttempts: () => stopping.abort(new Error('the worker stops')),
      shutdownGraceMs: config.shutdownGraceMs,
    });
    this.temporalWorkers = workers;
    this.closers.unshift(async () => {
      await Promise.all([workers.stop(), dispatching.finish(config.shutdownGraceMs)]);
    });
  }

  private startReplayKeeper(database: Database, temporal: WorkerTemporalClient): void {
    const { logger } = this.options;
    const keeper = new ReplayKeeper({
      replays: new ReplaysRepository(database),
      starter: new ReplayStarter(temporal, { taskQueue: this.taskQueues.control }),
      logger,
    });
    keeper.start();
    this.closers.unshift(() => keeper.stop());
  }
}
