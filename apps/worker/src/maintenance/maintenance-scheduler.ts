import type { Logger } from '@hookstream/observability';
import { ensureMaintenanceSchedule, type WorkerTemporalClient } from '@hookstream/temporal-client';
import { untilAvailable } from '../until-available.js';

export interface MaintenanceSchedulerDeps {
  temporal: WorkerTemporalClient;
  taskQueue: string;
  everyMs: number;
  logger: Logger;
}

/**
 * Sees to the schedule of maintenance in the background: delivering does not wait for it. A Temporal that has much to catch up on answers for
 * schedules last, because a schedule is a workflow of its own.
 */
export class MaintenanceScheduler {
  private readonly stopping = new AbortController();

  constructor(private readonly deps: MaintenanceSchedulerDeps) {}

  start(): void {
    const { temporal, taskQueue, everyMs, logger } = this.deps;
    untilAvailable(
      'the maintenance schedule',
      logger,
      () => ensureMaintenanceSchedule(temporal, { everyMs, taskQueue }),
      this.stopping.signal,
    ).catch((error: unknown) => logger.debug({ err: error }, 'stopped before maintenance was scheduled'));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
  }
}
