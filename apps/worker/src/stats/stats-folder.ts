import type { Logger } from '@hookstream/observability';
import type { StatsRepository } from '@hookstream/persistence';

/** Entries moved by one transaction. */
const BATCH = 20_000;
/** How old the answers of the statistics are at most while there is little to do. */
const INTERVAL_MS = 1_000;
/** Folding takes at most one part in twenty of the time, as long as it keeps up. */
const REST_FACTOR = 19;

/** How long to rest after a fold that moved so many entries and took so long, in milliseconds. */
export function restAfter(moved: number, tookMs: number): number {
  // A full batch means that more waits: then it is enough to leave half of the time to others.
  return moved === BATCH ? tookMs : Math.max(INTERVAL_MS, tookMs * REST_FACTOR);
}

/** Moves what the record path counts into the rollups, now and then. What a killed process leaves in the queue, the next one moves. */
export class StatsFolder {
  private timer: NodeJS.Timeout | undefined;
  private folding: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly options: {
      stats: Pick<StatsRepository, 'fold'>;
      logger: Logger;
      /** Milliseconds on any clock that only goes forward. */
      now: () => number;
    },
  ) {}

  start(): void {
    this.schedule(0);
  }

  /** Resolves when no fold is under way any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.folding;
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.folding = this.fold().then((restMs) => this.schedule(restMs));
    }, delayMs);
  }

  /** @returns how long to wait before the next, in milliseconds. */
  private async fold(): Promise<number> {
    const { stats, logger, now } = this.options;
    const began = now();
    try {
      const moved = await stats.fold(BATCH);
      return restAfter(moved, now() - began);
    } catch (error) {
      logger.warn({ err: error }, 'cannot add up the statistics; they wait');
      return INTERVAL_MS * 5;
    }
  }
}
