/** One request that arrived: `webhook-id`, and the time of the machine's monotonic clock in milliseconds. */
export interface Arrival {
  id: string;
  attempt: number;
  at: number;
}

export interface Collected {
  arrivals: Arrival[];
  signaturesVerified: number;
  signaturesWrong: number;
}

/** What the sink process can be asked. A path collects the arrivals of one round. */
export type SinkHandlers = {
  port: () => number;
  /** From now on, one in `every` requests to the path is verified with the secret. */
  verify: (input: { path: string; secret: string; every: number }) => void;
  /** From now on, requests to the path are answered with this status, after so many milliseconds. */
  answer: (input: { path: string; status: number; afterMs: number }) => void;
  /** How many different ids have arrived at the path. */
  count: (input: { path: string }) => number;
  /** All that arrived at the path; forgets it. */
  collect: (input: { path: string }) => Collected;
};
