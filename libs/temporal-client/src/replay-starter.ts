import {
  cancelReplay,
  pauseReplay,
  resumeReplay,
  SEARCH_ATTRIBUTE,
  TASK_QUEUE,
  WORKFLOW,
  type ReplayProgress,
  type ReplayWorkflowInput,
} from '@hookstream/contracts';
import type { ReplayWish } from '@hookstream/domain';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/client';
import type { TemporalClient } from './temporal-client.js';
import { callTemporal } from './temporal-errors.js';

export interface ReplayStarterOptions {
  /** Default `hookstream-control`. */
  taskQueue?: string;
  /** Milliseconds that one call may take, default 5000. */
  requestTimeoutMs?: number;
}

/** What a replay's workflow is started and found with. */
export interface ReplayStart {
  replayId: string;
  tenantId: string;
  /** Where it is about one endpoint. */
  endpointId?: string | undefined;
}

type ReplayWorkflow = (input: ReplayWorkflowInput) => Promise<ReplayProgress>;

const SIGNAL = { pause: pauseReplay, resume: resumeReplay, cancel: cancelReplay } as const;

/**
 * Starts replay workflows and talks to them. The workflow id is the replay's public id. Both methods throw DomainError
 * `temporal_unavailable` while the server cannot be reached.
 */
export class ReplayStarter {
  private readonly taskQueue: string;
  private readonly requestTimeoutMs: number;

  constructor(
    private readonly temporal: TemporalClient,
    options: ReplayStarterOptions = {},
  ) {
    this.taskQueue = options.taskQueue ?? TASK_QUEUE.control;
    this.requestTimeoutMs = options.requestTimeoutMs ?? 5_000;
  }

  /** Sees to it that the replay's workflow is open. */
  async start(replay: ReplayStart): Promise<void> {
    await this.within(() =>
      this.temporal.client.workflow.start<ReplayWorkflow>(WORKFLOW.replay, this.startOptions(replay)),
    );
  }

  /** Tells the open workflow, or a new run of it, what its row says since a moment ago. */
  async signal(replay: ReplayStart, wish: ReplayWish): Promise<void> {
    await this.within(() =>
      this.temporal.client.workflow.signalWithStart<ReplayWorkflow>(WORKFLOW.replay, {
        ...this.startOptions(replay),
        signal: SIGNAL[wish],
      }),
    );
  }

  private startOptions({ replayId, tenantId, endpointId }: ReplayStart) {
    return {
      args: [{ replayId }] as [ReplayWorkflowInput],
      workflowId: replayId,
      taskQueue: this.taskQueue,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      staticSummary: `replay of deliveries${endpointId === undefined ? '' : ` to ${endpointId}`}`,
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTE.tenantId, value: tenantId },
        ...(endpointId === undefined ? [] : [{ key: SEARCH_ATTRIBUTE.endpointId, value: endpointId }]),
      ],
    };
  }

  private within<T>(call: () => Promise<T>): Promise<T> {
    const { connection } = this.temporal.client;
    return callTemporal(() => connection.withDeadline(Date.now() + this.requestTimeoutMs, call));
  }
}
