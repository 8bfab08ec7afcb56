import { SeededRandom } from '../seeded-random.js';

/** What can be done to the processes. What receivers do to us goes on all the time. */
export const FAULT_KINDS = [
  'kill-api',
  'kill-temporal',
  'kill-postgres',
  'pause-temporal',
  'pause-postgres',
  'kill-worker',
  'kill-workers',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlannedFault {
  kind: FaultKind;
  /** Milliseconds from the start of the load. */
  atMs: number;
  /** Of pauses. */
  lastsMs: number;
  /** Which of the workers; the first of them for `kill-workers`, which goes on in turn. */
  worker: number;
}

export interface FaultPlanOptions {
  seed: number;
  seconds: number;
  pauseMs: number;
  kinds: readonly FaultKind[];
  workers: number;
}

const WORKER_KINDS: readonly FaultKind[] = ['kill-worker', 'kill-workers'];
/** About how long it takes until everything is up again. */
const RECOVERY_MS: Record<FaultKind, number> = {
  'kill-api': 3_500,
  'kill-temporal': 4_500,
  'kill-postgres': 3_500,
  'pause-temporal': 3_000,
  'pause-postgres': 3_000,
  'kill-worker': 5_000,
  'kill-workers': 14_000,
};
const GAP_MS = { min: 700, max: 3_000 };
const FIRST_AT_MS = 2_000;

/**
 * The schedule of a run, the same for the same options: faults of the servers one after another, and those of the workers beside
 * them, so that a worker may die while Postgres stands still. Each kind comes once before any comes again.
 */
export function planFaults(options: FaultPlanOptions): PlannedFault[] {
  const random = new SeededRandom(options.seed);
  const isWorkers = (kind: FaultKind): boolean => WORKER_KINDS.includes(kind);
  const servers = track(
    options.kinds.filter((kind) => !isWorkers(kind)),
    options,
    random,
  );
  const workers = track(options.kinds.filter(isWorkers), options, random);
  return [...servers, ...workers].sort((a, b) => a.atMs - b.atMs);
}

function track(kinds: readonly FaultKind[], options: FaultPlanOptions, random: SeededRandom): PlannedFault[] {
  const planned: PlannedFault[] = [];
  const endMs = options.seconds * 1_000;
  let atMs = FIRST_AT_MS;
  let bag: FaultKind[] = [];
  while (kinds.length > 0) {
    if (bag.length === 0) bag = random.shuffled(kinds);
    const kind = bag.shift() as FaultKind;
    const lastsMs = kind.startsWith('pause') ? options.pauseMs : 0;
    const worker = random.between(0, options.workers - 1);
    if (atMs + lastsMs + RECOVERY_MS[kind] > endMs) break;
    planned.push({ kind, atMs, lastsMs, worker });
    atMs += lastsMs + RECOVERY_MS[kind] + random.between(GAP_MS.min, GAP_MS.max);
  }
  return planned;
}
