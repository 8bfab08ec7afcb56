import type pg from 'pg';
import {
  ATTEMPT_OUTCOMES,
  FINAL_STATUSES_COUNTED,
  idToUuid,
  noCounts,
  STATS_WINDOW_MS,
  STATS_WINDOWS,
  type AttemptOutcomeKind,
  type CountedStatus,
  type StatsCounts,
  type StatsWindow,
} from '@hookstream/domain';
import { inTransaction } from '../database.js';
import { ADD_TO_ROLLUPS, COUNTERS, TAKE_FROM_QUEUE } from './fold-stats.sql.js';

/** Any number that nothing else in this database locks on. */
const FOLD_LOCK = 4_771_203;

/** All that happened in one minute, hour or day. */
export interface StatsPoint extends StatsCounts {
  startsAt: Date;
}

interface TakenRow {
  tenant_id: string;
  endpoint_id: string;
  minute: Date;
  outcome: AttemptOutcomeKind | null;
  final_status: CountedStatus | null;
  duration_bucket: number | null;
  latency_bucket: number | null;
  count: number;
  taken: number;
}

interface Rollup {
  subject: string;
  window: StatsWindow;
  startsAt: number;
  counts: StatsCounts;
}

export class StatsRepository {
  constructor(private readonly pool: pg.Pool) {}

  /**
   * Moves up to `limit` entries from the queue into the rollups, in one transaction, so that each counts exactly once. One process
   * at a time: two would wait for each other's rows.
   * @returns how many were moved; 0 also when another process is at it.
   */
  async fold(limit: number): Promise<number> {
    return inTransaction(this.pool, async (client) => {
      const { rows: locks } = await client.query<{ alone: boolean }>(
        'SELECT pg_try_advisory_xact_lock($1) AS alone',
        [FOLD_LOCK],
      );
      if (locks[0]?.alone !== true) return 0;
      const { rows } = await client.query<TakenRow>({
        name: 'stats-take',
        text: TAKE_FROM_QUEUE,
        values: [limit],
      });
      if (rows[0] === undefined) return 0;
      await client.query({
        name: 'stats-add',
        text: ADD_TO_ROLLUPS,
        values: columnsOf([...rollupsOf(rows).values()]),
      });
      return rows[0].taken;
    });
  }

  /** The stretches of an endpoint in which something happened, oldest first, from `since` to before `until`. */
  ofEndpoint(endpointId: string, window: StatsWindow, since: Date, until: Date): Promise<StatsPoint[]> {
    return this.read(idToUuid('endpoint', endpointId), window, since, until);
  }

  /** The same of a tenant: all its endpoints, those deleted since included. */
  ofTenant(tenantId: string, window: StatsWindow, since: Date, until: Date): Promise<StatsPoint[]> {
    return this.read(idToUuid('tenant', tenantId), window, since, until);
  }

  private async read(subject: string, window: StatsWindow, since: Date, until: Date): Promise<StatsPoint[]> {
    const { rows } = await this.pool.query<Record<string, unknown>>(
      'SELECT * FROM stats WHERE subject_id = $1 AND period = $2 AND starts_at >= $3 AND starts_at < $4 ORDER BY starts_at',
      [subject, window, since, until],
    );
    return rows.map((row) => ({
      startsAt: row['starts_at'] as Date,
      attempts: numbersOf(ATTEMPT_OUTCOMES, 'attempts', row),
      deliveries: numbersOf(FINAL_STATUSES_COUNTED, 'deliveries', row),
      durations: row['durations'] as number[],
      latencies: row['latencies'] as number[],
    }));
  }
}

/** Counters are bigint, which pg answers as text. */
function numbersOf<K extends string>(
  names: readonly K[],
  prefix: string,
  row: Record<string, unknown>,
): Partial<Record<K, number>> {
  return Object.fromEntries(names.map((name) => [name, Number(row[`${prefix}_${name}`])])) as Partial<
    Record<K, number>
  >;
}

/** What was taken, added up for each endpoint and its tenant, by minute, hour and day. */
function rollupsOf(rows: readonly TakenRow[]): Map<string, Rollup> {
  const rollups = new Map<string, Rollup>();
  for (const row of rows) {
    for (const subject of [row.endpoint_id, row.tenant_id]) {
      for (const window of STATS_WINDOWS) {
        const startsAt = row.minute.getTime() - (row.minute.getTime() % STATS_WINDOW_MS[window]);
        const key = `${subject} ${window} ${startsAt}`;
        const rollup = rollups.get(key) ?? { subject, window, startsAt, counts: noCounts() };
        rollups.set(key, rollup);
        count(rollup.counts, row);
      }
    }
  }
  return rollups;
}

function count(counts: StatsCounts, row: TakenRow): void {
  if (row.outcome !== null) counts.attempts[row.outcome] = (counts.attempts[row.outcome] ?? 0) + row.count;
  if (row.final_status !== null)
    counts.deliveries[row.final_status] = (counts.deliveries[row.final_status] ?? 0) + row.count;
  if (row.duration_bucket !== null) addToBucket(counts.durations, row.duration_bucket, row.count);
  if (row.latency_bucket !== null) addToBucket(counts.latencies, row.latency_bucket, row.count);
}

function addToBucket(histogram: number[], bucket: number, more: number): void {
  while (histogram.length <= bucket) histogram.push(0);
  histogram[bucket] = (histogram[bucket] ?? 0) + more;
}

/** The parameters of {@link ADD_TO_ROLLUPS}. */
function columnsOf(rollups: readonly Rollup[]): unknown[] {
  const counters = rollups.map(({ counts }) => [
    ...ATTEMPT_OUTCOMES.map((outcome) => counts.attempts[outcome] ?? 0),
    ...FINAL_STATUSES_COUNTED.map((status) => counts.deliveries[status] ?? 0),
  ]);
  return [
    rollups.map(({ subject }) => subject),
    rollups.map(({ window }) => window),
    rollups.map(({ startsAt }) => new Date(startsAt)),
    ...COUNTERS.map((_, i) => counters.map((row) => row[i])),
    rollups.map(({ counts }) => `{${counts.durations.join(',')}}`),
    rollups.map(({ counts }) => `{${counts.latencies.join(',')}}`),
  ];
}
