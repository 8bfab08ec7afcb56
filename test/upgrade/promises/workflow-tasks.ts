import type { temporal as proto } from '@temporalio/proto';
import type { TemporalClient } from '@hookstream/temporal-client';
import { told } from '../../chaos/promises/told.js';

type HistoryEvent = proto.api.history.v1.IHistoryEvent;

const AT_ONCE = 8;
/** A signal came in while a task was being completed: it is done again with the signal. WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND */
const SIGNAL_CAME_BETWEEN = 1;

/** One run of a workflow, read to its end. */
interface ReadRun {
  workflowId: string;
  status: string;
  events: readonly HistoryEvent[];
}

/** All runs of a namespace with their histories. */
export class WorkflowRuns {
  private constructor(readonly all: readonly ReadRun[]) {}

  static async read({ client }: TemporalClient): Promise<WorkflowRuns> {
    const listed = client.workflow.list()[Symbol.asyncIterator]();
    const runs: ReadRun[] = [];
    const readOn = async (): Promise<void> => {
      for (;;) {
        const { value: next, done } = await listed.next();
        if (done) return;
        const { events } = await client.workflow.getHandle(next.workflowId, next.runId).fetchHistory();
        runs.push({ workflowId: next.workflowId, status: next.status.name, events: events ?? [] });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, readOn));
    return new WorkflowRuns(runs);
  }

  /**
   * What was broken of: every version replays what another has begun. A task that a version cannot replay fails, and a run that
   * failed for good is none that ended well. In plain words.
   */
  faults(): string[] {
    const failed = this.all.flatMap(({ workflowId, events }) =>
      events.flatMap(({ workflowTaskFailedEventAttributes: failure }) =>
        failure && Number(failure.cause) !== SIGNAL_CAME_BETWEEN
          ? [`${workflowId}, by ${failure.identity}: ${failure.failure?.message ?? String(failure.cause)}`]
          : [],
      ),
    );
    const ended = this.all.filter(({ status }) => ['FAILED', 'TERMINATED', 'TIMED_OUT'].includes(status));
    return [
      ...told('workflow tasks failed', failed),
      ...told(
        'workflows did not end well',
        ended.map(({ workflowId, status }) => `${workflowId} ${status}`),
      ),
    ];
  }

  /** Those of these workflows whose first task one process did, and whose last another. */
  handedOver(workflowIds: readonly string[], fromPid: number, toPid: number): number {
    const wanted = new Set(workflowIds);
    return this.all.filter(({ workflowId, events }) => {
      const workers = events.flatMap(
        ({ workflowTaskCompletedEventAttributes: done }) => done?.identity ?? [],
      );
      return wanted.has(workflowId) && isOf(workers[0], fromPid) && isOf(workers.at(-1), toPid);
    }).length;
  }
}

/** Workers call themselves by host, process and a random part. */
function isOf(identity: string | undefined, pid: number): boolean {
  return identity?.includes(`-${pid}-`) === true;
}
