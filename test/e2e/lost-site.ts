import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, TestReceiver } from '@hookstream/testing';
import { TenantClient } from './api-client.js';
import type { BackupWay } from './backup-ways.js';
import { EventPoster } from './event-poster.js';
import { Installation, type InstallationOptions } from './installation.js';
import { makeDataDirectory } from './standalone-instance.js';
import { VariedDeliveries } from './varied-deliveries.js';

/** Before, while and after the backup is made, each. */
const EVENTS = 60;
const SETTLED_WITHIN_MS = 60_000;
/** A restore comes later than a test has time for. */
const AWAY_MS = 600_000;
const SETTINGS = {
  // Five minutes by default: how much later than due a delivery is that lost its workflow.
  HOOKSTREAM_RECONCILE_AFTER_MS: '2000',
  HOOKSTREAM_REPLAY_PAGE_SIZE: '2',
  HOOKSTREAM_REPLAY_WAITING_MAX: '2',
  HOOKSTREAM_PARTITIONS_AHEAD_DAYS: '2',
};

/** A site with something of everything under way, its backup made under load, and the site that comes in its place. */
export class LostSite {
  /** Accepted before the backup was finished; and after, so that no backup has them. */
  safe: string[] = [];
  late: string[] = [];
  /** Everything of `good`. */
  accepted: ReadonlySet<string> = new Set();
  restoredAt = 0;
  readonly deliveries: VariedDeliveries;
  /** Until then the receiver of `good` answers nothing, so that attempts are under way. */
  private answering: Promise<void> = Promise.resolve();

  private constructor(
    readonly receiver: TestReceiver,
    private readonly directory: string,
  ) {
    this.deliveries = new VariedDeliveries(receiver);
    receiver.on('/good', () => this.answering.then(() => ({})));
  }

  static async make(): Promise<LostSite> {
    return new LostSite(await TestReceiver.start(), makeDataDirectory());
  }

  /** What survives the site. */
  get backups(): string {
    const directory = join(this.directory, 'backups');
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  async backUpAndLose(way: BackupWay, options: Partial<InstallationOptions>): Promise<void> {
    const lost = { ...options, directory: join(this.directory, 'lost'), settings: SETTINGS };
    this.deliveries.site = new Installation(lost);
    await this.deliveries.site.startServers();
    await way.prepare(this.deliveries.site);
    await this.startVersion();
    await this.deliveries.fill();
    await this.loadAndBackUp(way);
    await this.deliveries.site.kill();
    // Backends of a killed Postgres end a moment after it.
    rmSync(lost.directory, { recursive: true, maxRetries: 20, retryDelay: 100 });
  }

  private async loadAndBackUp(way: BackupWay): Promise<void> {
    const poster = new EventPoster(() => this.deliveries.tenant, this.deliveries.endpoint('good').id);
    await Promise.all([way.begin(this.deliveries.site), poster.post(EVENTS)]);
    let answer = (): void => undefined;
    this.answering = new Promise((resolve) => (answer = resolve));
    await poster.post(EVENTS);
    await this.receiver.waitFor(
      (requests) => requests.some(({ endedAt }) => endedAt === undefined),
      SETTLED_WITHIN_MS,
    );
    this.safe = [...poster.accepted];
    await Promise.all([way.finish(this.deliveries.site), poster.post(EVENTS)]);
    answer();
    const before = new Set(poster.accepted);
    await poster.post(EVENTS);
    this.accepted = poster.accepted;
    this.late = [...poster.accepted].filter((id) => !before.has(id));
  }

  /** Steps 2 to 6 of the guide, with an empty Temporal. */
  async restore(way: BackupWay): Promise<void> {
    const { secrets } = this.deliveries.site;
    this.deliveries.healed = true;
    this.restoredAt = Date.now();
    this.deliveries.site = await way.restore({
      directory: join(this.directory, 'new'),
      secrets,
      settings: SETTINGS,
    });
    await this.deliveries.query(
      `UPDATE endpoints SET circuit_probe_at = circuit_probe_at - $1 * interval '1 millisecond',
         circuit_memory = jsonb_set(circuit_memory, '{trippedAt}', to_jsonb((circuit_memory->>'trippedAt')::bigint - $1))
        WHERE circuit_state = 'open'`,
      [AWAY_MS],
    );
    // What attempts hold of their endpoint, until a minute and their time-out after they began.
    await this.deliveries.query(`UPDATE slots SET expires_at = expires_at - $1 * interval '1 millisecond'`, [
      AWAY_MS,
    ]);
    const { api_key } = this.deliveries.tenant.file;
    await this.startVersion(api_key);
  }

  async close(): Promise<void> {
    await this.deliveries.site?.close();
    await this.receiver.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Steps 5 and 6; a tenant where none has come along. */
  private async startVersion(apiKey?: string): Promise<void> {
    await this.deliveries.site.command(['migrate']);
    await this.deliveries.site.start('worker');
    const { url } = await this.deliveries.site.start('api');
    this.deliveries.tenant =
      apiKey === undefined
        ? await this.deliveries.site.createTenant(url)
        : new TenantClient({ api_url: url, api_key: apiKey });
    // A worker that is ready may not have been seen by Temporal yet.
    await eventually(() => this.deliveries.site.command(['doctor']), { timeoutMs: SETTLED_WITHIN_MS });
  }
}
