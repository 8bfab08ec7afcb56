import { residentMb } from '../../load/report/process-usage.js';
import type { Part } from './world-timeline.js';

/** Memory of one process while it is at work. */
export interface MemorySeries {
  part: Part;
  pid: number;
  /** Unix ms, and MB. */
  samples: { at: number; mb: number }[];
}

const EVERY_MS = 1_000;

/** Samples the memory of parts; every restart begins a series of its own. */
export class MemoryWatch {
  readonly series: MemorySeries[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: readonly Part[],
    /** Undefined while it is not at work: one that still starts, or waits for a server, fills its heap later. */
    private readonly pidOf: (part: Part) => number | undefined,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.sample(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private sample(): void {
    for (const part of this.parts) {
      const pid = this.pidOf(part);
      const mb = pid === undefined ? undefined : residentMb(pid);
      if (pid !== undefined && mb !== undefined)
        this.seriesOf(part, pid).samples.push({ at: Date.now(), mb });
    }
  }

  private seriesOf(part: Part, pid: number): MemorySeries {
    const known = this.series.find((one) => one.part === part && one.pid === pid);
    if (known) return known;
    const begun: MemorySeries = { part, pid, samples: [] };
    this.series.push(begun);
    return begun;
  }
}
