import type { ReplayActivities, ReplayStep } from '@hookstream/contracts';
import type { ReplayStanding, ReplayStepsRepository } from '@hookstream/persistence';

export interface ReplayActivityDeps {
  steps: Pick<ReplayStepsRepository, 'count' | 'page' | 'change'>;
  /** Deliveries that one page queues at most. */
  pageSize: number;
  /** Replayed deliveries of a tenant that may wait to go out at a time. */
  waitingMax: number;
}

/** Deliveries that one statement reads, whether they match or not: some tenths of a second. */
const COUNT_SCAN = 50_000;
const PAGE_SCAN = 20_000;

export function createReplayActivities({
  steps,
  pageSize,
  waitingMax,
}: ReplayActivityDeps): ReplayActivities {
  return {
    countReplay: async ({ replayId }) => step(await steps.count(replayId, COUNT_SCAN)),
    replayPage: async ({ replayId }) => {
      const { full, ...standing } = await steps.page(replayId, {
        pageSize,
        waitingMax,
        scanLimit: Math.max(PAGE_SCAN, pageSize),
      });
      return step(standing, full);
    },
    changeReplay: async ({ replayId, wish }) => step(await steps.change(replayId, wish)),
  };
}

function step({ status, total, done, failed }: ReplayStanding, full = false): ReplayStep {
  return { progress: { status, total, done, failed }, full };
}
