import { SCHEDULE_ID, type TASK_QUEUE } from '@hookstream/contracts';
import { ScheduleNotFoundError } from '@temporalio/client';
import { missingSearchAttributes } from './namespace.js';
import type { TemporalClient } from './temporal-client.js';
import { callTemporal, GRPC, grpcCode } from './temporal-errors.js';

/** `TASK_QUEUE_TYPE_WORKFLOW` of temporal.api.enums.v1 */
const WORKFLOW_TASKS = 1;

/** What a server has of what Hookstream needs. Every answer only reads; nothing is made. */
export class ServerInspection {
  constructor(
    private readonly temporal: TemporalClient,
    /** Milliseconds for each answer. */
    private readonly timeoutMs: number,
  ) {}

  /** The server's version, which needs no namespace. @throws DomainError `temporal_unavailable`, or what the server answers */
  async version(): Promise<string> {
    const info = await this.within(() => this.service.getSystemInfo({}));
    return info.serverVersion ?? 'unknown';
  }

  /** How long the namespace keeps closed workflows, in milliseconds; null when there is no such namespace. */
  async namespaceRetentionMs(): Promise<number | null> {
    try {
      const { namespace } = this.temporal;
      const { config } = await this.within(() => this.service.describeNamespace({ namespace }));
      return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
    } catch (error) {
      if (grpcCode(error) === GRPC.notFound) return null;
      throw error;
    }
  }

  async missingSearchAttributes(): Promise<string[]> {
    return this.within(() => missingSearchAttributes(this.temporal));
  }

  /** Workers that polled the queue for workflow tasks of late. */
  async pollers(taskQueue: (typeof TASK_QUEUE)[keyof typeof TASK_QUEUE]): Promise<number> {
    const { namespace } = this.temporal;
    const { pollers } = await this.within(() =>
      this.service.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        taskQueueType: WORKFLOW_TASKS,
      }),
    );
    return pollers?.length ?? 0;
  }

  /** Whether the Schedule that runs maintenance is there, and whether somebody paused it. */
  async maintenanceSchedule(): Promise<'running' | 'paused' | 'missing'> {
    try {
      const handle = this.temporal.client.schedule.getHandle(SCHEDULE_ID.maintenance);
      const { state } = await this.within(() => handle.describe());
      return state.paused ? 'paused' : 'running';
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return 'missing';
      throw error;
    }
  }

  private get service() {
    return this.temporal.client.workflowService;
  }

  private within<T>(call: () => Promise<T>): Promise<T> {
    const { connection } = this.temporal.client;
    return callTemporal(() => connection.withDeadline(Date.now() + this.timeoutMs, call));
  }
}
