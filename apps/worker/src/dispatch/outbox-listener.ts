import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { OUTBOX_CHANNEL, readWakeUp, type OutboxNews } from '@hookstream/persistence';
import type { Logger } from '@hookstream/observability';

const RECONNECT_DELAY_MS = 1_000;

/**
 * LISTENs on a connection of its own and connects again whenever it breaks. A notification that is missed meanwhile costs
 * one poll interval, nothing more.
 */
export class OutboxListener {
  private client: pg.Client | undefined;
  private stopped = false;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly options: {
      databaseUrl: string;
      applicationName: string;
      onNotify: (news: OutboxNews) => void;
      logger: Logger;
    },
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.stopping.abort();
    await this.client?.end().catch(() => undefined);
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.listenUntilBroken();
      } catch (error) {
        this.options.logger.warn(
          { err: error },
          'cannot listen for new deliveries; polling goes on, trying again',
        );
      }
      if (!this.stopped)
        await delay(RECONNECT_DELAY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async listenUntilBroken(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.options.databaseUrl,
      application_name: this.options.applicationName,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    const broken = new Promise<void>((resolve) => {
      client.on('end', resolve);
      client.on('error', () => resolve());
    });
    this.client = client;
    client.on('notification', ({ payload }) => this.options.onNotify(readWakeUp(payload)));
    try {
      await client.connect();
      await client.query(`LISTEN ${OUTBOX_CHANNEL}`);
      this.options.onNotify(readWakeUp(undefined));
      await broken;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
