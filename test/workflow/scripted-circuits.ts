// A worker with the real workflow bundle on a real Temporal server, whose activities keep in memory what they are to store.
import type {
  CircuitView,
  DisableEndpointInput,
  EndpointActivities,
  EndpointWorkflowInput,
  ProjectCircuitInput,
  StoredCircuit,
} from '@hookstream/contracts';
import { endpointWorkflowId } from '@hookstream/contracts';
import {
  closedCircuit,
  DEFAULT_CIRCUIT,
  newId,
  type CircuitPolicy,
  type CircuitState,
} from '@hookstream/domain';
import {
  EndpointWorkflows,
  ensureNamespace,
  ensureSearchAttributes,
  type WorkerTemporalClient,
} from '@hookstream/temporal-client';
import { connectTestTemporal, eventually, uniqueTaskQueue } from '@hookstream/testing';
import { workflowBundlePath } from '@hookstream/workflows/bundle';
import type { WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { quietRuntime } from './quiet-runtime.js';

export const PATIENCE = { timeoutMs: 15_000 };

/** An endpoint as the scripted database has it. */
export class ScriptedEndpoint {
  stored: StoredCircuit;
  status: 'enabled' | 'paused' | 'disabled' | 'deleted' = 'enabled';
  readonly projections: ProjectCircuitInput[] = [];
  readonly disables: DisableEndpointInput[] = [];
  /** Called when something was stored, before Temporal is told so. */
  onStored: (stored: StoredCircuit) => void = () => undefined;

  constructor(
    readonly target: EndpointWorkflowInput,
    policy: Partial<CircuitPolicy>,
  ) {
    this.stored = { memory: closedCircuit(), policy: { ...DEFAULT_CIRCUIT, ...policy }, seq: 0 };
  }

  get id(): string {
    return this.target.endpointId;
  }

  get states(): CircuitState[] {
    return this.projections.map(({ memory }) => memory.state);
  }

  get told(): string[] {
    return this.projections.flatMap(({ happened }) => happened.map(({ kind }) => kind));
  }
}

/** Breakers of one test file: its worker, its task queue, its endpoints. */
export class ScriptedCircuits {
  private readonly endpoints = new Map<string, ScriptedEndpoint>();
  private stop: () => Promise<void> = () => Promise.resolve();

  private constructor(
    readonly temporal: WorkerTemporalClient,
    readonly workflows: EndpointWorkflows,
    private readonly taskQueue: string,
  ) {}

  static async open(name: string): Promise<ScriptedCircuits> {
    quietRuntime();
    const temporal = await connectTestTemporal();
    await ensureNamespace(temporal, { retentionMs: 86_400_000 });
    await ensureSearchAttributes(temporal);
    const taskQueue = uniqueTaskQueue(name);
    const circuits = new ScriptedCircuits(
      temporal,
      new EndpointWorkflows(temporal, { taskQueue }),
      taskQueue,
    );
    await circuits.startWorker();
    return circuits;
  }

  /** Nothing runs between this and {@link startWorker}. */
  async stopWorker(): Promise<void> {
    await this.stop();
    this.stop = () => Promise.resolve();
  }

  async startWorker(): Promise<void> {
    const worker = await Worker.create({
      connection: this.temporal.nativeConnection,
      namespace: this.temporal.namespace,
      taskQueue: this.taskQueue,
      workflowBundle: { codePath: workflowBundlePath },
      activities: this.activities(),
    });
    const running = worker.run();
    this.stop = async () => {
      worker.shutdown();
      await running;
    };
  }

  async close(): Promise<void> {
    await this.stop();
    await this.temporal.close();
  }

  endpoint(
    policy: Partial<CircuitPolicy> = {},
    input: Partial<EndpointWorkflowInput> = {},
  ): ScriptedEndpoint {
    const target = {
      tenantId: newId('tenant'),
      endpointId: newId('endpoint'),
      endpointHost: 'api.example.com',
      ...input,
    };
    const endpoint = new ScriptedEndpoint(target, policy);
    this.endpoints.set(endpoint.id, endpoint);
    return endpoint;
  }

  handle(endpoint: ScriptedEndpoint): WorkflowHandle {
    return this.temporal.client.workflow.getHandle(endpointWorkflowId(endpoint.id));
  }

  async fail(endpoint: ScriptedEndpoint, count: number, probeOfTurn?: number): Promise<void> {
    const at = new Date().toISOString();
    const probe = probeOfTurn === undefined ? {} : { probeOfTurn };
    await this.workflows.failed(endpoint.target, { count, since: at, last: at, ...probe });
  }

  async succeed(endpoint: ScriptedEndpoint, probeOfTurn?: number): Promise<void> {
    const probe = probeOfTurn === undefined ? {} : { probeOfTurn };
    await this.workflows.succeeded(endpoint.target, { at: new Date().toISOString(), ...probe });
  }

  /** Waits until the database has the state, and answers what it has. */
  stores(endpoint: ScriptedEndpoint, state: CircuitState, trips?: number): Promise<StoredCircuit> {
    return eventually(() => {
      const { memory } = endpoint.stored;
      return memory.state === state && memory.trips === (trips ?? memory.trips) && endpoint.stored;
    }, PATIENCE);
  }

  /** Waits until the live state is as asked. */
  shows(endpoint: ScriptedEndpoint, isSo: (view: CircuitView) => boolean): Promise<CircuitView> {
    return eventually(async () => {
      const answer = await this.workflows.state(endpoint.id);
      return answer.kind === 'state' && isSo(answer.state) && answer.state;
    }, PATIENCE);
  }

  async ends(endpoint: ScriptedEndpoint): Promise<string> {
    const handle = this.handle(endpoint);
    return eventually(async () => {
      const { name } = (await handle.describe()).status;
      return name !== 'RUNNING' && name !== 'CONTINUED_AS_NEW' && name;
    }, PATIENCE);
  }

  private activities(): EndpointActivities {
    const find = (id: string): ScriptedEndpoint | undefined => {
      const endpoint = this.endpoints.get(id);
      return endpoint?.status === 'deleted' ? undefined : endpoint;
    };
    return {
      loadCircuit: ({ endpointId }) => Promise.resolve(find(endpointId)?.stored ?? null),
      projectCircuit: (input) => {
        const endpoint = find(input.endpointId);
        if (endpoint === undefined) return Promise.resolve({ kind: 'gone' });
        if (endpoint.stored.seq >= input.seq)
          return Promise.resolve({ kind: 'outdated', seq: endpoint.stored.seq });
        endpoint.projections.push(input);
        endpoint.stored = { ...endpoint.stored, memory: input.memory, seq: input.seq };
        endpoint.onStored(endpoint.stored);
        return Promise.resolve({ kind: 'stored' });
      },
      disableEndpoint: (input) => {
        const endpoint = find(input.endpointId);
        if (endpoint === undefined) return Promise.resolve({ kind: 'gone' });
        endpoint.disables.push(input);
        if (endpoint.status !== 'enabled') return Promise.resolve({ kind: 'not_enabled' });
        endpoint.status = 'disabled';
        endpoint.stored = { ...endpoint.stored, memory: input.memory, seq: input.seq };
        return Promise.resolve({ kind: 'stored' });
      },
    };
  }
}
