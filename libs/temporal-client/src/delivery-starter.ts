import {
  cancel,
  deliveryState,
  replay,
  retryNow,
  SEARCH_ATTRIBUTE,
  TASK_QUEUE,
  WORKFLOW,
  type DeliveryState,
  type DeliveryWorkflowInput,
  type DeliveryWorkflowResult,
} from '@hookstream/contracts';
import { DomainError } from '@hookstream/domain';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { TemporalClient } from './temporal-client.js';
import { callTemporal, isNoAnswer, ranOutOfTime, temporalError } from './temporal-errors.js';

export interface DeliveryStarterOptions {
  /** Default `hookstream-deliveries`. */
  taskQueue?: string;
  /** How long one call may take, retries of the connection included. Milliseconds, default 5000. */
  requestTimeoutMs?: number;
  /** How long a state query may wait for a worker. Milliseconds, default 2000. */
  queryTimeoutMs?: number;
}

export type StartResult = 'started' | 'already_started';
export type ReplayResult = 'started' | 'signalled';

export type DeliveryStateResult =
  | { kind: 'state'; state: DeliveryState }
  /** Temporal knows no workflow of this id: none was started yet, or its retention ended. */
  | { kind: 'not_found' }
  /** No worker answered in time: none is running, or the delivery is in the middle of an attempt. */
  | { kind: 'no_answer' };

export type TestResult =
  | { kind: 'done'; result: DeliveryWorkflowResult }
  /** Not finished in time. The workflow goes on; its attempt will be recorded. */
  | { kind: 'timed_out' }
  /** Somebody cancelled or terminated the workflow in Temporal. */
  | { kind: 'stopped' };

type DeliveryWorkflow = (input: DeliveryWorkflowInput) => Promise<DeliveryWorkflowResult>;

/**
 * Starts delivery workflows and talks to them. The workflow id is the delivery's public id. Every method
 * throws DomainError `temporal_unavailable` while the server cannot be reached.
 */
export class DeliveryStarter {
  private readonly taskQueue: string;
  private readonly requestTimeoutMs: number;
  private readonly queryTimeoutMs: number;

  constructor(
    private readonly temporal: TemporalClient,
    options: DeliveryStarterOptions = {},
  ) {
    this.taskQueue = options.taskQueue ?? TASK_QUEUE.deliveries;
    this.requestTimeoutMs = options.requestTimeoutMs ?? 5_000;
    this.queryTimeoutMs = options.queryTimeoutMs ?? 2_000;
  }

  /** Starts the delivery unless its workflow is open already. A closed one of the same id does not hinder. */
  async start(input: DeliveryWorkflowInput): Promise<StartResult> {
    try {
      await this.within(this.requestTimeoutMs, () => this.startWorkflow(input));
      return 'started';
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'already_started';
      throw error;
    }
  }

  /** Asks the open workflow, or a new run with this input, to deliver again with a fresh schedule. */
  async signalReplay(input: DeliveryWorkflowInput): Promise<void> {
    await this.within(this.requestTimeoutMs, () =>
      this.temporal.client.workflow.signalWithStart<DeliveryWorkflow>(WORKFLOW.delivery, {
        ...this.startOptions(input),
        // An open workflow takes the signal; "fail" is the conflict policy of plain starts only.
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        signal: replay,
      }),
    );
  }

  /**
   * The same for a dispatcher with room for it: most replayed deliveries have no open workflow, and a plain start may hand this process the
   * first task at once. An open one, as a dead letter has, takes the signal.
   */
  async replay(input: DeliveryWorkflowInput): Promise<ReplayResult> {
    if ((await this.start(input)) === 'started') return 'started';
    await this.signalReplay(input);
    return 'signalled';
  }

  /** Ends the wait before the next attempt. False when no workflow of this delivery is open. */
  retryNow(deliveryId: string): Promise<boolean> {
    return this.signalOpen(() => this.handle(deliveryId).signal(retryNow));
  }

  /** Asks the delivery to end; an attempt under way is finished first. False when no workflow of it is open. */
  cancel(deliveryId: string, reason: string): Promise<boolean> {
    return this.signalOpen(() => this.handle(deliveryId).signal(cancel, { reason }));
  }

  /** The live state, also of closed workflows while Temporal keeps them. */
  async state(deliveryId: string): Promise<DeliveryStateResult> {
    const { connection } = this.temporal.client;
    try {
      // Not through `within`: here a deadline is an answer, not an outage.
      const state = await connection.withDeadline(Date.now() + this.queryTimeoutMs, () =>
        this.handle(deliveryId).query(deliveryState),
      );
      return { kind: 'state', state };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { kind: 'not_found' };
      if (isNoAnswer(error)) return { kind: 'no_answer' };
      throw temporalError(error);
    }
  }

  /**
   * Starts a delivery and waits for its end.
   * @throws DomainError `conflict` when the delivery has an open workflow already
   */
  async runTest(input: DeliveryWorkflowInput, timeoutMs: number): Promise<TestResult> {
    const deadline = Date.now() + timeoutMs;
    if ((await this.start(input)) === 'already_started') {
      throw new DomainError('conflict', 'This delivery is already running.');
    }
    const { connection } = this.temporal.client;
    try {
      const result = await connection.withDeadline(deadline, () => this.handle(input.deliveryId).result());
      return { kind: 'done', result };
    } catch (error) {
      if (error instanceof WorkflowFailedError) return { kind: 'stopped' };
      if (ranOutOfTime(error)) return { kind: 'timed_out' };
      throw temporalError(error);
    }
  }

  private startWorkflow(input: DeliveryWorkflowInput): Promise<unknown> {
    return this.temporal.client.workflow.start<DeliveryWorkflow>(WORKFLOW.delivery, {
      ...this.startOptions(input),
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      requestEagerStart: this.temporal.eagerStart,
    });
  }

  private startOptions(input: DeliveryWorkflowInput) {
    return {
      args: [input] as [DeliveryWorkflowInput],
      workflowId: input.deliveryId,
      taskQueue: this.taskQueue,
      // Resuming a held delivery and replaying a finished one start the same id again.
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: `${input.eventType} → ${input.endpointHost}`,
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTE.tenantId, value: input.tenantId },
        { key: SEARCH_ATTRIBUTE.endpointId, value: input.endpointId },
        { key: SEARCH_ATTRIBUTE.eventId, value: input.eventId },
        { key: SEARCH_ATTRIBUTE.eventType, value: input.eventType },
        { key: SEARCH_ATTRIBUTE.status, value: input.attemptsMade === 0 ? 'pending' : 'retrying' },
      ],
    };
  }

  private async signalOpen(send: () => Promise<void>): Promise<boolean> {
    try {
      await this.within(this.requestTimeoutMs, send);
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  private handle(deliveryId: string) {
    return this.temporal.client.workflow.getHandle<DeliveryWorkflow>(deliveryId);
  }

  private within<T>(timeoutMs: number, call: () => Promise<T>): Promise<T> {
    const { connection } = this.temporal.client;
    return callTemporal(() => connection.withDeadline(Date.now() + timeoutMs, call));
  }
}
