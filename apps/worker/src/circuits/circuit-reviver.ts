import type { Logger } from '@hookstream/observability';
import type { CircuitsRepository } from '@hookstream/persistence';
import type { EndpointWorkflows } from '@hookstream/temporal-client';
import { hostOf } from './host-of.js';
import { RegularLook } from '../regular-look.js';

export interface CircuitReviverDeps {
  circuits: Pick<CircuitsRepository, 'overdue'>;
  workflows: Pick<EndpointWorkflows, 'revive'>;
  logger: Logger;
}

const EVERY_MS = 60_000;
/** How long past its time a probe must be. */
const OVERDUE_MS = 60_000;
const LIMIT = 100;

/**
 * Sets breakers going again whose run is gone: terminated by hand, or lost with a Temporal restored from a backup. Without, their
 * circuits would stay open for ever, because nothing is sent that could fail and wake them. A breaker whose run is open takes it as
 * a look at its policy.
 */
export class CircuitReviver {
  private readonly looks = new RegularLook(() => this.reviveOverdue(), EVERY_MS);

  constructor(private readonly deps: CircuitReviverDeps) {}

  start(): void {
    this.looks.start();
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  private async reviveOverdue(): Promise<void> {
    try {
      const overdue = await this.deps.circuits.overdue(OVERDUE_MS, LIMIT);
      for (const { url, ...key } of overdue) {
        await this.deps.workflows.revive({ ...key, endpointHost: hostOf(url) });
        this.deps.logger.warn(
          { endpoint_id: key.endpointId },
          'a circuit was open past its time; its breaker goes on',
        );
      }
    } catch (error) {
      this.deps.logger.warn({ err: error }, 'cannot look after circuits that are open past their time');
    }
  }
}
