import { readdirSync, readFileSync } from 'node:fs';
import { round } from './statistics.js';

export interface ProcessReport {
  name: string;
  rss_mb_peak: number;
  /** Processor time, user and system, for 1,000 deliveries. */
  cpu_s_per_1000: number;
}

const SAMPLE_EVERY_MS = 500;
/** USER_HZ, which Linux fixes at 100 for what it shows to programs (proc(5)). */
const TICKS_PER_SECOND = 100;

interface Usage {
  cpuSeconds: number;
  rssKb: number;
}

/** Processor time and memory of named processes with all their descendants, from /proc: empty where there is none. */
export class UsageMeter {
  private readonly peaks = new Map<string, number>();
  private readonly spent = new Map<string, Map<string, number>>();
  private readonly watched = new Map<string, { pid: number; withDescendants: boolean }>();
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.timer = setInterval(() => this.sample(), SAMPLE_EVERY_MS);
    this.timer.unref();
  }

  watch(name: string, pid: number, { withDescendants = true } = {}): void {
    this.watched.set(name, { pid, withDescendants });
  }

  /** Charges what all processes spend while `work` runs to `account`. */
  async charge<T>(account: string, work: () => Promise<T>): Promise<T> {
    const before = this.sample();
    const result = await work();
    const after = this.sample();
    const sums = this.spent.get(account) ?? new Map<string, number>();
    this.spent.set(account, sums);
    for (const [name, usage] of after) {
      const spent = usage.cpuSeconds - (before.get(name)?.cpuSeconds ?? 0);
      sums.set(name, (sums.get(name) ?? 0) + Math.max(0, spent));
    }
    return result;
  }

  report(account: string, deliveries: number): ProcessReport[] {
    return [...(this.spent.get(account) ?? [])].map(([name, spent]) => ({
      name,
      rss_mb_peak: round((this.peaks.get(name) ?? 0) / 1024, 1),
      cpu_s_per_1000: round((spent * 1_000) / deliveries, 2),
    }));
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private sample(): Map<string, Usage> {
    const tree = childrenByParent();
    const usages = new Map<string, Usage>();
    for (const [name, { pid, withDescendants }] of this.watched) {
      const usage = usageOf([pid, ...(withDescendants ? descendants(pid, tree) : [])]);
      if (!usage) continue;
      usages.set(name, usage);
      this.peaks.set(name, Math.max(usage.rssKb, this.peaks.get(name) ?? 0));
    }
    return usages;
  }
}

/** A process and all its descendants, itself first. */
export function processTree(pid: number): number[] {
  return [pid, ...descendants(pid, childrenByParent())];
}

/** Memory of one process in MB: its own pages and what it shares. Undefined when it is gone. */
export function residentMb(pid: number): number | undefined {
  const usage = usageOf([pid]);
  return usage && usage.rssKb > 0 ? usage.rssKb / 1024 : undefined;
}

/** Shared pages (Postgres' buffers, program text) are in every member's RSS: they count once, at their largest. */
function usageOf(pids: number[]): Usage | undefined {
  let cpuSeconds = 0;
  let own = 0;
  let shared = 0;
  let found = false;
  for (const pid of pids) {
    const stat = statFields(pid);
    const status = readProc(pid, 'status');
    if (!stat || status === undefined) continue;
    found = true;
    // Fields 14 to 17 of proc(5): user and system time, own and of children that ended.
    cpuSeconds += stat.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
    own += kilobytes(status, 'RssAnon');
    shared = Math.max(shared, kilobytes(status, 'RssFile') + kilobytes(status, 'RssShmem'));
  }
  return found ? { cpuSeconds, rssKb: own + shared } : undefined;
}

function kilobytes(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}

function childrenByParent(): Map<number, number[]> {
  const tree = new Map<number, number[]>();
  for (const pid of processIds()) {
    const parent = Number(statFields(pid)?.[1] ?? 0);
    tree.set(parent, [...(tree.get(parent) ?? []), pid]);
  }
  return tree;
}

function descendants(pid: number, tree: Map<number, number[]>): number[] {
  return (tree.get(pid) ?? []).flatMap((child) => [child, ...descendants(child, tree)]);
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** What follows the command's name in /proc/pid/stat: state, parent, … */
function statFields(pid: number): string[] | undefined {
  const stat = readProc(pid, 'stat');
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
