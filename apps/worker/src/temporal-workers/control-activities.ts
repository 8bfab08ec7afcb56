import {
  createEndpointActivities,
  createMaintenanceActivities,
  createReplayActivities,
} from '@hookstream/activities';
import type { WorkerConfig } from '@hookstream/config';
import {
  CircuitsRepository,
  MaintenanceRepository,
  ReplayStepsRepository,
  type Database,
} from '@hookstream/persistence';
import { createSecretBox } from '../delivery-deps.js';
import type { ControlActivities } from './temporal-workers.js';

/** Of circuits, maintenance and replays. */
export function createControlActivities(database: Database, config: WorkerConfig): ControlActivities {
  const { retentionMs, auditRetentionMs, partitionsAheadMs } = config.retention;
  return {
    ...createEndpointActivities({ circuits: new CircuitsRepository(database.pool) }),
    ...createMaintenanceActivities({
      database,
      maintenance: new MaintenanceRepository(database.pool),
      secretBox: createSecretBox(config),
      retentionMs,
      auditRetentionMs,
      partitionsAheadMs,
      now: Date.now,
    }),
    ...createReplayActivities({ steps: new ReplayStepsRepository(database.pool), ...config.replay }),
  };
}
