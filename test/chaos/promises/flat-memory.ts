import type { MemorySeries } from '../watch/memory-watch.js';
import type { Part } from '../watch/world-timeline.js';
import { told } from './told.js';

/** A process fills its heap and caches first. Milliseconds. */
const WARM_UP_MS = 20_000;
/** Lives shorter than this after warming up show no trend. */
const LEAST_MS = 20_000;
/** How much the last third of a life may lie above the first, after warming up. */
const GROWTH = { mb: 48, share: 0.25 };

export interface MemoryReport {
  part: Part;
  pid: number;
  seconds: number;
  peakMb: number;
  /** Median of the last third of its life over that of the first, after warming up; absent where it was too short. */
  growthMb?: number;
}

export function memoryReports(series: readonly MemorySeries[]): MemoryReport[] {
  return series.map(({ part, pid, samples }) => {
    const begun = samples[0]?.at ?? 0;
    const ended = samples.at(-1)?.at ?? 0;
    const warm = samples.filter(({ at }) => at >= begun + WARM_UP_MS);
    const report: MemoryReport = {
      ...{ part, pid, seconds: Math.round((ended - begun) / 1_000) },
      peakMb: Math.round(Math.max(...samples.map(({ mb }) => mb))),
    };
    if (ended - begun < WARM_UP_MS + LEAST_MS) return report;
    const third = Math.ceil(warm.length / 3);
    const growth = median(warm.slice(-third)) - median(warm.slice(0, third));
    return { ...report, growthMb: Math.round(growth * 10) / 10 };
  });
}

/** What was broken of: memory stays flat. */
export function memoryFaults(reports: readonly MemoryReport[]): string[] {
  const grown = reports.filter(({ growthMb = 0, peakMb }) => growthMb > GROWTH.mb + GROWTH.share * peakMb);
  return told(
    'memory grew',
    grown.map(
      ({ part, growthMb, peakMb, seconds }) =>
        `${part} by ${growthMb} MB to ${peakMb} MB within ${seconds} s`,
    ),
  );
}

function median(samples: readonly { mb: number }[]): number {
  const sorted = samples.map(({ mb }) => mb).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
