import type { TemporalConfig } from '@hookstream/config';
import type { Logger } from '@hookstream/observability';
import {
  connectTemporalWorker,
  ensureNamespace,
  ensureSearchAttributes,
  type WorkerTemporalClient,
} from '@hookstream/temporal-client';
import { untilAvailable } from '../until-available.js';

/** Waits for Temporal. */
export function openWorkerTemporal(config: TemporalConfig, logger: Logger): Promise<WorkerTemporalClient> {
  return untilAvailable('Temporal', logger, () => connectTemporalWorker(config));
}

/** Makes the namespace and its search attributes where they are missing. */
export function untilNamespaceServed(
  temporal: WorkerTemporalClient,
  { retentionMs }: TemporalConfig,
  logger: Logger,
): Promise<void> {
  return untilAvailable('the Temporal namespace', logger, async () => {
    await ensureNamespace(temporal, { retentionMs });
    await ensureSearchAttributes(temporal);
  });
}
