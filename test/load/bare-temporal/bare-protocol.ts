import type { LoadResult } from '../generator/load-loops.js';

export interface BareActivities {
  post(input: { path: string; id: string }): Promise<void>;
}

export type BareHandlers = {
  closedLoop: (input: {
    path: string;
    count: number;
    concurrency: number;
    maxMs: number;
  }) => Promise<LoadResult>;
  openLoop: (input: { path: string; count: number; perSecond: number }) => Promise<LoadResult>;
};
