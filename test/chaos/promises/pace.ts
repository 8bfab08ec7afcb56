import { PACE } from '../traffic/targets.js';
import { told } from './told.js';

const WINDOW_MS = 5_000;

/**
 * What was broken of: the rate limit holds whatever dies. In every window of some seconds no more arrive than the rate and the burst let go,
 * and what was under way when a server stood still comes at once when it goes on.
 * @param times of arrival, Unix ms
 */
export function paceFaults(times: readonly number[]): string[] {
  const most = (PACE.perSecond * WINDOW_MS) / 1_000 + PACE.burst + PACE.inFlight;
  const sorted = [...times].sort((a, b) => a - b);
  let worst = 0;
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while ((sorted[last] as number) - (sorted[first] as number) > WINDOW_MS) first++;
    worst = Math.max(worst, last - first + 1);
  }
  if (worst <= most) return [];
  return told('rate limit exceeded', [
    `${worst} requests within ${WINDOW_MS / 1_000} s where ${most} are the most`,
  ]);
}
