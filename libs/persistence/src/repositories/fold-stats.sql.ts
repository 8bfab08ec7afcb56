import { ATTEMPT_OUTCOMES, FINAL_STATUSES_COUNTED } from '@hookstream/domain';

/** The counters of a rollup, in the order that {@link ADD_TO_ROLLUPS} takes them. */
export const COUNTERS = [
  ...ATTEMPT_OUTCOMES.map((outcome) => `attempts_${outcome}`),
  ...FINAL_STATUSES_COUNTED.map((status) => `deliveries_${status}`),
];

/**
 * For a statement that has a CTE `cancelled` with `tenant_id` and `endpoint_id` of the deliveries it cancelled: a further CTE that counts
 * them, in the transaction that cancels them.
 */
export const COUNT_CANCELLED = `
  INSERT INTO stats_queue (tenant_id, endpoint_id, ended_at, final_status, count)
  SELECT tenant_id, endpoint_id, now(), 'cancelled', count(*) FROM cancelled GROUP BY tenant_id, endpoint_id`;

/**
 * Takes up to $1 entries out of the queue and answers them counted, by minute, along one dimension at a time: a row has a value in
 * the one of `outcome`, `final_status`, `duration_bucket` and `latency_bucket` that it counts.
 */
export const TAKE_FROM_QUEUE = `
  WITH taken AS (
    DELETE FROM stats_queue WHERE id = ANY (ARRAY(SELECT id FROM stats_queue ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING tenant_id, endpoint_id, date_trunc('minute', ended_at, 'UTC') AS minute, outcome, final_status, duration_bucket, latency_bucket, count
  )
  SELECT tenant_id, endpoint_id, minute, outcome, final_status, duration_bucket, latency_bucket, sum(count)::int AS count,
         (SELECT count(*)::int FROM taken) AS taken
    FROM taken
   GROUP BY GROUPING SETS (
     (tenant_id, endpoint_id, minute, outcome), (tenant_id, endpoint_id, minute, final_status),
     (tenant_id, endpoint_id, minute, duration_bucket), (tenant_id, endpoint_id, minute, latency_bucket)
   )`;

/** A histogram of one more: a bucket stops at the most that an integer holds. */
const added = (histogram: string): string => `(
  SELECT coalesce(array_agg(least(coalesce(a, 0)::bigint + coalesce(b, 0), 2147483647)::integer ORDER BY n), '{}')
    FROM unnest(stats.${histogram}, excluded.${histogram}) WITH ORDINALITY AS both_of (a, b, n))`;

/** $1 subjects, $2 periods, $3 starts, $4… one array for each of {@link COUNTERS}, then durations and latencies as array literals. */
export const ADD_TO_ROLLUPS = `
  INSERT INTO stats (subject_id, period, starts_at, ${COUNTERS.join(', ')}, durations, latencies)
  SELECT subject_id, period, starts_at, ${COUNTERS.join(', ')}, durations::integer[], latencies::integer[]
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[],
                ${COUNTERS.map((_, i) => `$${i + 4}::bigint[]`).join(', ')},
                $${COUNTERS.length + 4}::text[], $${COUNTERS.length + 5}::text[])
         AS more (subject_id, period, starts_at, ${COUNTERS.join(', ')}, durations, latencies)
   ORDER BY subject_id, period, starts_at
  ON CONFLICT (subject_id, period, starts_at) DO UPDATE SET
    ${COUNTERS.map((counter) => `${counter} = stats.${counter} + excluded.${counter}`).join(', ')},
    durations = ${added('durations')}, latencies = ${added('latencies')}`;
