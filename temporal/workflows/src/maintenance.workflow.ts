import type { MaintenanceActivities } from '@hookstream/contracts';
import { ActivityFailure, ApplicationFailure, isCancellation, proxyActivities } from '@temporalio/workflow';

interface MaintenanceWorkflowResult {
  partitionsCreated: number;
  partitionsDropped: number;
  idempotencyKeysPurged: number;
  secretsPurged: number;
  auditEntriesPurged: number;
  replaysPurged: number;
  statsPurged: number;
  reencrypted: number;
}

/**
 * - startToClose: dropping a partition may wait for long readers, and a purge works through many batches.
 * - retry: a database that is away is back within minutes as a rule; after an hour the next scheduled run
 *   takes over, so that a broken step is seen as a failed run and not as one that never ends.
 */
const { maintainPartitions, purgeExpired, reencryptSecrets } = proxyActivities<MaintenanceActivities>({
  startToCloseTimeout: '15 minutes',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '2 s', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** Keeps what has an end from growing. Each step runs even where another one fails. */
export async function maintenanceWorkflow(): Promise<MaintenanceWorkflowResult> {
  const failures: string[] = [];
  const attempt = async <T>(step: string, run: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await run();
    } catch (error) {
      // A cancelled run ends here; only what a step could not do is collected.
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      failures.push(`${step}: ${error.cause?.message ?? error.message}`);
      return undefined;
    }
  };
  const partitions = await attempt('partitions', maintainPartitions);
  const purged = await attempt('purge', purgeExpired);
  const encrypted = await attempt('encryption', reencryptSecrets);
  if (failures.length > 0) throw ApplicationFailure.nonRetryable(failures.join('; '), 'MaintenanceFailed');
  return {
    partitionsCreated: partitions?.created.length ?? 0,
    partitionsDropped: partitions?.dropped.length ?? 0,
    idempotencyKeysPurged: purged?.idempotencyKeys ?? 0,
    secretsPurged: purged?.secrets ?? 0,
    auditEntriesPurged: purged?.auditEntries ?? 0,
    replaysPurged: purged?.replays ?? 0,
    statsPurged: purged?.stats ?? 0,
    reencrypted: encrypted?.reencrypted ?? 0,
  };
}
