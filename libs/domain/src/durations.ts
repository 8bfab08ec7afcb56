/** In milliseconds. */
export const HOUR_MS = 3_600_000;
/** In milliseconds. Of 24 hours: times are UTC. */
export const DAY_MS = 24 * HOUR_MS;
