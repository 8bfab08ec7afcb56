// A worker with the real workflow bundle on a real Temporal server, whose activities answer from a script.
import type {
  AttemptDeliveryInput,
  AttemptDeliveryResult,
  DeliveryActivities,
  DeliveryState,
  DeliveryWorkflowInput,
  DeliveryWorkflowResult,
  LastOutcome,
} from '@hookstream/contracts';
import {
  decideAfterAttempt,
  DEFAULT_RETRY,
  maxAttempts,
  newId,
  type AttemptDecision,
  type DeliveryStatus,
} from '@hookstream/domain';
import {
  DeliveryStarter,
  ensureNamespace,
  ensureSearchAttributes,
  type WorkerTemporalClient,
} from '@hookstream/temporal-client';
import { connectTestTemporal, eventually, makeDeliveryInput, uniqueTaskQueue } from '@hookstream/testing';
import { workflowBundlePath } from '@hookstream/workflows/bundle';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { quietRuntime } from './quiet-runtime.js';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];
type Answer = AttemptDeliveryResult | ((input: AttemptDeliveryInput) => Promise<AttemptDeliveryResult>);

/** Deliveries of one test file: its worker, its task queue, what each delivery's attempts answer. */
export class ScriptedDeliveries {
  private readonly scripts = new Map<string, Answer[]>();
  private readonly recorded = new Map<string, AttemptDeliveryResult>();
  private readonly calls: AttemptDeliveryInput[] = [];
  private readonly cancels: { deliveryId: string; reason: string }[] = [];

  private constructor(
    readonly temporal: WorkerTemporalClient,
    readonly starter: DeliveryStarter,
    readonly taskQueue: string,
  ) {}

  private stop: () => Promise<void> = () => Promise.resolve();

  static async open(name: string): Promise<ScriptedDeliveries> {
    quietRuntime();
    const temporal = await connectTestTemporal();
    await ensureNamespace(temporal, { retentionMs: 86_400_000 });
    await ensureSearchAttributes(temporal);
    const taskQueue = uniqueTaskQueue(name);
    const starter = new DeliveryStarter(temporal, { taskQueue });
    const deliveries = new ScriptedDeliveries(temporal, starter, taskQueue);
    await deliveries.startWorker();
    return deliveries;
  }

  /** Nothing runs between this and {@link startWorker}. */
  async stopWorker(): Promise<void> {
    await this.stop();
    this.stop = () => Promise.resolve();
  }

  async startWorker(): Promise<void> {
    const activities: DeliveryActivities = {
      attemptDelivery: (input) => this.attempt(input),
      cancelDelivery: (input) => {
        this.cancels.push(input);
        return Promise.resolve(this.standing(input.deliveryId));
      },
    };
    const worker = await Worker.create({
      connection: this.temporal.nativeConnection,
      namespace: this.temporal.namespace,
      taskQueue: this.taskQueue,
      workflowBundle: { codePath: workflowBundlePath },
      activities,
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

  /** Input of a delivery whose attempts answer one after the other as given; past the script they succeed. */
  scripted(answers: Answer[], overrides: Partial<DeliveryWorkflowInput> = {}): DeliveryWorkflowInput {
    const input = makeDeliveryInput(overrides);
    this.scripts.set(input.deliveryId, answers);
    return input;
  }

  async start(answers: Answer[], overrides: Partial<DeliveryWorkflowInput> = {}) {
    const input = this.scripted(answers, overrides);
    const started = await this.starter.start(input);
    if (started !== 'started') throw new Error(`${input.deliveryId} is running already`);
    return { input, id: input.deliveryId, handle: this.handle(input.deliveryId) };
  }

  handle(deliveryId: string): WorkflowHandle {
    return this.temporal.client.workflow.getHandle(deliveryId);
  }

  /** Every call of the attempt activity for a delivery, its retries included. */
  callsOf(deliveryId: string): AttemptDeliveryInput[] {
    return this.calls.filter((call) => call.deliveryId === deliveryId);
  }

  cancelsOf(deliveryId: string): string[] {
    return this.cancels.filter((cancel) => cancel.deliveryId === deliveryId).map(({ reason }) => reason);
  }

  /** Polls the live state until it has what is expected. */
  reaches(
    deliveryId: string,
    { status, attempts }: { status: DeliveryStatus; attempts?: number },
  ): Promise<DeliveryState> {
    return eventually(
      async () => {
        const answer = await this.starter.state(deliveryId);
        if (answer.kind !== 'state') return undefined;
        const { state } = answer;
        if (status !== state.status || (attempts ?? state.attempts) !== state.attempts) return undefined;
        return state;
      },
      { timeoutMs: 15_000 },
    );
  }

  async events(deliveryId: string): Promise<HistoryEvent[]> {
    return (await this.handle(deliveryId).fetchHistory()).events ?? [];
  }

  /** Like the real activity: an attempt already recorded is answered, not made again. */
  private async attempt(input: AttemptDeliveryInput): Promise<AttemptDeliveryResult> {
    this.calls.push(input);
    const key = `${input.deliveryId}/${input.attemptNumber}`;
    const known = this.recorded.get(key);
    if (known !== undefined) return known;
    const answer = this.scripts.get(input.deliveryId)?.shift() ?? succeeds();
    const result = typeof answer === 'function' ? await answer(input) : answer;
    if (result.kind !== 'attempted') return result;
    const { trigger, replays } = input;
    const recorded = { ...result, trigger, ...(replays === undefined ? {} : { replays }) };
    this.recorded.set(key, recorded);
    return recorded;
  }

  /** Of a delivery just cancelled, as the database would have it: one that has succeeded stays so. */
  private standing(deliveryId: string): DeliveryWorkflowResult {
    const attempts = [...this.recorded]
      .filter(([key]) => key.startsWith(deliveryId))
      .map(([, result]) => result);
    const last = attempts.at(-1);
    const hasSucceeded = last?.kind === 'attempted' && last.decision.next === 'succeeded';
    return { status: hasSucceeded ? 'succeeded' : 'cancelled', attempts: attempts.length };
  }
}

export function succeeds(): AttemptDeliveryResult {
  return attempted({ kind: 'succeeded', statusCode: 200, durationMs: 12, at: now() }, { next: 'succeeded' });
}

/** A 503 after which the workflow waits. */
export function fails(delayMs = 3_600_000): AttemptDeliveryResult {
  return attempted(unavailable(), { next: 'retry', delayMs });
}

export function exhausts(): AttemptDeliveryResult {
  return attempted(unavailable(), { next: 'dead_letter', reason: 'schedule_exhausted' });
}

/** A 503 judged by the real rules of the default schedule, jitter included. */
export function failsByDefaultSchedule(): Answer {
  return ({ scheduleStep, trigger }) => {
    const outcome = unavailable();
    const decision = decideAfterAttempt({
      outcome,
      policy: DEFAULT_RETRY,
      scheduleStep,
      trigger,
      retryAfterCapMs: 0,
      random: Math.random,
    });
    return Promise.resolve(attempted(outcome, decision));
  };
}

/** Our own failure: the activity throws. */
export function breaks(): Answer {
  return () => Promise.reject(new Error('the database is away'));
}

/** Our own failure of a kind that the activity's retries do not help. */
export function breaksForGood(): Answer {
  return () => Promise.reject(ApplicationFailure.nonRetryable('a key is missing'));
}

/** An attempt that is under way until it is released. */
export function gated(result: AttemptDeliveryResult) {
  let release!: () => void;
  let begin!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const answer: Answer = async () => {
    begin();
    await released;
    return result;
  };
  return { answer, begun, release };
}

/** The one-line summaries shown beside the events in the Web UI, in order. */
export function summariesOf(events: HistoryEvent[]): string[] {
  return events.flatMap(({ userMetadata }) => {
    const data = userMetadata?.summary?.data;
    return data ? [JSON.parse(Buffer.from(data).toString()) as string] : [];
  });
}

/** Milliseconds of every timer the workflow has set, in order. */
export function timersOf(events: HistoryEvent[]): number[] {
  return events.flatMap(({ timerStartedEventAttributes: timer }) => {
    const wait = timer?.startToFireTimeout;
    return wait ? [Number(wait.seconds ?? 0) * 1_000 + (wait.nanos ?? 0) / 1e6] : [];
  });
}

function attempted(outcome: LastOutcome, decision: AttemptDecision): AttemptDeliveryResult {
  return {
    kind: 'attempted',
    attemptId: newId('attempt'),
    outcome,
    decision,
    scheduleLength: maxAttempts(DEFAULT_RETRY),
  };
}

function unavailable(): LastOutcome {
  return { kind: 'http_error', statusCode: 503, durationMs: 120, at: now() };
}

function now(): string {
  return new Date().toISOString();
}
