import { setTimeout as sleep } from 'node:timers/promises';
import { WORKERS, type ChaosInstance } from '../instance/chaos-instance.js';
import type { Part } from '../watch/world-timeline.js';
import type { PlannedFault } from './fault-plan.js';

/** What happened to one fault. */
export interface FaultReport {
  kind: PlannedFault['kind'];
  /** What it hit, in order. */
  parts: Part[];
  /** Seconds from the start of the load. */
  atSeconds: number;
  /** From the blow, or from the end of a pause, until the part did its work again, each in milliseconds. */
  backAfterMs: number[];
  pausedMs?: number;
  /** It did not come back; then it is a broken promise. */
  failure?: string;
}

/** Carries a plan out. A fault that is due while one before it on the same parts still lasts comes right after that. */
export class FaultRunner {
  readonly reports: FaultReport[] = [];
  private startedAt = 0;

  constructor(
    private readonly instance: ChaosInstance,
    private readonly say: (line: string) => void,
  ) {}

  /** Resolves when the last fault is over and all it hit is up again. */
  async run(plan: readonly PlannedFault[]): Promise<void> {
    this.startedAt = Date.now();
    const isWorkers = ({ kind }: PlannedFault): boolean => kind === 'kill-worker' || kind === 'kill-workers';
    const inTurn = async (faults: PlannedFault[]): Promise<void> => {
      for (const fault of faults) await this.carryOut(fault);
    };
    await Promise.all([
      inTurn(plan.filter((one) => !isWorkers(one))),
      inTurn(plan.filter((one) => isWorkers(one))),
    ]);
  }

  private async carryOut(fault: PlannedFault): Promise<void> {
    await sleep(Math.max(0, this.startedAt + fault.atMs - Date.now()));
    const report: FaultReport = {
      kind: fault.kind,
      parts: [],
      atSeconds: Math.round((Date.now() - this.startedAt) / 100) / 10,
      backAfterMs: [],
    };
    this.reports.push(report);
    try {
      if (fault.lastsMs > 0) await this.pause(fault, report);
      else for (const part of victims(fault)) await this.kill(part, report);
    } catch (error) {
      report.failure = (error as Error).message;
    }
    this.say(tellFault(report));
  }

  private async kill(part: Part, report: FaultReport): Promise<void> {
    report.parts.push(part);
    const killedAt = Date.now();
    await this.instance.kill(part);
    report.backAfterMs.push(Date.now() - killedAt);
  }

  private async pause({ kind, lastsMs }: PlannedFault, report: FaultReport): Promise<void> {
    const part = kind === 'pause-postgres' ? 'postgres' : 'temporal';
    report.parts.push(part);
    const pausedAt = Date.now();
    const { processes, resume } = this.instance.pause(part);
    this.say(`${part} stands still (${processes} processes) for ${lastsMs / 1_000} s`);
    await sleep(lastsMs);
    resume();
    report.pausedMs = Date.now() - pausedAt;
  }
}

function victims({ kind, worker }: PlannedFault): Part[] {
  const fromIt = [...WORKERS.slice(worker), ...WORKERS.slice(0, worker)];
  switch (kind) {
    case 'kill-workers':
      return fromIt;
    case 'kill-worker':
      return fromIt.slice(0, 1);
    case 'kill-api':
      return ['api'];
    case 'kill-temporal':
      return ['temporal'];
    case 'kill-postgres':
      return ['postgres'];
    case 'pause-temporal':
    case 'pause-postgres':
      return [];
  }
}

export function tellFault({ kind, parts, atSeconds, backAfterMs, pausedMs, failure }: FaultReport): string {
  const what = kind.startsWith('pause')
    ? `${parts.join(', ')} stood still for ${((pausedMs ?? 0) / 1_000).toFixed(1)} s`
    : `kill -9 of ${parts.map((part, i) => `${part}${backAfterMs[i] === undefined ? '' : `, at work again after ${backAfterMs[i]} ms`}`).join('; ')}`;
  return `at ${atSeconds.toFixed(1)} s: ${what}${failure === undefined ? '' : `; ${failure}`}`;
}
