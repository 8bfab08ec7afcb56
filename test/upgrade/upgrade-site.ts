import { NAMESPACE } from '@hookstream/contracts';
import { idToUuid, uuidToId } from '@hookstream/domain';
import { openDatabase, type Database } from '@hookstream/persistence';
import { connectTemporal, type TemporalClient } from '@hookstream/temporal-client';
import { Traffic } from '../chaos/traffic/traffic.js';
import { Installation } from '../e2e/installation.js';
import type { InstalledService } from '../e2e/installed-service.js';
import { FrontDoor } from './traffic/front-door.js';
import { SteadyReader } from './traffic/steady-reader.js';
import { TRAFFIC, UpgradeTargets } from './traffic/upgrade-targets.js';

/** A version that was built, and what to call it. */
export interface Version {
  home: string;
  name: string;
}

/** API and worker of a version. */
export class Side {
  private running: { api?: InstalledService; worker?: InstalledService } = {};

  constructor(
    readonly version: Version,
    private readonly installation: Installation,
    private readonly say: (line: string) => void,
  ) {}

  async migrate(): Promise<void> {
    const started = Date.now();
    const ran = (await this.command('migrate')).trim().split('\n').join('; ');
    this.say(`migrate of ${this.version.name}, ${Date.now() - started} ms: ${ran}`);
  }

  command(...args: string[]): Promise<string> {
    return this.installation.command(args, this.version.home);
  }

  /** Resolves when it is ready. */
  async start(app: 'api' | 'worker'): Promise<void> {
    const { name, home } = this.version;
    const label = `${app} of ${name}`.replaceAll(/[^\w.-]+/g, '-');
    this.running[app] = await this.installation.start(app, { name: label, home });
    this.say(`the ${app} of ${name} is ready`);
  }

  /** Ends it as an orchestrator does. @throws Error when it does not end well */
  async end(app: 'api' | 'worker'): Promise<void> {
    const tookMs = await this.get(app).end();
    this.say(`the ${app} of ${this.version.name} ended ${tookMs} ms after SIGTERM`);
  }

  get(app: 'api' | 'worker'): InstalledService {
    const service = this.running[app];
    if (!service) throw new Error(`no ${app} of ${this.version.name} runs`);
    return service;
  }
}

export interface SiteOptions {
  versions: { old: Version; new: Version };
  /** How long there is load. */
  seconds: number;
  /** For data and logs. */
  directory: string;
  say: (line: string) => void;
}

/** Servers, receivers, callers and the versions between them. Nothing but the old version runs at first. */
export class UpgradeSite {
  private constructor(
    readonly targets: UpgradeTargets,
    readonly front: FrontDoor,
    readonly traffic: Traffic,
    readonly reader: SteadyReader,
    readonly database: Database,
    readonly temporal: TemporalClient,
    readonly sides: { old: Side; new: Side },
  ) {}

  /** @param keep told of every part that runs, so that it is stopped in any case; the last told stops first. */
  static async open(
    options: SiteOptions,
    keep: (stop: () => Promise<unknown>) => void,
  ): Promise<UpgradeSite> {
    const { directory, seconds, versions, say } = options;
    const targets = await UpgradeTargets.start(seconds);
    keep(() => targets.receiver.close());
    const installation = new Installation({ directory, notice: say });
    keep(() => installation.close());
    await installation.startServers();
    const sides = {
      old: new Side(versions.old, installation, say),
      new: new Side(versions.new, installation, say),
    };
    await sides.old.migrate();
    await sides.old.start('worker');
    await sides.old.start('api');
    const apiUrl = sides.old.get('api').url;
    const tenant = await installation.createTenant(apiUrl, versions.old.home);
    const front = new FrontDoor(tenant.file.api_key);
    front.open(apiUrl);
    await targets.createEndpoints(front);
    const database = await openDatabase({
      ...{ url: installation.databaseUrl, poolSize: 2, applicationName: 'hookstream-upgrade' },
      onIdleError: () => undefined,
    });
    keep(() => database.close());
    const temporal = connectTemporal({ address: installation.temporalAddress, namespace: NAMESPACE });
    keep(() => temporal.close());
    const [traffic, reader] = [new Traffic(front, TRAFFIC), new SteadyReader(front)];
    keep(() => Promise.all([traffic.stop(), reader.stop()]));
    return new UpgradeSite(targets, front, traffic, reader, database, temporal, sides);
  }

  /** Deliveries that are open in retries. */
  retrying(): Promise<string[]> {
    return this.deliveriesOf('stubborn', 'retrying');
  }

  deadLetters(): Promise<string[]> {
    return this.deliveriesOf('dead', 'dead_letter');
  }

  async circuit(): Promise<string> {
    const path = `/endpoints/${this.targets.target('sick').endpointId}/circuit`;
    return (await this.front.call<{ state: string }>('GET', path)).body.state;
  }

  private async deliveriesOf(target: 'stubborn' | 'dead', status: string): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ id: string }>(
      'SELECT id FROM deliveries WHERE endpoint_id = $1 AND status = $2 ORDER BY id',
      [idToUuid('endpoint', this.targets.target(target).endpointId), status],
    );
    return rows.map(({ id }) => uuidToId('delivery', id));
  }
}
