import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import {
  activityContext,
  createDeliveryActivities,
  createEndpointActivities,
  createMaintenanceActivities,
  createReplayActivities,
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
  hasPendingMigrations,
  MaintenanceRepository,
  openDatabase,
  ReplaysRepository,
  ReplayStepsRepository,
  StatsRepository,
  WorkersRepository,
  type Database,
} from '@hookstream/persistence';
import {
  connectTemporalWorker,
  DeliveryStarter,
  EndpointWorkflows,
  ensureMaintenanceSchedule,
  ensureNamespace,
  ensureSearchAttributes,
  ReplayStarter,
  restContext,
  type WorkerTemporalClient,
} from '@hookstream/temporal-client';
import { CircuitReporter } from './circuits/circuit-reporter.js';
import { CircuitReviver } from './circuits/circuit-reviver.js';
import { ProbeKeeper } from './circuits/probe-keeper.js';
import { createEgress, createSecretBox, deliveryDeps } from './delivery-deps.js';
import { watchedActivities } from './dispatch/attempt-watch.js';
import { Dispatching } from './dispatch/dispatching.js';
import { Heartbeat } from './heartbeat/heartbeat.js';
import { ReplayKeeper } from './replays/replay-keeper.js';
import { StatsFolder } from './stats/stats-folder.js';
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
  private closers: (() => Promise<void>)[] = [];
  private temporalWorkers: TemporalWorkers | undefined;
  private heartbeat: Heartbeat | undefined;
  private stopping = false;
  private gauges: GaugesRepository | undefined;

  constructor(private readonly options: WorkerOptions) {}

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
    const database = await untilAvailable('Postgres', logger, () =>
      openDatabase({
        url: config.database.url,
        poolSize: config.database.poolSize,
        applicationName: 'hookstream-worker',
        lookUpsOnly: true,
        onIdleError: (error) => logger.warn({ err: error }, 'a connection to Postgres broke'),
      }),
    );
    this.closers.unshift(() => database.close());
    await untilAvailable('migrations', logger, async () => {
      if (await hasPendingMigrations(database))
        throw new Error('the schema is older than this version: run the migrations');
    });
    return database;
  }

  private async connectTemporal(): Promise<WorkerTemporalClient> {
    const { config, logger } = this.options;
    const { retentionMs } = config.temporal;
    const temporal = await untilAvailable('Temporal', logger, () => connectTemporalWorker(config.temporal));
    this.closers.unshift(() => temporal.close());
    await untilAvailable('the Temporal namespace', logger, async () => {
      await ensureNamespace(temporal, { retentionMs });
      await ensureSearchAttributes(temporal);
    });
    return temporal;
  }

  /** Stopped after the Temporal workers, so that the last attempts are told too. */
  private startCircuits(database: Database, temporal: WorkerTemporalClient): AttemptReporter {
    const { logger, taskQueues } = this.options;
    const workflows = new EndpointWorkflows(temporal, {
      taskQueue: taskQueues?.control ?? TASK_QUEUE.control,
    });
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

  /**
   * In the background: delivering does not wait for it. A Temporal that has much to catch up on answers for schedules last, because a
   * schedule is a workflow of its own.
   */
  private scheduleMaintenance(temporal: WorkerTemporalClient): void {
    const { config, logger, taskQueues } = this.options;
    const stopping = new AbortController();
    untilAvailable(
      'the maintenance schedule',
      logger,
      () =>
        ensureMaintenanceSchedule(temporal, {
          everyMs: config.retention.maintenanceIntervalMs,
          taskQueue: taskQueues?.control ?? TASK_QUEUE.control,
        }),
      stopping.signal,
    ).catch((error: unknown) => logger.debug({ err: error }, 'stopped before maintenance was scheduled'));
    this.closers.unshift(async () => stopping.abort());
  }

  private createDispatching(
    database: Database,
    temporal: WorkerTemporalClient,
    attempt: AttemptDeps,
  ): Dispatching {
    const { config, taskQueues } = this.options;
    const starter = new DeliveryStarter(temporal, {
      taskQueue: taskQueues?.deliveries ?? TASK_QUEUE.deliveries,
    });
    return new Dispatching({ workerId: this.id, config, database, starter, attempt });
  }

  private async startTemporalWorkers(
    database: Database,
    temporal: WorkerTemporalClient,
    dispatching: Dispatching,
    deps: AttemptDeps,
  ): Promise<void> {
    const { config, taskQueues } = this.options;
    const secretBox = createSecretBox(config);
    const stopping = new AbortController();
    // One listener per attempt under way is no leak.
    setMaxListeners(0, stopping.signal);
    const workers = await TemporalWorkers.start({
      temporal,
      logger: this.options.logger,
      taskQueues: taskQueues ?? TASK_QUEUE,
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
      controlActivities: {
        ...createEndpointActivities({ circuits: new CircuitsRepository(database.pool) }),
        ...createMaintenanceActivities({
          database,
          maintenance: new MaintenanceRepository(database.pool),
          secretBox,
          retentionMs: config.retention.retentionMs,
          auditRetentionMs: config.retention.auditRetentionMs,
          partitionsAheadMs: config.retention.partitionsAheadMs,
          now: Date.now,
        }),
        ...createReplayActivities({ steps: new ReplayStepsRepository(database.pool), ...config.replay }),
      },
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
    const { logger, taskQueues } = this.options;
    const keeper = new ReplayKeeper({
      replays: new ReplaysRepository(database),
      starter: new ReplayStarter(temporal, { taskQueue: taskQueues?.control ?? TASK_QUEUE.control }),
      logger,
    });
    keeper.start();
    this.closers.unshift(() => keeper.stop());
  }
}
