import { setTimeout as sleep } from 'node:timers/promises';
import { NAMESPACE } from '@hookstream/contracts';
import { idToUuid } from '@hookstream/domain';
import { openDatabase, type Database } from '@hookstream/persistence';
import { connectTemporal, type TemporalClient } from '@hookstream/temporal-client';
import { planFaults, type FaultKind } from './faults/fault-plan.js';
import { FaultRunner } from './faults/fault-runner.js';
import { ChaosInstance, WORKERS } from './instance/chaos-instance.js';
import { READY_WITHIN_MS } from './promises/answers.js';
import { settle } from './promises/settling.js';
import { storedDeliveries } from './promises/stored-deliveries.js';
import { judge, type ChaosFindings } from './judgement.js';
import { Targets, trafficPlan } from './traffic/targets.js';
import { Traffic } from './traffic/traffic.js';
import { CircuitLog } from './watch/circuit-log.js';
import { MemoryWatch } from './watch/memory-watch.js';
import { ReadinessWatch } from './watch/readiness-watch.js';

export interface ChaosOptions {
  seed: number;
  /** How long there is load and faults. Settling comes on top. */
  seconds: number;
  /** How long a server stands still. */
  pauseMs: number;
  kinds: readonly FaultKind[];
  /** For the processes that are started. */
  env: NodeJS.ProcessEnv;
  /** Of the usual load. */
  ratePercent: number;
  say: (line: string) => void;
}

/** Beyond the time in which it must be ready again, so many milliseconds of readiness are looked at. */
const READY_LOOKED_AT_MS = 3_000;

/** One run: an instance and three workers under load and faults, and whether its promises were kept. */
export class ChaosRun {
  private readonly closers: (() => Promise<unknown>)[] = [];
  private closing: Promise<void> | undefined;

  constructor(private readonly options: ChaosOptions) {}

  async run(): Promise<ChaosFindings> {
    const { say, seed, env } = this.options;
    const keep = (stop: () => Promise<unknown>): void => void this.closers.unshift(stop);
    say('starting an instance of its own, with three workers');
    const targets = await Targets.start(seed, keep);
    const instance = await ChaosInstance.start(env, keep);
    const { file } = instance.standalone;
    const database = await openDatabase({
      ...{ url: file.database_url, poolSize: 2, applicationName: 'hookstream-chaos' },
      onIdleError: () => undefined,
    });
    keep(() => database.close());
    const temporal = connectTemporal({ address: file.temporal_address, namespace: NAMESPACE });
    keep(() => temporal.close());
    await targets.createEndpoints(instance.standalone);
    return this.loadAndBreak(instance, targets, database, temporal);
  }

  /** Ends every process and removes every file. Called again, it waits for the first call. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async loadAndBreak(
    instance: ChaosInstance,
    targets: Targets,
    database: Database,
    temporal: TemporalClient,
  ): Promise<ChaosFindings> {
    const { say, seconds } = this.options;
    const circuits = await CircuitLog.install(database);
    const traffic = new Traffic(instance.standalone, trafficPlan(this.options.ratePercent / 100));
    const readiness = new ReadinessWatch(instance.standalone.file.api_url);
    const memory = new MemoryWatch(['api', ...WORKERS], (part) => instance.pidAtWork(part));
    this.closers.unshift(
      () => traffic.stop(),
      () => readiness.stop(),
      async () => memory.stop(),
    );
    const faults = new FaultRunner(instance, say);
    readiness.start();
    memory.start();
    traffic.start();
    const plan = planFaults({ ...this.options, workers: WORKERS.length });
    say(`${plan.length} faults in ${seconds} s`);
    await Promise.all([faults.run(plan), sleep(seconds * 1_000)]);

    say('no more faults, no more events; everything heals');
    targets.heal();
    await traffic.stop();
    const { settledAfterMs, faults: stuck } = await settle(database, temporal, say);
    await quietFor(instance, READY_WITHIN_MS + READY_LOOKED_AT_MS);
    memory.stop();
    await readiness.stop();
    return judge({
      faults: faults.reports,
      stuck: [...stuck, ...instance.ownEnds()],
      settledAfterMs,
      targets,
      traffic,
      deliveries: await storedDeliveries(
        database,
        targets.list.map(({ endpointId }) => idToUuid('endpoint', endpointId)),
      ),
      readiness: readiness.samples,
      timeline: instance.timeline,
      memory: memory.series,
      circuit: await circuits.changesOf(targets.target('sick').endpointId),
      letGo: await circuits.letGoOf(targets.target('sick').endpointId),
    });
  }

  private async closeAll(): Promise<void> {
    for (const close of this.closers.splice(0)) {
      await close().catch((error: unknown) =>
        this.options.say(`a part did not stop cleanly: ${String(error)}`),
      );
    }
  }
}

/** Waits until the last outage is so long ago. One that never ended is told elsewhere. */
async function quietFor({ timeline }: ChaosInstance, ms: number): Promise<void> {
  const lastEnd = Math.max(0, ...timeline.outages.map(({ to }) => to ?? 0));
  await sleep(Math.max(0, lastEnd + ms - Date.now()));
}
