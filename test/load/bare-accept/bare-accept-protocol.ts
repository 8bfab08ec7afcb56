export type BareAcceptHandlers = {
  port: () => number;
  /** How many events it has stored. */
  stored: () => Promise<number>;
};
