import type { PostTry } from '../../e2e/event-poster.js';
import { POST_ANSWERED_WITHIN_MS } from '../traffic/traffic.js';
import { READINESS_ANSWERS_WITHIN_MS, type ReadinessSample } from '../watch/readiness-watch.js';
import type { WorldTimeline } from '../watch/world-timeline.js';
import { told } from './told.js';

/** From so long after Postgres or Temporal has stood still, /health/ready must not say 200. Milliseconds. */
const NOT_READY_WITHIN_MS = 2_000;
/** From so long after everything was up, it must. */
export const READY_WITHIN_MS = 15_000;

const SERVERS = ['postgres', 'temporal'] as const;

/** What was broken of: readiness tells the truth, and always answers. */
export function readinessFaults(samples: readonly ReadinessSample[], timeline: WorldTimeline): string[] {
  const lies: string[] = [];
  const silent: string[] = [];
  const refused: string[] = [];
  const other: string[] = [];
  for (const { startedAt, endedAt, status, timedOut, why } of samples) {
    const away = SERVERS.find((part) => timeline.wholly(part, startedAt - NOT_READY_WITHIN_MS, endedAt));
    if (status === 200 && away) lies.push(`200 while ${away} stood still, at ${time(startedAt)}`);
    if (timedOut && timeline.isUp('api', startedAt, endedAt)) silent.push(`at ${time(startedAt)}`);
    if (status !== 200 && timeline.allUp(startedAt - READY_WITHIN_MS, endedAt))
      refused.push(`${status ?? 'no answer'} at ${time(startedAt)}: ${why ?? ''}`);
    if (status !== undefined && status !== 200 && status !== 503) other.push(`${status}`);
  }
  return [
    ...told('/health/ready said ready although it was not', lies),
    ...told(`/health/ready did not answer within ${READINESS_ANSWERS_WITHIN_MS / 1_000} s`, silent),
    ...told(
      `/health/ready did not say ready although everything was up for ${READY_WITHIN_MS / 1_000} s`,
      refused,
    ),
    ...told('/health/ready answered neither 200 nor 503', other),
  ];
}

/** What was broken of: the API takes an event or says 503, in bounded time, whatever is away. */
export function acceptFaults(tries: readonly PostTry[], timeline: WorldTimeline): string[] {
  const silent: string[] = [];
  const wrong: string[] = [];
  for (const { startedAt, endedAt, status, timedOut } of tries) {
    if (status === undefined) {
      // A connection that broke because the API was killed.
      if (!timeline.isUp('api', startedAt, endedAt)) continue;
      if (timedOut) silent.push(`at ${time(startedAt)}${awayAt(timeline, startedAt, endedAt)}`);
      else wrong.push(`no answer at ${time(startedAt)}`);
    } else if (status !== 202 && status !== 503) {
      wrong.push(`${status} at ${time(startedAt)}`);
    } else if (status === 202 && timeline.wholly('postgres', startedAt, endedAt)) {
      wrong.push(`202 while Postgres stood still, at ${time(startedAt)}`);
    }
  }
  return [
    ...told(`POST /events was not answered within ${POST_ANSWERED_WITHIN_MS / 1_000} s`, silent),
    ...told('POST /events was answered neither with 202 nor with 503, or not truly', wrong),
  ];
}

function awayAt(timeline: WorldTimeline, from: number, to: number): string {
  const away = SERVERS.filter((part) => !timeline.isUp(part, from, to));
  return away.length === 0 ? '' : ` (${away.join(' and ')} away meanwhile)`;
}

function time(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(11, 23);
}
