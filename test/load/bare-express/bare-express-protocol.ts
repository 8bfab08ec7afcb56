export type BareExpressHandlers = {
  /** Puts as many rows into the outbox and delivers them all to the path; answers how long delivering took, in milliseconds. */
  drain: (input: { path: string; count: number; bytes: number }) => Promise<number>;
};
