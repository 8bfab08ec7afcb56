import type { Logger } from '@hookstream/observability';
import type { OutboxRepository } from '@hookstream/persistence';
import { RegularLook } from '../regular-look.js';

/** Looks within the time after which a delivery counts as stuck. */
const LOOKS = 5;
/** Deliveries of one look; the next goes on behind them. */
const LIMIT = 5_000;

/**
 * Dispatches again what nothing has moved for too long: it covers what no single crash explains, such as a Temporal restored from a backup. Nobody
 * waits for it, and a look costs the same however much waits.
 */
export class Reconciler {
  private readonly looks: RegularLook;

  constructor(
    private readonly deps: { outbox: Pick<OutboxRepository, 'reconcile'>; logger: Logger },
    /** `afterMs`: a delivery counts as stuck when it is that long past its time, in milliseconds. */
    private readonly options: { afterMs: number },
  ) {
    this.looks = new RegularLook(() => this.look(), options.afterMs / LOOKS);
  }

  start(): void {
    this.looks.start();
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  private async look(): Promise<void> {
    const { outbox, logger } = this.deps;
    try {
      const count = await outbox.reconcile({ olderThanMs: this.options.afterMs, limit: LIMIT });
      if (count > 0)
        logger.warn({ deliveries: count }, 'deliveries that nothing had moved were dispatched again');
    } catch (error) {
      logger.warn({ err: error }, 'cannot look for deliveries that nothing moves; trying again');
    }
  }
}
