import { setTimeout as sleep } from 'node:timers/promises';
import { idToUuid } from '@hookstream/domain';
import { eventually } from '@hookstream/testing';
import { settle } from '../chaos/promises/settling.js';
import { storedDeliveries } from '../chaos/promises/stored-deliveries.js';
import { WorkflowRuns } from './promises/workflow-tasks.js';
import { judgeUpgrade, type Handover, type UpgradeFindings } from './upgrade-judgement.js';
import { UpgradeSite, type Side, type SiteOptions } from './upgrade-site.js';

const DEAD_LETTERS = 6;
const SET_WITHIN_MS = 60_000;
/** Of the deliveries that the new version leaves to the old one. */
const FEW = 3;
/** What a load balancer needs to hear that an API goes; the chart waits for five seconds. */
const HEARD_WITHIN_MS = 500;
/** Requests at the moment at which an API goes. */
const BURST = 40;
/** Of the time that there is load. */
const SHARE = {
  old: 0.25,
  'both workers': 0.15,
  'both APIs': 0.1,
  new: 0.2,
  'both again': 0.1,
  'old again': 0.2,
};

/** One upgrade under load as docs/self-hosting/upgrade.md has it, and the way back. */
export class UpgradeRun {
  private readonly closers: (() => Promise<unknown>)[] = [];
  private closing: Promise<void> | undefined;
  private readonly handovers: Handover[] = [];
  private readonly replayed = new Set<string>();

  constructor(private readonly options: SiteOptions) {}

  async run(): Promise<UpgradeFindings> {
    const { say } = this.options;
    say('starting Postgres, Temporal and the old version');
    const site = await UpgradeSite.open(this.options, (stop) => void this.closers.unshift(stop));
    site.traffic.start();
    site.reader.start();
    for (let number = 0; number < DEAD_LETTERS; number++) void site.traffic.post('upgrade.dead', { number });
    await this.load('old');
    await this.stageIsSet(site);
    await this.upgrade(site);
    await this.load('new');
    await this.goBack(site);
    await this.load('old again');
    return this.conclude(site);
  }

  /** Ends every process. Called again, it waits for the first call. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  /** What an upgrade must not harm is there. @throws Error telling what is not */
  private async stageIsSet(site: UpgradeSite): Promise<void> {
    const told = await eventually(
      async () => {
        const [open, dead] = [(await site.retrying()).length, (await site.deadLetters()).length];
        const circuit = await site.circuit();
        const line = `${open} deliveries in retries, ${dead} dead letters, a circuit that is ${circuit}`;
        if (open > 0 && dead === DEAD_LETTERS && circuit !== 'closed') return line;
        throw new Error(`the stage is not set: ${line}`);
      },
      { timeoutMs: SET_WITHIN_MS, intervalMs: 250 },
    );
    this.options.say(told);
  }

  /** Steps 3 to 6 of the guide. */
  private async upgrade(site: UpgradeSite): Promise<void> {
    const { old: before, new: after } = site.sides;
    await after.migrate();
    await after.start('worker');
    site.targets.sick.well = true;
    await this.load('both workers');
    await after.start('api');
    site.front.open(after.get('api').url);
    await this.load('both APIs');
    await this.endApi(site, before);
    await this.endWorker(site, before, after);
    await after.command('doctor');
    this.options.say('doctor: nothing wrong');
    site.targets.dead.well = true;
    await this.replayDeadLetters(site, DEAD_LETTERS / 2);
  }

  /** The old version again, on the schema of the new one. */
  private async goBack(site: UpgradeSite): Promise<void> {
    const { old: before, new: after } = site.sides;
    this.options.say('going back');
    site.targets.stubborn.well = false;
    await eventually(async () => (await site.retrying()).length >= FEW, { timeoutMs: SET_WITHIN_MS });
    await before.migrate();
    await before.start('worker');
    await before.start('api');
    site.front.open(before.get('api').url);
    await this.load('both again');
    await this.endApi(site, after);
    await this.endWorker(site, after, before);
    await this.replayDeadLetters(site, 1);
  }

  /** With requests on their way. */
  private async endApi({ front, traffic }: UpgradeSite, side: Side): Promise<void> {
    const { name } = side.version;
    const burst = Array.from({ length: BURST }, (_, i) =>
      traffic.post('upgrade.good', { burst: `${i} of ${name}` }),
    );
    front.shut(side.get('api').url);
    await sleep(HEARD_WITHIN_MS);
    await side.end('api');
    await Promise.all(burst);
  }

  /** In the middle of retries, which the other version has to go on with. */
  private async endWorker(site: UpgradeSite, from: Side, to: Side): Promise<void> {
    const open = await site.retrying();
    this.handovers.push({
      ...{ from: from.version.name, to: to.version.name, open },
      ...{ fromPid: from.get('worker').identity.pid, toPid: to.get('worker').identity.pid },
    });
    this.options.say(`${open.length} deliveries in retries when the worker of ${from.version.name} goes`);
    await from.end('worker');
    site.targets.stubborn.well = true;
  }

  private async replayDeadLetters(site: UpgradeSite, count: number): Promise<void> {
    for (const id of (await site.deadLetters()).slice(0, count)) {
      const { status, body } = await site.front.call('POST', `/deliveries/${id}/replay`);
      if (status !== 202) throw new Error(`replay answered ${status}: ${JSON.stringify(body)}`);
      this.replayed.add(id);
    }
  }

  private async conclude(site: UpgradeSite): Promise<UpgradeFindings> {
    const { database, temporal, targets, traffic, reader } = site;
    this.options.say('no more events; everything comes to its end');
    await traffic.stop();
    const { settledAfterMs, faults: stuck } = await settle(database, temporal, this.options.say);
    await reader.stop();
    const endpoints = targets.list.map(({ endpointId }) => idToUuid('endpoint', endpointId));
    return judgeUpgrade({
      ...{ targets, traffic, reader, stuck, settledAfterMs },
      ...{ handovers: this.handovers, replayed: this.replayed },
      circuitAtEnd: await site.circuit(),
      deliveries: await storedDeliveries(database, endpoints),
      runs: await WorkflowRuns.read(temporal),
    });
  }

  private load(share: keyof typeof SHARE): Promise<void> {
    return sleep(SHARE[share] * this.options.seconds * 1_000);
  }

  private async closeAll(): Promise<void> {
    for (const close of this.closers.splice(0))
      await close().catch((error: unknown) =>
        this.options.say(`a part did not stop cleanly: ${String(error)}`),
      );
  }
}
