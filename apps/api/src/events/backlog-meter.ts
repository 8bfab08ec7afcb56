import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { ApiConfig } from '@hookstream/config';
import type { Logger } from '@hookstream/observability';
import { BacklogsRepository } from '@hookstream/persistence';
import { API_CONFIG, LOGGER } from '../platform/tokens.js';

/** Has the unfinished deliveries counted, by whichever API process comes first. */
@Injectable()
export class BacklogMeter implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private counting: Promise<void> | undefined;

  constructor(
    private readonly backlogs: BacklogsRepository,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    const { pendingCountIntervalMs } = this.config.tenantLimits;
    this.timer = setInterval(() => {
      this.counting ??= this.count();
    }, pendingCountIntervalMs);
    this.timer.unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.counting;
  }

  private async count(): Promise<void> {
    const { pendingCountIntervalMs, maxPending } = this.config.tenantLimits;
    try {
      // a little less, so that a timer that is early does not wait for the next
      await this.backlogs.measure({ everyMs: pendingCountIntervalMs * 0.9, always: maxPending !== null });
    } catch (error) {
      this.logger.warn({ err: error }, 'could not count the pending deliveries; the last count stands');
    } finally {
      this.counting = undefined;
    }
  }
}
