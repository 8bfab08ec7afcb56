import type { Logger } from '@hookstream/observability';
import type { CircuitsRepository } from '@hookstream/persistence';
import type { EndpointWorkflows } from '@hookstream/temporal-client';
import { hostOf } from './host-of.js';

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
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly deps: CircuitReviverDeps) {}

  /** Looks at once, for what a restore has left, and again and again. */
  start(): void {
    const look = (): void => {
      this.running = this.running.then(() => this.reviveOverdue());
    };
    look();
    this.timer = setInterval(look, EVERY_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
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
