import type { CircuitView, EndpointWorkflowInput, StoredCircuit } from '@hookstream/contracts';
import {
  DAY_MS,
  enabledAgain,
  isAtRest,
  isDisableDue,
  letTimePass,
  nextWake,
  resetCircuit,
  takeFailures,
  takePolicy,
  takeSuccess,
  type CircuitStep,
} from '@hookstream/domain';
import { condition, continueAsNew, setCurrentDetails } from '@temporalio/workflow';
import { CircuitProjection, type Stored } from './circuit-projection.js';
import { viewCircuit } from './circuit-view.js';
import { failureReport, successReport, type EndpointNews, type News } from './endpoint-news.js';
import { loadCircuit } from './endpoint-steps.js';
import { tellCircuit, WAKE_SUMMARY } from './endpoint-story.js';
import { isHistoryLong } from './long-history.js';
import { WakeTimer } from './wake-timer.js';

type Next = 'end' | 'wait' | 'again';

/** The breaker's memory in one run and the steps it takes. */
export class EndpointRun {
  private circuit: StoredCircuit | null;
  private policyChanged = false;
  private lastNewsAt = Date.now();
  private readonly projection: CircuitProjection;
  private readonly timer = new WakeTimer();

  constructor(
    private readonly input: EndpointWorkflowInput,
    private readonly news: EndpointNews,
  ) {
    this.projection = new CircuitProjection(input);
    this.circuit = input.carried ?? null;
    if (input.carried !== undefined) this.projection.isStored(input.carried.memory);
  }

  view(): CircuitView | null {
    return this.circuit && viewCircuit(this.circuit);
  }

  /** Ends when nothing was to remember for a while, or the endpoint is gone. */
  async untilQuiet(): Promise<void> {
    const circuit = this.circuit ?? (await this.load());
    if (circuit === null) return;
    for (;;) {
      this.takeIn(circuit);
      const next = await this.step(circuit);
      if (next === 'end') return;
      if (next === 'wait') await condition(() => this.news.any || this.timer.fired);
    }
  }

  /** Takes one step that is due. A run only ends or waits straight after a look that found none: news may have come meanwhile. */
  private async step(circuit: StoredCircuit): Promise<Next> {
    const now = Date.now();
    if (this.policyChanged) return this.reload(circuit);
    if (isDisableDue(circuit.memory, circuit.policy, now))
      return unlessGone(this.projection.disable(circuit));
    const isLong = isHistoryLong();
    const storeAt = this.projection.dueAt(circuit.memory);
    if (storeAt !== null && (storeAt <= now || isLong)) return unlessGone(this.projection.store(circuit));
    if (isLong) await this.continueAsNew(circuit);
    setCurrentDetails(tellCircuit(circuit.memory, circuit.policy));
    return this.sleep(circuit, storeAt, now);
  }

  private sleep(circuit: StoredCircuit, storeAt: number | null, now: number): Next {
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
      this.accept(circuit, this.take(circuit, news, now));
    }
  }

  private take({ memory, policy }: StoredCircuit, news: News, now: number): CircuitStep {
    switch (news.kind) {
      case 'failed':
        return takeFailures(memory, failureReport(news.report), policy, now);
      case 'succeeded':
        // Nobody tells of a success without a reason: where we see none, the database remembers what we do not.
        if (isAtRest(memory) && !memory.recovering) this.projection.doubt();
        return takeSuccess(memory, successReport(news.report), now);
      case 'reset':
        this.projection.distrust();
        return news.enabledAgain ? enabledAgain(memory, now) : resetCircuit(memory, now);
      case 'changed':
        this.policyChanged = true;
        return { memory, happened: [] };
    }
  }

  private accept(circuit: StoredCircuit, { memory, happened }: CircuitStep): void {
    circuit.memory = memory;
    this.projection.tell(happened);
  }

  private async load(): Promise<StoredCircuit | null> {
    const { tenantId, endpointId } = this.input;
    this.circuit = await loadCircuit({ tenantId, endpointId });
    if (this.circuit !== null) this.projection.isStored(this.circuit.memory);
    return this.circuit;
  }

  private async reload(circuit: StoredCircuit): Promise<Next> {
    this.policyChanged = false;
    const { tenantId, endpointId } = this.input;
    const loaded = await loadCircuit({ tenantId, endpointId });
    if (loaded === null) return 'end';
    circuit.policy = loaded.policy;
    circuit.seq = Math.max(circuit.seq, loaded.seq);
    this.accept(circuit, takePolicy(circuit.memory, circuit.policy, Date.now()));
    return 'again';
  }

  /** With everything stored that is to be stored, the memory is all that lives on. */
  private continueAsNew(circuit: StoredCircuit): Promise<never> {
    type Self = (input: EndpointWorkflowInput) => Promise<void>;
    return continueAsNew<Self>({ ...this.input, carried: circuit });
  }
}

async function unlessGone(stored: Promise<Stored>): Promise<Next> {
  return (await stored) === 'gone' ? 'end' : 'again';
}
