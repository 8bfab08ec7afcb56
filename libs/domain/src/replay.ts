import type { DeliveryStatus } from './states.js';

/**
 * Of a replay. `counting`: finds how many deliveries it is about. `running`: queues them, page by page. `paused` by a person, in
 * either. `completed` when all are queued, `cancelled` when a person ended it before.
 */
export const REPLAY_STATUSES = ['counting', 'running', 'paused', 'completed', 'cancelled'] as const;
export type ReplayStatus = (typeof REPLAY_STATUSES)[number];

export const ENDED_REPLAY_STATUSES: readonly ReplayStatus[] = ['completed', 'cancelled'];

/** What a person can ask of a replay that has not ended. */
export const REPLAY_WISHES = ['pause', 'resume', 'cancel'] as const;
export type ReplayWish = (typeof REPLAY_WISHES)[number];

/** Whether a replay stands as wished, so that nothing is left to do for it. */
export function isReplayWishMet(wish: ReplayWish, status: ReplayStatus): boolean {
  switch (wish) {
    case 'pause':
      return status === 'paused';
    case 'resume':
      return status === 'counting' || status === 'running';
    case 'cancel':
      return status === 'cancelled';
  }
}

/** Deliveries that a replay can be about: `pending` and `in_progress` ones are on their way by themselves. */
export const REPLAYABLE_STATUSES = [
  'succeeded',
  'dead_letter',
  'retrying',
  'cancelled',
] as const satisfies DeliveryStatus[];
export type ReplayableStatus = (typeof REPLAYABLE_STATUSES)[number];

/** Where none is named. Cancelled deliveries were given up by somebody: they go only where they are asked for. */
export const REPLAYED_BY_DEFAULT: readonly ReplayableStatus[] = ['succeeded', 'dead_letter', 'retrying'];

/** Why a delivery that a replay met cannot go out again. */
export const REPLAY_FAILURES = ['endpoint_deleted', 'payload_expired'] as const;
export type ReplayFailure = (typeof REPLAY_FAILURES)[number];

/** Events that Hookstream makes to probe an endpoint. They say nothing to a receiver later, so no replay is about them. */
export const PROBE_EVENT_TYPE = { test: 'endpoint.test', verification: 'endpoint.verification' } as const;

/** Replays of one tenant that have not ended. */
export const MAX_UNFINISHED_REPLAYS = 20;
