// Real: the Temporal server with its Schedules, the worker, the workflow bundle.
// Scripted: what the maintenance activities answer.
import type { MaintenanceActivities } from '@hookstream/contracts';
import {
  ensureMaintenanceSchedule,
  ensureNamespace,
  type WorkerTemporalClient,
} from '@hookstream/temporal-client';
import { connectTestTemporal, eventually, uniqueTaskQueue } from '@hookstream/testing';
import { workflowBundlePath } from '@hookstream/workflows/bundle';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';

describe('maintenance', () => {
  const taskQueue = uniqueTaskQueue('maintenance');
  const done: string[] = [];
  let broken = false;
  let temporal: WorkerTemporalClient;
  let worker: Worker;
  let running: Promise<void>;

  const activities: MaintenanceActivities = {
    maintainPartitions: () => {
      if (broken) throw ApplicationFailure.nonRetryable('no room left');
      done.push('partitions');
      return Promise.resolve({
        created: ['events_20260504', 'events_20260505'],
        dropped: ['events_20260401'],
      });
    },
    purgeExpired: () => {
      done.push('purge');
      return Promise.resolve({ idempotencyKeys: 7, secrets: 1, auditEntries: 2, replays: 3, stats: 3 });
    },
    reencryptSecrets: () => {
      done.push('encryption');
      return Promise.resolve({ reencrypted: 3 });
    },
  };

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    temporal = await connectTestTemporal();
    await ensureNamespace(temporal, { retentionMs: 86_400_000 });
    worker = await Worker.create({
      connection: temporal.nativeConnection,
      namespace: temporal.namespace,
      taskQueue,
      workflowBundle: { codePath: workflowBundlePath },
      activities,
    });
    running = worker.run();
  }, 60_000);

  afterAll(async () => {
    worker.shutdown();
    await running;
    await temporal.close();
  });

  beforeEach(() => {
    broken = false;
    done.length = 0;
  });

  const run = () =>
    temporal.client.workflow.execute('maintenanceWorkflow', {
      taskQueue,
      workflowId: uniqueTaskQueue('run'),
    });

  it('runs every step and says what it did', async () => {
    expect(await run()).toEqual({
      partitionsCreated: 2,
      partitionsDropped: 1,
      idempotencyKeysPurged: 7,
      secretsPurged: 1,
      auditEntriesPurged: 2,
      replaysPurged: 3,
      statsPurged: 3,
      reencrypted: 3,
    });
    expect(done).toEqual(['partitions', 'purge', 'encryption']);
  });

  it('runs the other steps where one fails, and fails at the end', async () => {
    broken = true;
    await expect(run()).rejects.toMatchObject({ cause: { message: 'partitions: no room left' } });
    expect(done).toEqual(['purge', 'encryption']);
  });

  it('is scheduled: once at creation, then by interval; a second call brings it up to date', async () => {
    const scheduleId = uniqueTaskQueue('schedule');
    expect(await ensureMaintenanceSchedule(temporal, { everyMs: 3_600_000, taskQueue, scheduleId })).toBe(
      'created',
    );
    await eventually(() => done.includes('encryption'));
    const schedule = temporal.client.schedule.getHandle(scheduleId);
    await schedule.pause('paused by the operator');

    expect(await ensureMaintenanceSchedule(temporal, { everyMs: 7_200_000, taskQueue, scheduleId })).toBe(
      'updated',
    );
    const described = await schedule.describe();
    expect(described.spec.intervals).toMatchObject([{ every: 7_200_000 }]);
    expect(described.policies).toMatchObject({
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: 7_200_000,
    });
    expect(described.action).toMatchObject({ workflowType: 'maintenanceWorkflow', taskQueue });
    expect(described.state).toMatchObject({ paused: true, note: 'paused by the operator' });
    expect(done.filter((step) => step === 'partitions')).toHaveLength(1);
    await schedule.delete();
  });
});
