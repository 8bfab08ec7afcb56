import { randomBytes } from 'node:crypto';
import { DAY_MS } from '@hookstream/domain';
import { loadWorkerConfig } from '@hookstream/config';
import { createLogger } from '@hookstream/observability';
import {
  connectTemporalWorker,
  DeliveryStarter,
  ensureNamespace,
  ensureSearchAttributes,
  type WorkerTemporalClient,
} from '@hookstream/temporal-client';
import { testTemporalOptions, uniqueTaskQueue } from '@hookstream/testing';
import { HookstreamWorker } from '@hookstream/worker';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { StoredDeliveries } from './stored-deliveries.js';

/** A database and task queues of one test file's own, and workers as their process runs them. */
export class WorkerInstance {
  private readonly workers = new Set<HookstreamWorker>();
  private readonly taskQueues = {
    deliveries: uniqueTaskQueue('deliveries'),
    control: uniqueTaskQueue('control'),
  };

  private constructor(
    readonly store: StoredDeliveries,
    readonly temporal: WorkerTemporalClient,
  ) {}

  /** @param options `ownNamespace`: for what there is one of in a namespace, as the maintenance schedule; Temporal takes seconds to make it */
  static async create(options: { ownNamespace?: boolean } = {}): Promise<WorkerInstance> {
    installRuntime();
    const own = options.ownNamespace ? { namespace: `test-${randomBytes(4).toString('hex')}` } : {};
    const [store, temporal] = await Promise.all([
      StoredDeliveries.create(),
      connectTemporalWorker({ ...testTemporalOptions(), ...own }),
    ]);
    await ensureNamespace(temporal, { retentionMs: DAY_MS });
    await ensureSearchAttributes(temporal);
    return new WorkerInstance(store, temporal);
  }

  /** As these workers have it. */
  get starter(): DeliveryStarter {
    return new DeliveryStarter(this.temporal, { taskQueue: this.taskQueues.deliveries });
  }

  /** A running worker. `settings` over those that make tests short. */
  async startWorker(settings: Record<string, string> = {}): Promise<HookstreamWorker> {
    const worker = new HookstreamWorker({
      config: loadWorkerConfig({
        DATABASE_URL: this.store.testDatabase.url,
        TEMPORAL_ADDRESS: testTemporalOptions().address,
        TEMPORAL_NAMESPACE: this.temporal.namespace,
        HOOKSTREAM_ENCRYPTION_KEY: this.store.encryptionKey,
        HOOKSTREAM_EGRESS_ALLOW_CIDRS: '127.0.0.0/8',
        HOOKSTREAM_EGRESS_SCHEMES: 'http',
        HOOKSTREAM_PARTITIONS_AHEAD_DAYS: '2',
        HOOKSTREAM_DISPATCH_POLL_MS: '200',
        HOOKSTREAM_DISPATCH_LEASE_MS: '2000',
        HOOKSTREAM_SHUTDOWN_GRACE_MS: '200',
        ...settings,
      }),
      logger: createLogger({ name: 'worker', level: 'silent' }),
      taskQueues: this.taskQueues,
    });
    this.workers.add(worker);
    await worker.start();
    return worker;
  }

  async stopWorker(worker: HookstreamWorker): Promise<void> {
    this.workers.delete(worker);
    await worker.stop();
  }

  async stopWorkers(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => this.stopWorker(worker)));
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    await this.temporal.close();
    await this.store.drop();
  }
}

let installed = false;

/** Once a process: the SDK's own log is not what is tested, and its signal handlers are the test runner's. */
export function installRuntime(): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
    shutdownSignals: [],
  });
}
