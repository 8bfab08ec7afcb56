import { existsSync } from 'node:fs';
import { TransportError, Worker, type WorkerOptions } from '@temporalio/worker';
import type {
  DeliveryActivities,
  EndpointActivities,
  MaintenanceActivities,
  ReplayActivities,
} from '@hookstream/contracts';
import type { Logger } from '@hookstream/observability';
import type { WorkerTemporalClient } from '@hookstream/temporal-client';
import { workflowBundlePath } from '@hookstream/workflows/bundle';
import { untilAvailable } from '../until-available.js';

export interface TaskQueues {
  deliveries: string;
  control: string;
}

export type ControlActivities = MaintenanceActivities & EndpointActivities & ReplayActivities;

export interface TemporalWorkersOptions {
  temporal: WorkerTemporalClient;
  logger: Logger;
  taskQueues: TaskQueues;
  identity: string;
  deliveryActivities: DeliveryActivities;
  controlActivities: ControlActivities;
  /** Attempts at once, and so workflow tasks at once: a task stays open while its local activity runs. */
  maxConcurrentAttempts: number;
  /** Called at shutdown when the grace period is over. Temporal itself does not abort local activities then. */
  abortAttempts: () => void;
  /** Milliseconds that attempts under way may still take at shutdown before they are handed back. */
  shutdownGraceMs: number;
}

/** Cached runs wait in memory for their next step instead of being replayed from their history. */
const MAX_CACHED_WORKFLOWS = 2_000;
const CONTROL_SLOTS = 20;
/** A breaker that is told something several times a second should not be replayed each time. */
const MAX_CACHED_CONTROL_WORKFLOWS = 500;

/** The Temporal workers of this process: one per task queue. */
export class TemporalWorkers {
  private constructor(
    private readonly workers: Worker[],
    private readonly runs: Promise<void>[],
    private readonly options: Pick<TemporalWorkersOptions, 'abortAttempts' | 'shutdownGraceMs'>,
  ) {}

  /** Creates the workers and starts polling. */
  static async start(options: TemporalWorkersOptions): Promise<TemporalWorkers> {
    if (!existsSync(workflowBundlePath))
      throw new Error('The workflow bundle is missing; make it with: npm run build');
    const workers = [
      await onceTemporalAnswers(options.logger, () => createDeliveriesWorker(options)),
      await onceTemporalAnswers(options.logger, () => createControlWorker(options)),
    ];
    return new TemporalWorkers(
      workers,
      workers.map((worker) => worker.run()),
      options,
    );
  }

  /** Rejects when a worker fails for good, resolves after {@link stop}. */
  async stopped(): Promise<void> {
    await Promise.all(this.runs);
  }

  /** Polls no more, lets work under way finish within the grace period, then aborts it unrecorded. */
  async stop(): Promise<void> {
    for (const worker of this.workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    const grace = setTimeout(this.options.abortAttempts, this.options.shutdownGraceMs);
    await Promise.allSettled(this.runs);
    clearTimeout(grace);
  }
}

/** Creating asks Temporal for the namespace. A Temporal that is away is waited for; everything else is a fault of ours. */
function onceTemporalAnswers(logger: Logger, create: () => Promise<Worker>): Promise<Worker> {
  let fault: unknown;
  return untilAvailable('Temporal', logger, async () => {
    try {
      return await create();
    } catch (error) {
      if (error instanceof TransportError) throw error;
      fault = error;
      return undefined;
    }
  }).then((worker) => {
    if (worker === undefined) throw fault;
    return worker;
  });
}

function shared(
  options: TemporalWorkersOptions,
): Pick<WorkerOptions, 'connection' | 'namespace' | 'identity' | 'workflowBundle' | 'shutdownGraceTime'> {
  return {
    connection: options.temporal.nativeConnection,
    namespace: options.temporal.namespace,
    identity: options.identity,
    workflowBundle: { codePath: workflowBundlePath },
    shutdownGraceTime: options.shutdownGraceMs,
  };
}

function createDeliveriesWorker(options: TemporalWorkersOptions): Promise<Worker> {
  return Worker.create({
    ...shared(options),
    taskQueue: options.taskQueues.deliveries,
    activities: options.deliveryActivities,
    enableNonLocalActivities: false,
    maxConcurrentLocalActivityExecutions: options.maxConcurrentAttempts,
    maxConcurrentWorkflowTaskExecutions: options.maxConcurrentAttempts,
    maxCachedWorkflows: Math.max(MAX_CACHED_WORKFLOWS, options.maxConcurrentAttempts),
  });
}

function createControlWorker(options: TemporalWorkersOptions): Promise<Worker> {
  return Worker.create({
    ...shared(options),
    taskQueue: options.taskQueues.control,
    activities: options.controlActivities,
    maxConcurrentActivityTaskExecutions: CONTROL_SLOTS,
    maxConcurrentWorkflowTaskExecutions: CONTROL_SLOTS,
    maxCachedWorkflows: MAX_CACHED_CONTROL_WORKFLOWS,
  });
}
