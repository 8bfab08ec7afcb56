import { setTimeout as delay } from 'node:timers/promises';
import { recordWhatFits, storeUntilDone } from '@hookstream/activities';
import type { Logger } from '@hookstream/observability';
import { isPostgresDataError, type AttemptsRepository, type MadeAttempt } from '@hookstream/persistence';

export interface AttemptRecorderOptions {
  attempts: Pick<AttemptsRepository, 'record' | 'recordAll'>;
  logger: Logger;
  /** Most attempts in one statement. */
  batchSize: number;
  /** How long the first of a group waits for others, in milliseconds. Nobody waits for the record but the delivery's own status. */
  withinMs: number;
  /** Statements at once. More of them make smaller groups, which cost more each. */
  concurrency: number;
}

interface Waiting {
  made: MadeAttempt;
  done: () => void;
}

/** Records attempts of the express lane in groups: one statement for what ended within a few milliseconds. */
export class AttemptRecorder {
  private waiting: Waiting[] = [];
  private running = 0;
  private scheduled = false;

  constructor(private readonly options: AttemptRecorderOptions) {}

  /** Resolves when it is stored. Never rejects: what has happened outside is stored, however long the database is away. */
  record(made: MadeAttempt): Promise<void> {
    return new Promise((done) => {
      this.waiting.push({ made, done });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.waiting.length === 0 || this.running >= this.options.concurrency) return;
    this.scheduled = true;
    void this.storeNext();
  }

  private async storeNext(): Promise<void> {
    if (this.waiting.length < this.options.batchSize) await delay(this.options.withinMs);
    this.scheduled = false;
    this.running += 1;
    const group = this.waiting.splice(0, this.options.batchSize);
    this.schedule();
    await this.store(group.map(({ made }) => made));
    this.running -= 1;
    for (const { done } of group) done();
    this.schedule();
  }

  private store(group: readonly MadeAttempt[]): Promise<void> {
    return storeUntilDone(async () => {
      try {
        await this.options.attempts.recordAll(group);
      } catch (error) {
        // what Postgres refuses of one spoils the group: alone, each of the others still gets through
        if (!isPostgresDataError(error)) throw error;
        for (const made of group) await recordWhatFits(this.options, made);
      }
    }, this.options.logger);
  }
}
