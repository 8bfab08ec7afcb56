/**
 * A condition that always holds. Nobody waits for the disk then when the statement commits; for what comes about again by itself where Postgres
 * crashes before it is written. What is recorded of an attempt comes later and does wait, and with it all that was committed before is on the disk.
 */
export const COMMITS_AT_ONCE = `set_config('synchronous_commit', 'off', true) IS NOT NULL`;
