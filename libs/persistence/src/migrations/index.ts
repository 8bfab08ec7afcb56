import { Initial1763800000000 } from './1763800000000-initial.js';
import { DispatchLimits1763900000000 } from './1763900000000-dispatch-limits.js';
import { Circuits1763900100000 } from './1763900100000-circuits.js';
import { EndpointFilters1763900200000 } from './1763900200000-endpoint-filters.js';
import { EventTypes1763900200001 } from './1763900200001-event-types.js';
import { TenantLimits1763900200002 } from './1763900200002-tenant-limits.js';
import { Replays1763900300000 } from './1763900300000-replays.js';
import { Ordering1763900000001 } from './1763900000001-ordering.js';
import { AuditLog1763900400000 } from './1763900400000-audit-log.js';
import { Stats1763900400001 } from './1763900400001-stats.js';
import { EndpointsVersion1763900500000 } from './1763900500000-endpoints-version.js';
import { Lanes1763900600000 } from './1763900600000-lanes.js';
import { HalfOpenCircuits1763900700000 } from './1763900700000-half-open-circuits.js';
import { OutboxEvents1763900800000 } from './1763900800000-outbox-events.js';
import { EventTraces1763900900000 } from './1763900900000-event-traces.js';
import { LimitedGates1763901000000 } from './1763901000000-limited-gates.js';

/** In order. A released migration is never edited. */
export const MIGRATIONS = [
  Initial1763800000000,
  DispatchLimits1763900000000,
  Ordering1763900000001,
  Circuits1763900100000,
  EndpointFilters1763900200000,
  EventTypes1763900200001,
  TenantLimits1763900200002,
  Replays1763900300000,
  AuditLog1763900400000,
  Stats1763900400001,
  EndpointsVersion1763900500000,
  Lanes1763900600000,
  HalfOpenCircuits1763900700000,
  OutboxEvents1763900800000,
  EventTraces1763900900000,
  LimitedGates1763901000000,
];
