import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

export function describeMachine(): Record<string, string | number> {
  const processors = cpus();
  return {
    cpus: processors.length,
    model: processors[0]?.model ?? 'unknown',
    memory: `${(totalmem() / 1024 ** 3).toFixed(1)} GiB`,
    node: process.versions.node,
    os: `${type()} ${release()}`,
  };
}

/** Since the machine started, in clock ticks. Zero where the system does not tell. */
export interface ProcessorTime {
  all: number;
  /** What the host gave to others while this machine could have used it. */
  stolen: number;
}

/** Source: `/proc/stat`, see proc(5). */
export function processorTime(): ProcessorTime {
  try {
    const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    const ticks = first.split(/\s+/).slice(1, 9).map(Number);
    return { all: ticks.reduce((sum, value) => sum + value, 0), stolen: ticks[7] ?? 0 };
  } catch {
    return { all: 0, stolen: 0 };
  }
}

/** The share of the processors' time that others had between two moments, in percent: figures of such a run say less. */
export function stolenPercent(from: ProcessorTime, to: ProcessorTime): number {
  const all = to.all - from.all;
  return all > 0 ? Math.round(((to.stolen - from.stolen) / all) * 1_000) / 10 : 0;
}
