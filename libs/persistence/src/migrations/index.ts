import { Initial1763800000000 } from './1763800000000-initial.js';
import { AuditLog1763900400000 } from './1763900400000-audit-log.js';

/** In order. A released migration is never edited. */
export const MIGRATIONS = [Initial1763800000000, AuditLog1763900400000];
