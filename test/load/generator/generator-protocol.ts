import type { PosterOptions } from './event-poster.js';
import type { LoadResult } from './load-loops.js';

/** What the generator process can be asked to post. */
export type GeneratorHandlers = {
  /** Over all connections, each posting again as soon as it is answered. Ends after `count`, or after `maxMs`. */
  closedLoop: (input: PosterOptions & { count: number; maxMs: number }) => Promise<LoadResult>;
  /** At a steady pace, whether or not answers come. */
  openLoop: (input: PosterOptions & { count: number; perSecond: number }) => Promise<LoadResult>;
};
