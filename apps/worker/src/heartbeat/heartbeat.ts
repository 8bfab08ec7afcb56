import type { Logger } from '@hookstream/observability';
import type { WorkersRepository } from '@hookstream/persistence';

const INTERVAL_MS = 2_000;
/** Rows of workers silent for this long are cleared away. */
const LOST_AFTER_MS = 3_600_000;

/** Tells the database that this worker lives and when it last dispatched, for the API's readiness. */
export class Heartbeat {
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> = Promise.resolve();
  private readonly startedAt = new Date();
  private told = -Infinity;

  constructor(
    private readonly options: {
      workerId: string;
      workers: WorkersRepository;
      lastDispatchAt: () => Date | null;
      logger: Logger;
    },
  ) {}

  async start(): Promise<void> {
    await this.options.workers.removeLost(LOST_AFTER_MS);
    await this.beat();
    this.timer = setInterval(() => {
      this.beating = this.beating.then(() => this.beat());
    }, INTERVAL_MS);
  }

  /** Milliseconds since the database last took a sign of life. */
  silentMs(): number {
    return performance.now() - this.told;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.beating;
    await this.options.workers.remove(this.options.workerId);
  }

  private async beat(): Promise<void> {
    const { workerId, workers, lastDispatchAt, logger } = this.options;
    try {
      await workers.heartbeat({ id: workerId, startedAt: this.startedAt, lastDispatchAt: lastDispatchAt() });
      this.told = performance.now();
    } catch (error) {
      logger.warn({ err: error }, 'cannot tell the database that this worker lives');
    }
  }
}
