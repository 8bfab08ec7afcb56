import {
  POSTGRES_STOP_STEPS,
  stopByIdentity,
  TEMPORAL_STOP_STEPS,
  type ProcessIdentity,
  type StopStep,
} from '@hookstream/embedded';
import type { DataDirectory } from './data-directory.js';

const FILE = 'processes.json';

const PROCESS_NAMES = ['postgres', 'temporal', 'api', 'worker'] as const;
export type ProcessName = (typeof PROCESS_NAMES)[number];

/** The order in which an instance stops: what takes work in first, what keeps the state last. */
export const STOP_ORDER: readonly ProcessName[] = ['api', 'worker', 'temporal', 'postgres'];

/** How each ends: asked first, forced when it does not. `graceMs`: what the API and the worker give work under way. */
export function stopSteps(name: ProcessName, graceMs: number): StopStep[] {
  if (name === 'postgres') return POSTGRES_STOP_STEPS;
  if (name === 'temporal') return TEMPORAL_STOP_STEPS;
  return [
    { signal: 'SIGTERM', waitMs: graceMs + 5_000 },
    { signal: 'SIGKILL', waitMs: 5_000, group: true },
  ];
}

/** Writes down which processes run, so that the next start finds what a killed supervisor left behind. */
export class ProcessRecord {
  private readonly running = new Map<ProcessName, ProcessIdentity>();

  constructor(private readonly directory: DataDirectory) {}

  set(name: ProcessName, identity: ProcessIdentity): void {
    this.running.set(name, identity);
    this.directory.writeJson(FILE, Object.fromEntries(this.running));
  }

  pids(): Record<ProcessName, number> {
    return Object.fromEntries(
      PROCESS_NAMES.map((name) => [name, this.running.get(name)?.pid ?? 0]),
    ) as Record<ProcessName, number>;
  }

  clear(): void {
    this.running.clear();
    this.directory.remove(FILE);
  }
}

/** Ends what a dead supervisor of this data directory left running. Answers the names of what it found. */
export async function clearLeftovers(directory: DataDirectory, graceMs: number): Promise<ProcessName[]> {
  const recorded = directory.readJson<Partial<Record<ProcessName, ProcessIdentity>>>(FILE) ?? {};
  const found: ProcessName[] = [];
  for (const name of STOP_ORDER) {
    const identity = recorded[name];
    // The identity holds the start time: a process that merely has the same id by now is left alone.
    if (identity && (await stopByIdentity(identity, stopSteps(name, graceMs)))) found.push(name);
  }
  directory.remove(FILE);
  return found;
}
