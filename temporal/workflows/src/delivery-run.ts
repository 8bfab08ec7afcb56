import {
  SEARCH_ATTRIBUTE,
  type AttemptDeliveryResult,
  type DeliveryState,
  type DeliveryWorkflowInput,
  type DeliveryWorkflowResult,
  type LastOutcome,
} from '@hookstream/contracts';
import type { AttemptTrigger, DeliveryStatus } from '@hookstream/domain';
import {
  condition,
  continueAsNew,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { attemptDelivery, cancelDelivery, ownFailure, type OwnFailure } from './delivery-steps.js';
import { tellAttempt, tellTakeOver } from './delivery-story.js';
import type { DeliveryWishes } from './delivery-wishes.js';
import { isHistoryLong } from './long-history.js';

type Attempted = Extract<AttemptDeliveryResult, { kind: 'attempted' }>;
/** What follows a step: the end of the run, a wait, or at once the next step. */
type Next = 'end' | 'wait' | 'step';

/** The state of one run of a delivery and the steps it takes. */
export class DeliveryRun {
  private status: DeliveryStatus;
  /** The last status outside of an attempt, as Temporal's visibility shows it. */
  private settled: DeliveryStatus;
  private attempts: number;
  private scheduleStep: number;
  private trigger: AttemptTrigger;
  private delayMs = 0;
  private nextAttemptAt: string | null = null;
  private lastOutcome: LastOutcome | null;

  constructor(
    private readonly input: DeliveryWorkflowInput,
    private readonly wishes: DeliveryWishes,
  ) {
    this.status = input.attemptsMade === 0 ? 'pending' : 'retrying';
    this.settled = shownStatus() ?? this.status;
    this.attempts = input.attemptsMade;
    this.scheduleStep = input.scheduleStep;
    this.trigger = input.trigger;
    this.lastOutcome = input.lastOutcome ?? null;
  }

  state(): DeliveryState {
    const { status, attempts, nextAttemptAt, lastOutcome } = this;
    return { status, attempts, nextAttemptAt, lastOutcome, lane: this.input.lane };
  }

  async untilEnd(): Promise<DeliveryWorkflowResult> {
    const { deliveryId, nextAttemptAt } = this.input;
    if (nextAttemptAt !== undefined) await this.takeOver(nextAttemptAt);
    for (;;) {
      const { cancelReason } = this.wishes;
      if (cancelReason === undefined) {
        this.takeUpWish();
        if (isHistoryLong()) await this.continueAsNew();
      }
      let next: Next;
      try {
        // awaited here and in no function between: each costs two promises, of which the SDK notes stacks
        if (cancelReason === undefined) next = this.afterStep(await this.attempt());
        else
          next = this.afterCancel(await cancelDelivery({ deliveryId, reason: cancelReason }), cancelReason);
      } catch (error) {
        next = await this.afterOwnFailure(ownFailure(error), cancelReason);
      }
      if (next === 'wait') next = await this.wait();
      // A replay that came in while the last step ran goes out, after a success too: it was asked for.
      if (next === 'end' && !this.wishes.replayWanted)
        return { status: this.status, attempts: this.attempts };
    }
  }

  /** Goes on where the express lane has made an attempt that failed. */
  private async takeOver(nextAttemptAt: string): Promise<void> {
    this.nextAttemptAt = nextAttemptAt;
    this.delayMs = Date.parse(nextAttemptAt) - Date.now();
    setCurrentDetails(tellTakeOver(this.attempts, nextAttemptAt));
    await this.wait();
  }

  private afterCancel(
    { status, attempts }: Awaited<ReturnType<typeof cancelDelivery>>,
    reason: string,
  ): Next {
    // An attempt whose answer never came to this history, because the signal did first, is known to the database only.
    this.attempts = Math.max(this.attempts, attempts);
    const late = status === 'cancelled' ? '' : 'too late to be ';
    return this.end(status, `${late}cancelled after ${this.attempts} attempts: ${reason}`);
  }

  private async afterOwnFailure(
    { message, pause }: OwnFailure,
    cancelReason: string | undefined,
  ): Promise<Next> {
    setCurrentDetails(`trying again after a failure of our own: ${message}`);
    await condition(() => this.wishes.cancelReason !== cancelReason, pause);
    return 'step';
  }

  private takeUpWish(): void {
    const wish = this.wishes.takeUp();
    if (wish === 'replay') this.scheduleStep = 0;
    if (wish !== undefined) this.trigger = wish;
  }

  /** Between attempts nothing but these values is alive, so a new run can begin with any of them. */
  private continueAsNew(): Promise<never> {
    const { nextAttemptAt: _taken, ...input } = this.input;
    return continueAsNew<(input: DeliveryWorkflowInput) => Promise<DeliveryWorkflowResult>>({
      ...input,
      attemptsMade: this.attempts,
      scheduleStep: this.scheduleStep,
      trigger: this.trigger,
      ...(this.lastOutcome === null ? {} : { lastOutcome: this.lastOutcome }),
    });
  }

  private attempt(): Promise<AttemptDeliveryResult> {
    const { deliveryId, tenantId, endpointId, lane, endpointHost } = this.input;
    const { scheduleStep, trigger } = this;
    const attemptNumber = this.attempts + 1;
    this.status = 'in_progress';
    this.nextAttemptAt = null;
    return attemptDelivery(
      {
        deliveryId,
        tenantId,
        endpointId,
        attemptNumber,
        scheduleStep,
        trigger,
        replays: this.wishes.replaysAsked,
        lane,
      },
      `attempt ${attemptNumber} → ${endpointHost}`,
    );
  }

  private afterStep(result: AttemptDeliveryResult): Next {
    return result.kind === 'attempted' ? this.afterAttempt(result) : this.withoutAttempt(result);
  }

  private afterAttempt(attempted: Attempted): Next {
    const { outcome, decision, nextAttemptAt, scheduleLength } = attempted;
    if (this.trigger === 'replay' && this.wasMadeBefore(attempted)) this.wishes.replayStill();
    this.attempts += 1;
    this.scheduleStep += 1;
    this.trigger = 'schedule';
    this.lastOutcome = outcome;
    if (decision.next === 'retry') {
      this.delayMs = decision.delayMs;
      this.nextAttemptAt = nextAttemptAt ?? new Date(Date.now() + decision.delayMs).toISOString();
    }
    this.settle(decision.next === 'retry' ? 'retrying' : decision.next);
    setCurrentDetails(
      tellAttempt({
        attemptNumber: this.attempts,
        scheduleStep: this.scheduleStep,
        ...(scheduleLength === undefined ? {} : { scheduleLength }),
        outcome,
        decision,
        nextAttemptAt: this.nextAttemptAt,
      }),
    );
    return this.status === 'succeeded' || this.status === 'cancelled' ? 'end' : 'wait';
  }

  /** Recorded before the replay was asked for, by a task whose completion Temporal refused for the signal's sake. */
  private wasMadeBefore({ trigger, replays }: Attempted): boolean {
    if (trigger !== undefined && trigger !== 'replay') return true;
    return replays !== undefined && replays < this.wishes.replaysAsked;
  }

  private withoutAttempt(result: Exclude<AttemptDeliveryResult, Attempted>): Next {
    // Nothing is left to deliver, or it goes out from the outbox later: a replay meanwhile changes neither.
    this.wishes.takeUp();
    switch (result.kind) {
      case 'handed_back':
        if (this.wishes.cancelReason !== undefined) return 'step';
        return this.end(this.attempts === 0 ? 'pending' : 'retrying', `held: ${result.reason}`);
      case 'cancelled':
        return this.end('cancelled', `cancelled after ${this.attempts} attempts: ${result.reason}`);
      case 'expired':
        return this.end(
          this.settled === 'dead_letter' ? 'dead_letter' : 'cancelled',
          'the payload is gone: its retention ended',
        );
    }
  }

  private async wait(): Promise<Next> {
    if (this.status === 'dead_letter') return this.waitAsDeadLetter();
    const summary = `wait before attempt ${this.attempts + 1}`;
    await this.wishes.inWait(() => condition(() => this.wishes.any, Math.max(1, this.delayMs), { summary }));
    return 'step';
  }

  /** Costs nothing but its row, and keeps the delivery to be found and replayed in one place. */
  private async waitAsDeadLetter(): Promise<Next> {
    const untilExpiry = Math.max(1, this.input.expiresAt - Date.now());
    const summary = 'dead letter: until its payload expires';
    return (await condition(() => this.wishes.any, untilExpiry, { summary })) ? 'step' : 'end';
  }

  private end(status: DeliveryStatus, details: string): Next {
    this.nextAttemptAt = null;
    this.settle(status);
    setCurrentDetails(details);
    return 'end';
  }

  private settle(status: DeliveryStatus): void {
    this.status = status;
    if (status === this.settled) return;
    this.settled = status;
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTE.status, value: status }]);
  }
}

/** Set by the starter, or carried over from the run that this one continues. */
function shownStatus(): DeliveryStatus | undefined {
  return workflowInfo().typedSearchAttributes.get(SEARCH_ATTRIBUTE.status) as DeliveryStatus | undefined;
}
