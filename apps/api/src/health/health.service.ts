import { Inject, Injectable, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import type { ApiConfig } from '@hookstream/config';
import { hasPendingMigrations, DispatchProgressRepository, type Database } from '@hookstream/persistence';
import type { TemporalClient } from '@hookstream/temporal-client';
import { API_CONFIG, DATABASE, TEMPORAL } from '../platform/tokens.js';

const TIMEOUT_MS = 3_000;
/** A worker tells of itself every few seconds; one not seen for this long is gone. Milliseconds. */
const WORKER_SEEN_WITHIN_MS = 15_000;

/** Ready means that events move, not just that something answers. */
@Injectable()
export class HealthService {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly progress: DispatchProgressRepository,
    @Inject(DATABASE) private readonly database: Database,
    @Inject(TEMPORAL) private readonly temporal: TemporalClient,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  async check(): Promise<HealthCheckResult> {
    try {
      return await this.checks.check([
        () => this.attempt('postgres', async () => void (await this.database.pool.query('SELECT 1'))),
        () => this.attempt('migrations', () => this.migrations()),
        () => this.attempt('temporal', () => this.temporal.check(TIMEOUT_MS)),
        () => this.attempt('dispatcher', () => this.dispatcher()),
      ]);
    } catch (error) {
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }

  private attempt(name: string, run: () => Promise<Record<string, unknown> | void>) {
    return this.indicators.check(name).attempt(run).withTimeout(TIMEOUT_MS);
  }

  private async migrations(): Promise<void> {
    if (await hasPendingMigrations(this.database)) throw new Error('The schema is older than this version.');
  }

  private async dispatcher(): Promise<Record<string, unknown>> {
    const progress = await this.progress.read(WORKER_SEEN_WITHIN_MS);
    const bound = this.config.readinessLagMs;
    if (progress.workers === 0) throw new Error(`No worker was seen for ${WORKER_SEEN_WITHIN_MS / 1000} s.`);
    const dispatched = progress.lastDispatchMs !== null && progress.lastDispatchMs <= bound;
    if (progress.oldestWaitingMs > bound && !dispatched) {
      throw new Error(
        `A delivery has been due for ${Math.round(progress.oldestWaitingMs / 1000)} s and none goes out.`,
      );
    }
    return {
      workers: progress.workers,
      oldest_waiting_ms: Math.round(progress.oldestWaitingMs),
      last_dispatch_ms: progress.lastDispatchMs === null ? null : Math.round(progress.lastDispatchMs),
    };
  }
}
