import { SCHEDULE_ID, TASK_QUEUE, WORKFLOW } from '@hookstream/contracts';
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { TemporalClient } from './temporal-client.js';
import { callTemporal } from './temporal-errors.js';

export interface MaintenanceScheduleOptions {
  /** Milliseconds between runs. */
  everyMs: number;
  /** Default `hookstream-control`. */
  taskQueue?: string;
  /** Default `hookstream-maintenance`. */
  scheduleId?: string;
}

/**
 * Creates the Schedule that runs maintenance, which then runs once at once, or brings an existing one up to
 * date. Whether somebody paused it stays as it is.
 * @throws DomainError `temporal_unavailable`
 */
export async function ensureMaintenanceSchedule(
  temporal: TemporalClient,
  options: MaintenanceScheduleOptions,
): Promise<'created' | 'updated'> {
  const scheduleId = options.scheduleId ?? SCHEDULE_ID.maintenance;
  const definition = {
    spec: { intervals: [{ every: options.everyMs }] },
    action: {
      type: 'startWorkflow' as const,
      workflowType: WORKFLOW.maintenance,
      workflowId: scheduleId,
      taskQueue: options.taskQueue ?? TASK_QUEUE.control,
      args: [],
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      // After an outage one run makes good for all that were missed.
      catchupWindow: Math.max(options.everyMs, 60_000),
    },
  };
  const { schedule } = temporal.client;
  return callTemporal(async () => {
    try {
      await schedule.create({ scheduleId, ...definition, state: { triggerImmediately: true } });
      return 'created';
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
    await schedule.getHandle(scheduleId).update((current) => ({
      ...definition,
      state: {
        paused: current.state.paused,
        ...(current.state.note === undefined ? {} : { note: current.state.note }),
      },
    }));
    return 'updated';
  });
}
