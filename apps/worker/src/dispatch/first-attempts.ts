import type { DeliveryActivityDeps } from '@hookstream/activities';
import type { Logger } from '@hookstream/observability';
import type {
  AttemptsRepository,
  BeginAttempt,
  ClaimedAttempt,
  LoadedDelivery,
} from '@hookstream/persistence';

/** An attempt that takes longer than this, in milliseconds, is shown as being under way. */
export const SHOW_AFTER_MS = 250;
/** What was claimed longer ago than this, in milliseconds, may no longer be so. */
const KEPT_FOR_MS = 2_000;

export interface FirstAttemptsDeps {
  attempts: DeliveryActivityDeps['attempts'] & Pick<AttemptsRepository, 'showUnderWay'>;
  logger: Logger;
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
}

/**
 * First attempts of the durable lane that begin as they were claimed: the claim has let them go and told all that they need, so nothing is read
 * or written when they begin in the process that claimed them, moments later. All others begin by a look at the database.
 */
export class FirstAttempts {
  private readonly claimed = new Map<string, { attempt: ClaimedAttempt; at: number }>();
  /** Delivery id → since when an attempt is under way that is not shown as such. */
  private readonly underWay = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly deps: FirstAttemptsDeps) {}

  /** The same for the activities, which need not know. */
  get attempts(): DeliveryActivityDeps['attempts'] {
    const { attempts } = this.deps;
    return {
      begin: async (input) => this.take(input) ?? attempts.begin(input),
      find: (deliveryId, number) => attempts.find(deliveryId, number),
      handBack: (delivery, scheduleStep, how) => attempts.handBack(delivery, scheduleStep, how),
      giveBackSlot: (deliveryId) => attempts.giveBackSlot(deliveryId),
      cancel: (deliveryId) => attempts.cancel(deliveryId),
    };
  }

  recorder(recorder: DeliveryActivityDeps['recorder']): DeliveryActivityDeps['recorder'] {
    return {
      record: (made) => {
        this.underWay.delete(made.delivery.deliveryId);
        return recorder.record(made);
      },
    };
  }

  /** Its workflow is being started. */
  keep(attempt: ClaimedAttempt): void {
    this.forget();
    this.claimed.set(attempt.deliveryId, { attempt, at: this.deps.now() });
  }

  /** It was not started: another run of it may be open, or another worker have it next. */
  drop(deliveryId: string): void {
    this.claimed.delete(deliveryId);
  }

  start(): void {
    this.timer = setInterval(() => void this.showSlow(), SHOW_AFTER_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private take({ deliveryId, number, trigger }: BeginAttempt): LoadedDelivery | undefined {
    this.forget();
    const attempt = this.claimed.get(deliveryId)?.attempt;
    this.claimed.delete(deliveryId);
    if (attempt?.endpoint?.status !== 'enabled') return undefined;
    if (attempt.attemptCount + 1 !== number || attempt.trigger !== trigger) return undefined;
    this.underWay.set(deliveryId, this.deps.now());
    return { ...attempt, lane: 'durable' };
  }

  /** Oldest first, so that none of them is looked at twice. */
  private forget(): void {
    const oldest = this.deps.now() - KEPT_FOR_MS;
    for (const [deliveryId, { at }] of this.claimed) {
      if (at > oldest) return;
      this.claimed.delete(deliveryId);
    }
  }

  /** Happens by itself between {@link start} and {@link stop}. */
  async showSlow(): Promise<void> {
    const since = this.deps.now() - SHOW_AFTER_MS;
    const slow = [...this.underWay].filter(([, at]) => at <= since).map(([deliveryId]) => deliveryId);
    if (slow.length === 0) return;
    for (const deliveryId of slow) this.underWay.delete(deliveryId);
    await this.deps.attempts
      .showUnderWay(slow, 'durable')
      .catch((error: unknown) =>
        this.deps.logger.warn({ err: error }, 'cannot show attempts as under way; they go on'),
      );
  }
}
