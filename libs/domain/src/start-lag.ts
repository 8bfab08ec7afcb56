import { HOUR_MS } from './durations.js';
/** The part of the newest start in what starts take now, and in the longer average that shows what they take at rest. */
const NEWEST_RECENT = 1 / 8;
const NEWEST_SETTLED = 1 / 64;
/** How fast what counts as rest rises, by the hour: a Temporal that moved further away is found out, a worker that is busy all day is not. */
const REST_RISES_PER_HOUR = 2;
/** Shorter than this, in milliseconds, no lag is worth keeping anybody back. */
const LEAST_REST_MS = 10;
/** Starts may take this many times as long as at rest before who can wait is kept back; beyond, its pace sinks by the gain. */
const TOLERATED = 1.25;
const GAIN = 4;
const MOST_KEPT_BACK = 8;

/** What starts take in one worker, from the call to Temporal until the attempt begins, in milliseconds. */
export interface StartLag {
  recentMs: number;
  settledMs: number;
  restMs: number;
  /** Of the newest start, on the caller's clock. */
  at: number;
}

export function lagWith(lag: StartLag | undefined, tookMs: number, now: number): StartLag {
  if (lag === undefined) return { recentMs: tookMs, settledMs: tookMs, restMs: tookMs, at: now };
  const recentMs = lag.recentMs + (tookMs - lag.recentMs) * NEWEST_RECENT;
  const settledMs = lag.settledMs + (tookMs - lag.settledMs) * NEWEST_SETTLED;
  const risen = lag.restMs * REST_RISES_PER_HOUR ** ((now - lag.at) / HOUR_MS);
  return { recentMs, settledMs, restMs: Math.min(settledMs, risen), at: now };
}

/**
 * By how much starts that can wait are to be spread further, from 1 to {@link MOST_KEPT_BACK}: worker and Temporal take longer
 * over every start the more they have to do, well before they are full.
 */
export function keptBack(lag: StartLag | undefined): number {
  if (lag === undefined) return 1;
  const longer = lag.recentMs / Math.max(lag.restMs, LEAST_REST_MS);
  return Math.min(MOST_KEPT_BACK, Math.max(1, 1 + GAIN * (longer - TOLERATED)));
}
