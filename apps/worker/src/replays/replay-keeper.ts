import type { Logger } from '@hookstream/observability';
import type { ReplaysRepository } from '@hookstream/persistence';
import type { ReplayStarter } from '@hookstream/temporal-client';

interface ReplayKeeperDeps {
  replays: Pick<ReplaysRepository, 'listIdle'>;
  starter: Pick<ReplayStarter, 'start'>;
  logger: Logger;
}

const EVERY_MS = 15_000;
/** A replay that moves does so every {@link EVERY_MS} at least; one that waits is found to be open, which costs a call. */
const IDLE_MS = 10_000;

/**
 * Sees to it that every unfinished replay has its workflow: the API stores a replay first and starts its workflow then, and
 * either it or Temporal may be gone in between. Every worker does this; starting one that is open changes nothing.
 */
export class ReplayKeeper {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: ReplayKeeperDeps,
    private readonly everyMs = EVERY_MS,
    private readonly idleMs = IDLE_MS,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.looking = this.look();
    }, this.everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    try {
      for (const { id, tenantId, filter } of await this.deps.replays.listIdle(this.idleMs))
        await this.deps.starter.start({ replayId: id, tenantId, endpointId: filter.endpointId });
    } catch (error) {
      this.deps.logger.warn(
        { err: error },
        'cannot see whether every replay has its workflow; looking again',
      );
    }
  }
}
