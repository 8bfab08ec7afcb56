import { join } from 'node:path';
import { eventually } from '@hookstream/testing';
import { StandaloneInstance } from '../../e2e/standalone-instance.js';
import { FrozenTree } from '../faults/frozen-tree.js';
import { WorldTimeline, type Part } from '../watch/world-timeline.js';
import { ExtraWorker, runsTold } from './extra-worker.js';

/** The first is the instance's own. */
export const WORKERS = ['worker-1', 'worker-2', 'worker-3'] as const;
type WorkerName = (typeof WORKERS)[number];

/** Nothing may be swept up that the engine itself has left behind. */
const NO_RECONCILER = { HOOKSTREAM_RECONCILE_AFTER_MS: '86400000' };
/** However long it takes to be up again, beyond this it is broken. Milliseconds. */
const BACK_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 20;

/** An instance with two more workers, whose parts can be killed and stopped; knows at any time what was up. */
export class ChaosInstance {
  readonly timeline = new WorldTimeline();
  private readonly frozen = new Set<FrozenTree>();

  private constructor(
    readonly standalone: StandaloneInstance,
    private readonly extra: ExtraWorker[],
  ) {}

  /** @param keep told of every part that runs, so that it is stopped in any case; the last told stops first. */
  static async start(
    baseEnv: NodeJS.ProcessEnv,
    keep: (stop: () => Promise<unknown>) => void,
  ): Promise<ChaosInstance> {
    const env = { ...baseEnv, ...NO_RECONCILER };
    const standalone = await StandaloneInstance.launch({ baseEnv: env });
    keep(() => standalone.stop());
    await standalone.ready();
    const extra: ExtraWorker[] = [];
    const instance = new ChaosInstance(standalone, extra);
    keep(async () => instance.thawAll());
    for (const name of WORKERS.slice(1)) {
      const worker = await ExtraWorker.start(name, standalone, env);
      extra.push(worker);
      keep(() => worker.stop());
    }
    await eventually(() => WORKERS.every((name) => runsTold(instance.logOf(name)) > 0), {
      timeoutMs: BACK_WITHIN_MS,
    });
    return instance;
  }

  pid(part: Part): number {
    if (part === 'worker-1') return this.standalone.file.processes.worker;
    if (part === 'api' || part === 'temporal' || part === 'postgres')
      return this.standalone.file.processes[part];
    return this.extraWorker(part).pid;
  }

  /** Undefined while it is down or starts. */
  pidAtWork(part: Part): number | undefined {
    const now = Date.now();
    return this.timeline.isUp(part, now, now) ? this.pid(part) : undefined;
  }

  /** kill -9. Resolves when the part does its work again. */
  async kill(part: Part): Promise<void> {
    this.timeline.down(part, false);
    const before = { pid: this.pid(part), runs: this.isWorker(part) ? runsTold(this.logOf(part)) : 0 };
    if (part === 'worker-2' || part === 'worker-3') this.extraWorker(part).kill();
    else this.standalone.kill(part === 'worker-1' ? 'worker' : part);
    await eventually(() => this.isBack(part, before), {
      timeoutMs: BACK_WITHIN_MS,
      intervalMs: LOOK_EVERY_MS,
    }).catch((error: unknown) => {
      throw new Error(`${part} was not back ${BACK_WITHIN_MS / 1_000} s after kill -9`, { cause: error });
    });
    this.timeline.up(part);
  }

  /** SIGSTOP of all its processes. Answers how to let them go on. */
  pause(part: 'postgres' | 'temporal'): { processes: number; resume: () => void } {
    const tree = FrozenTree.freeze(this.pid(part));
    this.frozen.add(tree);
    this.timeline.down(part, true);
    return {
      processes: tree.size,
      resume: () => {
        this.timeline.up(part);
        tree.thaw();
        this.frozen.delete(tree);
      },
    };
  }

  thawAll(): void {
    for (const tree of this.frozen) tree.thaw();
    this.frozen.clear();
  }

  /** Processes that ended although nobody had killed them, in plain words. */
  ownEnds(): string[] {
    const told = this.standalone.output.matchAll(
      /hookstream: (\w+) (was ended by (?!SIGKILL)\w+|ended with code \w+|did not start: .*)/g,
    );
    return [
      ...[...told].map(([, name, what]) => `${name} ${what}`),
      ...this.extra.flatMap((worker) => worker.ownEnds),
    ];
  }

  private async isBack(part: Part, before: { pid: number; runs: number }): Promise<boolean> {
    if (this.pid(part) === before.pid) return false;
    if (this.isWorker(part)) return runsTold(this.logOf(part)) > before.runs;
    // The supervisor writes a server's new id down when it answers, and the API's as soon as it is started.
    if (part !== 'api') return true;
    const answer = await fetch(`${this.standalone.file.api_url}/api/v1/health/live`, {
      signal: AbortSignal.timeout(1_000),
    });
    await answer.arrayBuffer();
    return answer.ok;
  }

  private isWorker(part: Part): part is WorkerName {
    return (WORKERS as readonly string[]).includes(part);
  }

  private extraWorker(name: Part): ExtraWorker {
    const worker = this.extra.find((one) => one.name === name);
    if (!worker) throw new Error(`there is no ${name}`);
    return worker;
  }

  private logOf(name: WorkerName): string {
    const file = name === 'worker-1' ? 'worker' : name;
    return join(this.standalone.dataDir, 'logs', `${file}.log`);
  }
}
