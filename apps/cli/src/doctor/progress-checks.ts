import { DispatchProgressRepository, type Database } from '@hookstream/persistence';
import { failed, ok, type Finding } from './finding.js';

/** A worker tells of itself every few seconds. Milliseconds. */
const SEEN_WITHIN_MS = 15_000;
/** As readiness has it unless it is set otherwise. Milliseconds. */
const LAG_BOUND_MS = 30_000;

/** Whether workers are there and what is due goes out. */
export async function examineProgress(database: Database): Promise<Finding> {
  const { workers, lastDispatchMs, oldestWaitingMs } = await new DispatchProgressRepository(database).read(
    SEEN_WITHIN_MS,
  );
  const waiting = `${Math.round(oldestWaitingMs / 1_000)} s`;
  if (workers === 0)
    return failed(
      'workers',
      `none was seen for ${SEEN_WITHIN_MS / 1_000} s${oldestWaitingMs > 0 ? `; a delivery has waited for ${waiting}` : ''}`,
      'Start a worker with the same DATABASE_URL; one that runs says in its log what it waits for.',
    );
  const dispatched = lastDispatchMs !== null && lastDispatchMs <= LAG_BOUND_MS;
  if (oldestWaitingMs > LAG_BOUND_MS && !dispatched)
    return failed(
      'workers',
      `${workers} alive, but a delivery has been due for ${waiting} and none goes out`,
      'Look into the workers’ log (Temporal refused or unreachable from there?), then start them anew.',
    );
  return ok('workers', `${workers} alive, the oldest delivery that could go has waited for ${waiting}`);
}
