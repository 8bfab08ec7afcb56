import { DomainError, STATS_KEPT_MS, STATS_WINDOW_MS, type StatsWindow } from '@hookstream/domain';

/** Steps looked at when nobody says since when. */
const DEFAULT_STEPS: Readonly<Record<StatsWindow, number>> = { minute: 60, hour: 24, day: 30 };
/** A day of minutes, two months of hours, four years of days. */
const MAX_STEPS = 1_500;

export interface StatsRange {
  window: StatsWindow;
  since: Date;
  until: Date;
  /** The start of each step, oldest first. */
  steps: Date[];
}

/**
 * The whole steps that a question covers, no older than what is kept.
 * @param daysKeptMs how long days are kept
 * @throws DomainError `validation_failed` when they are none, or more than 1,500
 */
export function statsRange(
  query: { window: StatsWindow; since?: Date | undefined; until?: Date | undefined },
  now: number,
  daysKeptMs: number,
): StatsRange {
  const { window } = query;
  const length = STATS_WINDOW_MS[window];
  const stepOf = (time: number): number => Math.floor(time / length) * length;
  if (query.since && query.since >= (query.until ?? new Date(now))) throw refused('must be before until');
  const until = stepOf((query.until?.getTime() ?? now) + length - 1);
  const oldest = stepOf(now - (window === 'day' ? daysKeptMs : STATS_KEPT_MS[window]));
  const asked = stepOf(query.since?.getTime() ?? until - DEFAULT_STEPS[window] * length);
  const since = Math.min(Math.max(asked, oldest), until);
  const count = (until - since) / length;
  if (count > MAX_STEPS) throw refused(`must be at most ${MAX_STEPS} ${window}s before until`);
  const steps = Array.from({ length: count }, (_, step) => new Date(since + step * length));
  return { window, since: new Date(since), until: new Date(until), steps };
}

function refused(message: string): DomainError {
  return new DomainError('validation_failed', 'The time asked for is not valid.', [
    { field: 'since', message },
  ]);
}
