import pg from 'pg';

const LOOK_EVERY_MS = 250;

/** Counts the connections to the instance's database until it is stopped. */
export class ConnectionWatch {
  private most = 0;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();

  private constructor(private readonly client: pg.Client) {}

  static async start(databaseUrl: string): Promise<ConnectionWatch> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    const watch = new ConnectionWatch(client);
    watch.timer = setInterval(() => {
      watch.looking = watch.looking.then(() => watch.look());
    }, LOOK_EVERY_MS);
    return watch;
  }

  /** @returns the most connections that there were at once, without its own. */
  async stop(): Promise<number> {
    clearInterval(this.timer);
    await this.looking;
    await this.client.end();
    return this.most;
  }

  private async look(): Promise<void> {
    const { rows } = await this.client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    this.most = Math.max(this.most, rows[0]?.count ?? 0);
  }
}
