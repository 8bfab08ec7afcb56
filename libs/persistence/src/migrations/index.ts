import { Initial1763800000000 } from './1763800000000-initial.js';

/** In order. A released migration is never edited. */
export const MIGRATIONS = [Initial1763800000000];
