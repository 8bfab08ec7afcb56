import { DomainError } from '@hookstream/domain';
import { isPostgresDataError, type AcceptItem, type AcceptResult } from '@hookstream/persistence';

export interface AcceptQueueOptions {
  /** Stores a group in one transaction; each item has its own result, in order. */
  store: (items: readonly AcceptItem[]) => Promise<AcceptResult[]>;
  /** Most events in one transaction. */
  batchSize: number;
  /** Most events that may wait or be under way. */
  limit: number;
  /** Most bytes of payload that may wait or be under way. */
  byteLimit: number;
  /** Most transactions at once. More of them make smaller groups, which cost more each. */
  concurrency: number;
}

interface Waiting {
  item: AcceptItem;
  resolve: (result: AcceptResult) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: requests that arrive while transactions are under way share the next one. Nobody waits for company: an idle
 * queue stores what one turn of the event loop brought at once, so groups grow with the load alone.
 */
export class AcceptQueue {
  private waiting: Waiting[] = [];
  private held = 0;
  private heldBytes = 0;
  private running = 0;
  private scheduled = false;
  private idle: (() => void)[] = [];

  constructor(private readonly options: AcceptQueueOptions) {}

  /**
   * Resolves once the item's transaction is committed.
   * @throws DomainError `overloaded` at once, when too much waits already; nothing was stored then.
   */
  accept(item: AcceptItem): Promise<AcceptResult> {
    const bytes = item.dataText.length;
    if (this.held >= this.options.limit || this.heldBytes + bytes > this.options.byteLimit) {
      return Promise.reject(
        new DomainError('overloaded', 'Too many events wait to be stored; try again shortly.'),
      );
    }
    this.held += 1;
    this.heldBytes += bytes;
    return new Promise<AcceptResult>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    }).finally(() => {
      this.held -= 1;
      this.heldBytes -= bytes;
      if (this.held === 0) for (const done of this.idle.splice(0)) done();
    });
  }

  /** Resolves when nothing waits or is under way. */
  drained(): Promise<void> {
    return this.held === 0 ? Promise.resolve() : new Promise((resolve) => this.idle.push(resolve));
  }

  private schedule(): void {
    if (this.scheduled || this.running >= this.options.concurrency || this.waiting.length === 0) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      const group = this.waiting.splice(0, this.options.batchSize);
      if (group.length === 0) return;
      this.running += 1;
      void this.storeGroup(group).then(() => {
        this.running -= 1;
        this.schedule();
      });
      this.schedule();
    });
  }

  /** Never rejects: every item of the group is answered. */
  private async storeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.options.store(group.map(({ item }) => item));
      group.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result === undefined) reject(new Error('An event was stored without a result'));
        else resolve(result);
      });
    } catch (error) {
      // data that Postgres refuses spoils its group: alone, each of the others still gets through
      if (group.length > 1 && isPostgresDataError(error)) {
        for (const one of group) await this.storeGroup([one]);
        return;
      }
      for (const { reject } of group) reject(error);
    }
  }
}
