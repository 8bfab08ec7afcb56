import {
  SEARCH_ATTRIBUTE,
  type CircuitView,
  type EndpointWorkflowInput,
  type ProjectionResult,
  type StoredCircuit,
} from '@hookstream/contracts';
import {
  closedCircuit,
  enabledAgain,
  isAtRest,
  isDisableDue,
  letTimePass,
  nextWake,
  probeTime,
  resetCircuit,
  restartClock,
  takeFailures,
  takePolicy,
  takeSuccess,
  type CircuitHappening,
  type CircuitMemory,
  type CircuitStep,
} from '@hookstream/domain';
import {
  condition,
  continueAsNew,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { failureReport, successReport, type EndpointNews, type News } from './endpoint-news.js';
import { disableEndpoint, loadCircuit, projectCircuit } from './endpoint-steps.js';
import { tellCircuit, WAKE_SUMMARY } from './endpoint-story.js';
import { WakeTimer } from './wake-timer.js';

const DAY_MS = 86_400_000;
/**
 * Events after which a run continues as new. Sooner than the server suggests it: a few values are all there is to carry over, and a worker that
 * is short of CPU must still be able to replay the run within a task's time.
 */
const LONG_HISTORY = 1_000;
/** What changes nobody's way (that it fails at all, that it fails no more) is stored at most this often. */
const STORE_EVERY_MS = 5_000;

/** The breaker's memory in one run and the steps it takes. */
export class EndpointRun {
  private circuit: StoredCircuit | null;
  /** What the database has. Null: not known to be what we remember. */
  private stored: CircuitMemory | null;
  private storedAt = 0;
  /** The database may hold something that we do not remember. */
  private doubtful = false;
  private happened: CircuitHappening[] = [];
  private policyChanged = false;
  private lastNewsAt = Date.now();
  private readonly timer = new WakeTimer();

  constructor(
    private readonly input: EndpointWorkflowInput,
    private readonly news: EndpointNews,
  ) {
    this.circuit = input.carried ?? null;
    this.stored = input.carried?.memory ?? null;
  }

  view(): CircuitView | null {
    if (this.circuit === null) return null;
    const { memory, policy } = this.circuit;
    return {
      state: memory.state,
      consecutiveFailures: memory.failures,
      failingSince: rfc3339(memory.failingSince),
      lastFailureAt: rfc3339(memory.lastFailureAt),
      openedAt: rfc3339(memory.openedAt),
      nextProbeAt: rfc3339(probeTime(memory, policy)),
      disableAt: rfc3339(memory.failingSince && memory.failingSince + policy.disable_after_ms),
    };
  }

  /** Ends when nothing was to remember for a while, or the endpoint is gone. */
  async untilQuiet(): Promise<void> {
    let circuit = this.circuit ?? (await this.load());
    while (circuit !== null) {
      this.takeIn(circuit);
      const next = await this.step(circuit);
      if (next === 'end') return;
      if (next === 'wait') await condition(() => this.news.any || this.timer.fired);
      circuit = this.circuit;
    }
  }

  /** Takes one step that is due. A run may only end or wait straight after a step that found nothing due: news may have come meanwhile. */
  private async step(circuit: StoredCircuit): Promise<'end' | 'wait' | 'again'> {
    const now = Date.now();
    if (this.policyChanged) return this.reload(circuit);
    if (isDisableDue(circuit.memory, circuit.policy, now)) return this.disable(circuit);
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    const isLong = continueAsNewSuggested || historyLength > LONG_HISTORY;
    const storeAt = this.storeAt(circuit.memory);
    if (storeAt !== null && (storeAt <= now || isLong)) return this.project(circuit);
    if (isLong)
      await continueAsNew<(input: EndpointWorkflowInput) => Promise<void>>({
        ...this.input,
        carried: circuit,
      });
    setCurrentDetails(tellCircuit(circuit.memory, circuit.policy));
    return this.await(circuit, storeAt, now);
  }

  private await(circuit: StoredCircuit, storeAt: number | null, now: number): 'end' | 'wait' {
    const wake = nextWake(circuit.memory, circuit.policy);
    const quietAt = this.lastNewsAt + (this.input.quietMs ?? DAY_MS);
    if (storeAt !== null && storeAt < (wake?.at ?? Infinity)) this.timer.set(storeAt, WAKE_SUMMARY.store);
    else if (wake !== null) this.timer.set(wake.at, WAKE_SUMMARY[wake.why]);
    else if (!isAtRest(circuit.memory)) this.timer.clear();
    else if (quietAt <= now) return 'end';
    else this.timer.set(quietAt, WAKE_SUMMARY.quiet);
    return 'wait';
  }

  private takeIn(circuit: StoredCircuit): void {
    this.timer.takeFired();
    const now = Date.now();
    circuit.memory = letTimePass(circuit.memory, circuit.policy, now);
    for (const news of this.news.takeAll()) {
      this.lastNewsAt = now;
      const { memory, happened } = this.take(circuit, news, now);
      circuit.memory = memory;
      this.happened.push(...happened);
    }
  }

  private take({ memory, policy }: StoredCircuit, news: News, now: number): CircuitStep {
    switch (news.kind) {
      case 'failed':
        return takeFailures(memory, failureReport(news.report), policy, now);
      case 'succeeded':
        // Nobody tells of a success without a reason: where we see none, the database remembers what we do not.
        if (isAtRest(memory) && !memory.recovering) this.doubtful = true;
        return takeSuccess(memory, successReport(news.report), now);
      case 'reset':
        this.stored = null;
        return news.enabledAgain ? enabledAgain(memory, now) : resetCircuit(memory, now);
      case 'changed':
        this.policyChanged = true;
        return { memory, happened: [] };
    }
  }

  private async load(): Promise<StoredCircuit | null> {
    const { tenantId, endpointId } = this.input;
    this.circuit = await loadCircuit({ tenantId, endpointId });
    this.stored = this.circuit?.memory ?? null;
    if (this.circuit !== null) this.show(this.circuit.memory);
    return this.circuit;
  }

  private async reload(circuit: StoredCircuit): Promise<'end' | 'again'> {
    this.policyChanged = false;
    const { tenantId, endpointId } = this.input;
    const loaded = await loadCircuit({ tenantId, endpointId });
    if (loaded === null) return 'end';
    circuit.policy = loaded.policy;
    circuit.seq = Math.max(circuit.seq, loaded.seq);
    const { memory, happened } = takePolicy(circuit.memory, circuit.policy, Date.now());
    circuit.memory = memory;
    this.happened.push(...happened);
    return 'again';
  }

  /** When what we remember is to be stored; null: the database has what matters of it. Changes of state: at once. */
  private storeAt(memory: CircuitMemory): number | null {
    const { stored } = this;
    if (stored?.turn !== memory.turn || this.happened.length > 0) return 0;
    const same =
      (stored.failingSince === null) === (memory.failingSince === null) &&
      stored.recovering === memory.recovering;
    return same && !this.doubtful ? null : this.storedAt + STORE_EVERY_MS;
  }

  private async project(circuit: StoredCircuit): Promise<'end' | 'again'> {
    const { tenantId, endpointId } = this.input;
    const { memory, policy } = circuit;
    const { happened } = this;
    this.happened = [];
    const seq = circuit.seq + 1;
    const probeAt = rfc3339(probeTime(memory, policy));
    const result = await projectCircuit({ tenantId, endpointId, seq, memory, probeAt, happened });
    if (result.kind === 'outdated') this.happened.unshift(...happened);
    return this.afterStoring(circuit, memory, seq, result);
  }

  private async disable(circuit: StoredCircuit): Promise<'end' | 'again'> {
    const { tenantId, endpointId } = this.input;
    const { memory: failing } = circuit;
    const memory = closedCircuit(failing.turn + 1);
    const seq = circuit.seq + 1;
    const result = await disableEndpoint({
      tenantId,
      endpointId,
      seq,
      memory,
      failingSince: new Date(failing.failingSince ?? Date.now()).toISOString(),
      announce: failing.ordinaryFailures > 0,
    });
    if (result.kind === 'not_enabled') {
      circuit.memory = restartClock(failing, Date.now());
      return 'again';
    }
    if (result.kind === 'stored') {
      circuit.memory = memory;
      this.happened = [];
    }
    return this.afterStoring(circuit, memory, seq, result);
  }

  private afterStoring(
    circuit: StoredCircuit,
    memory: CircuitMemory,
    seq: number,
    result: ProjectionResult,
  ): 'end' | 'again' {
    if (result.kind === 'gone') return 'end';
    circuit.seq = result.kind === 'outdated' ? Math.max(seq, result.seq) : seq;
    if (result.kind === 'stored') {
      this.stored = memory;
      this.storedAt = Date.now();
      this.doubtful = false;
      this.show(memory);
    }
    return 'again';
  }

  /** Lets visibility answer which circuits are open. */
  private show(memory: CircuitMemory): void {
    const shown = workflowInfo().typedSearchAttributes.get(SEARCH_ATTRIBUTE.status);
    if (shown === memory.state) return;
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTE.status, value: memory.state }]);
  }
}

function rfc3339(unixMs: number | null): string | null {
  return unixMs === null ? null : new Date(unixMs).toISOString();
}
