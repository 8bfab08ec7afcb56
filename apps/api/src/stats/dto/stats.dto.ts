import { ATTEMPT_OUTCOMES, FINAL_STATUSES_COUNTED, STATS_WINDOWS } from '@hookstream/domain';
import { z } from 'zod';
import { answeredTime, timestamp } from '../../http/fields.dto.js';

export const StatsQuerySchema = z.strictObject({
  window: z.enum(STATS_WINDOWS).default('hour').meta({
    description: 'The length of a step of the series. Minutes are kept for 48 hours, hours for 30 days.',
  }),
  since: timestamp.optional().meta({
    description:
      'Default: 60 minutes, 24 hours or 30 days before `until`, by `window`. Moved to the start of its step.',
  }),
  until: timestamp.optional().meta({ description: 'Default: now. Moved to the end of its step.' }),
});
export type StatsQuery = z.output<typeof StatsQuerySchema>;

const count = z.int().min(0);
const share = z.number().min(0).max(1).nullable();
const counts = <K extends string>(names: readonly K[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, count])) as Record<K, typeof count>);

const PercentilesSchema = z
  .object({ p50: z.number(), p95: z.number(), p99: z.number() })
  .meta({ id: 'Percentiles', examples: [{ p50: 84.2, p95: 310, p99: 1240 }] });
const percentiles = PercentilesSchema.nullable().meta({
  description: 'Milliseconds, at most 5 % off; null where nothing was counted.',
});

const figures = {
  attempts: z.object({
    total: count,
    by_outcome: counts(ATTEMPT_OUTCOMES),
    success_rate: share.meta({ description: 'Of all attempts, 0 to 1; null where there were none.' }),
    duration_ms: percentiles,
  }),
  deliveries: z.object({
    total: count.meta({ description: 'That ended. One that is replayed and ends again counts again.' }),
    by_status: counts(FINAL_STATUSES_COUNTED),
    success_rate: share.meta({
      description: 'Succeeded of succeeded and dead-lettered, 0 to 1; null where there were none.',
    }),
    latency_ms: percentiles.meta({ description: 'From accept (or `deliver_at`) to success, replays aside.' }),
  }),
};
const example = {
  attempts: {
    total: 412,
    by_outcome: {
      succeeded: 405,
      http_error: 5,
      timeout: 2,
      connection_error: 0,
      tls_error: 0,
      dns_error: 0,
      blocked_address: 0,
      response_too_large: 0,
    },
    success_rate: 0.983,
    duration_ms: { p50: 84.2, p95: 310, p99: 1240 },
  },
  deliveries: {
    total: 405,
    by_status: { succeeded: 405, dead_letter: 0, cancelled: 0 },
    success_rate: 1,
    latency_ms: { p50: 97.1, p95: 390, p99: 31200 },
  },
};

const FiguresSchema = z.object(figures).meta({ id: 'StatsFigures', examples: [example] });
const StepSchema = z
  .object({ starts_at: answeredTime, ...figures })
  .meta({ id: 'StatsStep', examples: [{ starts_at: '2026-01-31T09:00:00.000Z', ...example }] });

export const StatsSchema = z
  .object({
    window: z.enum(STATS_WINDOWS),
    since: answeredTime.meta({
      description: 'The start of the first step: later than asked for where no more is kept.',
    }),
    until: answeredTime.meta({ description: 'The end of the last step.' }),
    totals: FiguresSchema,
    series: z.array(StepSchema).meta({ description: 'Every step from `since` to `until`, oldest first.' }),
  })
  .meta({
    id: 'Stats',
    examples: [
      {
        window: 'hour',
        since: '2026-01-31T09:00:00.000Z',
        until: '2026-01-31T10:00:00.000Z',
        totals: example,
        series: [{ starts_at: '2026-01-31T09:00:00.000Z', ...example }],
      },
    ],
  });
export type StatsAnswer = z.input<typeof StatsSchema>;
export type FiguresAnswer = z.input<typeof FiguresSchema>;
