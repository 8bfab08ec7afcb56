import {
  SEARCH_ATTRIBUTE,
  type EndpointWorkflowInput,
  type ProjectionResult,
  type StoredCircuit,
} from '@hookstream/contracts';
import {
  closedCircuit,
  probeTime,
  restartClock,
  type CircuitHappening,
  type CircuitMemory,
} from '@hookstream/domain';
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { rfc3339 } from './circuit-view.js';
import { disableEndpoint, projectCircuit } from './endpoint-steps.js';

/** What changes nobody's way (that it fails at all, that it fails no more) is stored at most this often. */
const STORE_EVERY_MS = 5_000;

export type Stored = 'done' | 'gone';

/** Keeps what the database has of a breaker in step with what its run remembers. */
export class CircuitProjection {
  /** What the database has. Null: not known to be what we remember. */
  private stored: CircuitMemory | null = null;
  private storedAt = 0;
  /** The database may hold something that we do not remember. */
  private doubtful = false;
  /** Told to subscribers together with what is stored next. */
  private happened: CircuitHappening[] = [];

  constructor(private readonly input: Pick<EndpointWorkflowInput, 'tenantId' | 'endpointId'>) {}

  isStored(memory: CircuitMemory): void {
    this.stored = memory;
    this.doubtful = false;
    show(memory);
  }

  tell(happened: CircuitHappening[]): void {
    this.happened.push(...happened);
  }

  doubt(): void {
    this.doubtful = true;
  }

  /** Has the next look store what is remembered, whatever the database has. */
  distrust(): void {
    this.stored = null;
  }

  /** When what is remembered is to be stored; null: the database has what matters of it. Changes of state: at once. */
  dueAt(memory: CircuitMemory): number | null {
    const { stored } = this;
    if (stored?.turn !== memory.turn || this.happened.length > 0) return 0;
    const same =
      (stored.failingSince === null) === (memory.failingSince === null) &&
      stored.recovering === memory.recovering;
    return same && !this.doubtful ? null : this.storedAt + STORE_EVERY_MS;
  }

  async store(circuit: StoredCircuit): Promise<Stored> {
    const { tenantId, endpointId } = this.input;
    const { memory, policy } = circuit;
    const { happened } = this;
    this.happened = [];
    const seq = circuit.seq + 1;
    const probeAt = rfc3339(probeTime(memory, policy));
    const result = await projectCircuit({ tenantId, endpointId, seq, memory, probeAt, happened });
    if (result.kind === 'outdated') this.happened.unshift(...happened);
    return this.settle(circuit, memory, seq, result);
  }

  /** Disables the endpoint; one that was not let try gets its time anew instead. */
  async disable(circuit: StoredCircuit): Promise<Stored> {
    const { tenantId, endpointId } = this.input;
    const { memory: failing } = circuit;
    const memory = closedCircuit(failing.turn + 1);
    const seq = circuit.seq + 1;
    const failingSince = new Date(failing.failingSince ?? Date.now()).toISOString();
    const announce = failing.ordinaryFailures > 0;
    const result = await disableEndpoint({ tenantId, endpointId, seq, memory, failingSince, announce });
    if (result.kind === 'not_enabled') {
      circuit.memory = restartClock(failing, Date.now());
      return 'done';
    }
    if (result.kind === 'stored') {
      circuit.memory = memory;
      this.happened = [];
    }
    return this.settle(circuit, memory, seq, result);
  }

  private settle(
    circuit: StoredCircuit,
    memory: CircuitMemory,
    seq: number,
    result: ProjectionResult,
  ): Stored {
    if (result.kind === 'gone') return 'gone';
    circuit.seq = result.kind === 'outdated' ? Math.max(seq, result.seq) : seq;
    if (result.kind === 'stored') {
      this.isStored(memory);
      this.storedAt = Date.now();
    }
    return 'done';
  }
}

/** Lets visibility answer which circuits are open. */
function show({ state }: CircuitMemory): void {
  if (workflowInfo().typedSearchAttributes.get(SEARCH_ATTRIBUTE.status) === state) return;
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTE.status, value: state }]);
}
