import type { Logger } from '@hookstream/observability';
import { isPostgresDataError, type AttemptsRepository, type MadeAttempt } from '@hookstream/persistence';
import { storeUntilDone } from './store-until-done.js';

export interface AttemptRecorderOptions {
  attempts: Pick<AttemptsRepository, 'record' | 'recordAll'>;
  logger: Logger;
  /** Most attempts in one statement. */
  batchSize: number;
  /** How long the first of a group waits for others that are under way, in milliseconds. */
  withinMs: number;
  /** How many attempts are being made or about to be, those that wait for their record included. */
  underWay: () => number;
  /** Ends the tries of a database that is away. Absent: nothing does. */
  signal?: AbortSignal;
}

interface Waiting {
  made: MadeAttempt;
  done: () => void;
  failed: (reason: unknown) => void;
}

/** Statements at once. More of them make smaller groups, which cost more each. */
const CONCURRENCY = 2;

/** Records attempts in groups: one statement for what ended within a few milliseconds. */
export class AttemptRecorder {
  private waiting: Waiting[] = [];
  private running = 0;
  private scheduled = false;
  private endWait = () => {};

  constructor(private readonly options: AttemptRecorderOptions) {}

  /**
   * Resolves when it is stored: what has happened outside is stored, however long the database is away.
   * @throws the signal's reason, where that ends the tries
   */
  record(made: MadeAttempt): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.push({ made, done, failed });
      this.schedule();
      if (!this.mayWait()) this.endWait();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.waiting.length === 0 || this.running >= CONCURRENCY) return;
    this.scheduled = true;
    void this.storeNext();
  }

  private async storeNext(): Promise<void> {
    if (this.mayWait()) await this.others();
    this.scheduled = false;
    this.running += 1;
    const group = this.waiting.splice(0, this.options.batchSize);
    this.schedule();
    try {
      await this.store(group.map(({ made }) => made));
      for (const { done } of group) done();
    } catch (error) {
      for (const { failed } of group) failed(error);
    }
    this.running -= 1;
    this.schedule();
  }

  private others(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.options.withinMs);
      this.endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Others are to come, and nobody goes after one of these in an order. */
  private mayWait(): boolean {
    const { length } = this.waiting;
    if (length >= this.options.batchSize || this.options.underWay() <= length) return false;
    return !this.waiting.some(({ made }) => made.delivery.inOrder === true);
  }

  private store(group: readonly MadeAttempt[]): Promise<void> {
    const { attempts, logger, signal } = this.options;
    return storeUntilDone(
      async () => {
        try {
          await attempts.recordAll(group);
        } catch (error) {
          // what Postgres refuses of one spoils the group: alone, each of the others still gets through
          if (!isPostgresDataError(error)) throw error;
          for (const made of group) await this.storeWhatFits(made);
        }
      },
      logger,
      signal,
    );
  }

  /** What a receiver answers must not keep its attempt from being recorded: refused with the answer, it is stored without. */
  private async storeWhatFits({ delivery, attempt, scheduleStep }: MadeAttempt): Promise<void> {
    const { attempts, logger } = this.options;
    try {
      await attempts.record(delivery, attempt, scheduleStep);
    } catch (error) {
      const { response, ...outcome } = attempt.outcome;
      if (response === undefined || !isPostgresDataError(error)) throw error;
      logger.warn(
        { err: error, delivery_id: delivery.deliveryId },
        'an answer cannot be stored; storing the attempt without',
      );
      await attempts.record(delivery, { ...attempt, outcome }, scheduleStep);
    }
  }
}
