import {
  attemptsFailed,
  attemptSucceeded,
  circuitState,
  endpointChanged,
  endpointWorkflowId,
  resetCircuit,
  SEARCH_ATTRIBUTE,
  TASK_QUEUE,
  WORKFLOW,
  type AttemptsFailed,
  type AttemptSucceeded,
  type CircuitView,
  type EndpointWorkflowInput,
  type ResetCircuit,
} from '@hookstream/contracts';
import {
  QueryRejectCondition,
  QueryRejectedError,
  WorkflowClient,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { TemporalClient } from './temporal-client.js';
import { callTemporal, isNoAnswer, temporalError } from './temporal-errors.js';

export interface EndpointWorkflowsOptions {
  /** Default `hookstream-control`. */
  taskQueue?: string;
  /** How long one call may take, retries of the connection included. Milliseconds, default 5000. */
  requestTimeoutMs?: number;
  /** How long a state query may wait for a worker. Milliseconds, default 2000. */
  queryTimeoutMs?: number;
}

/** The endpoint whose breaker is meant. */
export type EndpointTarget = Omit<EndpointWorkflowInput, 'carried'>;

export type CircuitStateResult =
  | { kind: 'state'; state: CircuitView }
  /** No run is open: there is nothing to remember beyond what is stored. */
  | { kind: 'not_found' }
  /** No worker answered in time, or the run has not read what is stored yet. */
  | { kind: 'no_answer' };

type EndpointWorkflow = (input: EndpointWorkflowInput) => Promise<void>;
/** What a signal says. `endpointChanged` says nothing. */
type Told = [(AttemptsFailed | AttemptSucceeded | ResetCircuit)?];

/**
 * Talks to the breakers of endpoints; starts one where a signal has something to remember. Every method throws DomainError
 * `temporal_unavailable` while the server cannot be reached.
 */
export class EndpointWorkflows {
  private readonly taskQueue: string;
  private readonly requestTimeoutMs: number;
  private readonly queryTimeoutMs: number;
  /** A run that ended remembers what was; what is, the database tells then. */
  private readonly openOnly: WorkflowClient;

  constructor(
    private readonly temporal: TemporalClient,
    options: EndpointWorkflowsOptions = {},
  ) {
    this.taskQueue = options.taskQueue ?? TASK_QUEUE.control;
    this.requestTimeoutMs = options.requestTimeoutMs ?? 5_000;
    this.queryTimeoutMs = options.queryTimeoutMs ?? 2_000;
    this.openOnly = new WorkflowClient({
      connection: temporal.client.connection,
      namespace: temporal.namespace,
      queryRejectCondition: QueryRejectCondition.NOT_OPEN,
    });
  }

  failed(target: EndpointTarget, report: AttemptsFailed): Promise<void> {
    return this.signalWithStart(target, attemptsFailed.name, report);
  }

  succeeded(target: EndpointTarget, report: AttemptSucceeded): Promise<void> {
    return this.signalWithStart(target, attemptSucceeded.name, report);
  }

  reset(target: EndpointTarget, wish: ResetCircuit = {}): Promise<void> {
    return this.signalWithStart(target, resetCircuit.name, wish);
  }

  /** Lets a breaker go on from what is stored, whether or not its run is open. */
  revive(target: EndpointTarget): Promise<void> {
    return this.signalWithStart(target, endpointChanged.name);
  }

  /** Lets an open run read the endpoint again. False when none is open: the next one reads it anyway. */
  changed(endpointId: string): Promise<boolean> {
    return this.signalOpen(() => this.handle(endpointId).signal(endpointChanged));
  }

  /** Tells an open run that its disabled endpoint was enabled. False when none is open: the next one reads it in what is stored. */
  enabledAgain(endpointId: string): Promise<boolean> {
    return this.signalOpen(() => this.handle(endpointId).signal(resetCircuit, { enabledAgain: true }));
  }

  /** The live state of an open run. */
  async state(endpointId: string): Promise<CircuitStateResult> {
    const { connection } = this.temporal.client;
    try {
      const state = await connection.withDeadline(Date.now() + this.queryTimeoutMs, () =>
        this.openOnly.getHandle(endpointWorkflowId(endpointId)).query<CircuitView | null, []>(circuitState),
      );
      return state === null ? { kind: 'no_answer' } : { kind: 'state', state };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof QueryRejectedError)
        return { kind: 'not_found' };
      if (isNoAnswer(error)) return { kind: 'no_answer' };
      throw temporalError(error);
    }
  }

  private async signalWithStart(target: EndpointTarget, signal: string, ...signalArgs: Told): Promise<void> {
    await this.within(() =>
      this.temporal.client.workflow.signalWithStart<EndpointWorkflow, Told>(WORKFLOW.endpoint, {
        args: [target],
        signal,
        signalArgs,
        workflowId: endpointWorkflowId(target.endpointId),
        taskQueue: this.taskQueue,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        staticSummary: target.endpointHost,
        typedSearchAttributes: [
          { key: SEARCH_ATTRIBUTE.tenantId, value: target.tenantId },
          { key: SEARCH_ATTRIBUTE.endpointId, value: target.endpointId },
        ],
      }),
    );
  }

  private async signalOpen(send: () => Promise<void>): Promise<boolean> {
    try {
      await this.within(send);
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  private handle(endpointId: string) {
    return this.temporal.client.workflow.getHandle<EndpointWorkflow>(endpointWorkflowId(endpointId));
  }

  private within<T>(call: () => Promise<T>): Promise<T> {
    const { connection } = this.temporal.client;
    return callTemporal(() => connection.withDeadline(Date.now() + this.requestTimeoutMs, call));
  }
}
