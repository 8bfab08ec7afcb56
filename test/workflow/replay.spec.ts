// Real: the Temporal server, the worker, the workflow bundle, the starter. Scripted: what the replay's activities answer.
import {
  replayProgress,
  type ReplayActivities,
  type ReplayProgress,
  type ReplayStep,
} from '@hookstream/contracts';
import { newId, type ReplayStatus, type ReplayWish } from '@hookstream/domain';
import {
  ensureNamespace,
  ensureSearchAttributes,
  ReplayStarter,
  type WorkerTemporalClient,
} from '@hookstream/temporal-client';
import { connectTestTemporal, eventually, uniqueTaskQueue } from '@hookstream/testing';
import { workflowBundlePath } from '@hookstream/workflows/bundle';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';

const PAGE = 10;
const STATUS_AFTER: Record<ReplayWish, ReplayStatus> = {
  pause: 'paused',
  resume: 'running',
  cancel: 'cancelled',
};

/** A replay's row, and how its steps move it, as the real activities do in Postgres. */
class ScriptedReplay {
  readonly calls: string[] = [];
  progress: ReplayProgress = { status: 'counting', total: 0, done: 0, failed: 0 };
  /** What a page meets: no room that many times. */
  full = 0;
  failures = 0;
  /** Called before each page. */
  beforePage: () => Promise<void> | void = () => undefined;

  constructor(private readonly deliveries: number) {}

  count(): ReplayStep {
    this.calls.push('count');
    if (this.progress.status === 'counting') this.set({ status: 'running', total: this.deliveries });
    return this.step();
  }

  async page(): Promise<ReplayStep> {
    await this.beforePage();
    this.calls.push('page');
    if (this.failures-- > 0) throw new Error('the database is away');
    if (this.progress.status !== 'running') return this.step();
    if (this.full-- > 0) return { ...this.step(), full: true };
    const done = Math.min(this.progress.done + PAGE, this.deliveries);
    this.set({ done, status: done === this.deliveries ? 'completed' : 'running' });
    return this.step();
  }

  change(wish: ReplayWish): ReplayStep {
    this.calls.push(wish);
    if (!['completed', 'cancelled'].includes(this.progress.status)) this.set({ status: STATUS_AFTER[wish] });
    return this.step();
  }

  private set(change: Partial<ReplayProgress>): void {
    this.progress = { ...this.progress, ...change };
  }

  private step(): ReplayStep {
    return { progress: { ...this.progress }, full: false };
  }
}

describe('replayWorkflow', () => {
  const taskQueue = uniqueTaskQueue('replay');
  const replays = new Map<string, ScriptedReplay>();
  let temporal: WorkerTemporalClient;
  let starter: ReplayStarter;
  let stopWorker: () => Promise<void>;

  const of = (replayId: string): ScriptedReplay => {
    const replay = replays.get(replayId);
    if (replay === undefined) throw new Error(`no script for ${replayId}`);
    return replay;
  };
  const activities: ReplayActivities = {
    countReplay: ({ replayId }) => Promise.resolve(of(replayId).count()),
    replayPage: ({ replayId }) => of(replayId).page(),
    changeReplay: ({ replayId, wish }) => Promise.resolve(of(replayId).change(wish)),
  };

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    temporal = await connectTestTemporal();
    await ensureNamespace(temporal, { retentionMs: 86_400_000 });
    await ensureSearchAttributes(temporal);
    starter = new ReplayStarter(temporal, { taskQueue });
    stopWorker = await startWorker();
  }, 60_000);
  afterAll(async () => {
    await stopWorker();
    await temporal.close();
  });

  const startWorker = async () => {
    const worker = await Worker.create({
      connection: temporal.nativeConnection,
      namespace: temporal.namespace,
      taskQueue,
      workflowBundle: { codePath: workflowBundlePath },
      activities,
    });
    const running = worker.run();
    return async (): Promise<void> => {
      worker.shutdown();
      await running;
    };
  };

  const scripted = (deliveries: number) => {
    const replay = new ScriptedReplay(deliveries);
    const start = { replayId: newId('replay'), tenantId: newId('tenant') };
    replays.set(start.replayId, replay);
    return { replay, start, handle: temporal.client.workflow.getHandle(start.replayId) };
  };
  const progressOf = (replayId: string): Promise<ReplayProgress> =>
    temporal.client.workflow.getHandle(replayId).query(replayProgress);
  const reaches = (replayId: string, status: ReplayStatus) =>
    eventually(async () => (await progressOf(replayId)).status === status);

  it('counts, queues page by page and tells how far it is, while running and when closed', async () => {
    const { replay, start, handle } = scripted(35);
    await starter.start(start);
    expect(await handle.result()).toEqual({ status: 'completed', total: 35, done: 35, failed: 0 });
    expect(replay.calls).toEqual(['count', 'page', 'page', 'page', 'page']);
    expect(await progressOf(start.replayId)).toEqual({ status: 'completed', total: 35, done: 35, failed: 0 });
  });

  it('is started once, however often it is asked for', async () => {
    const { replay, start, handle } = scripted(30);
    await Promise.all([starter.start(start), starter.start(start), starter.start(start)]);
    await handle.result();
    expect(replay.calls.filter((call) => call === 'count')).toHaveLength(1);
  });

  it('pauses, tells so, and goes on at resume', async () => {
    const { replay, start, handle } = scripted(40);
    replay.beforePage = async () => {
      if (replay.progress.done === 20) await starter.signal(start, 'pause');
    };
    await starter.start(start);
    await reaches(start.replayId, 'paused');
    const { done } = await progressOf(start.replayId);
    expect(done).toBeLessThan(40);
    const pages = replay.calls.length;
    replay.beforePage = () => undefined;
    await starter.signal(start, 'resume');
    expect(await handle.result()).toMatchObject({ status: 'completed', done: 40 });
    expect(replay.calls.slice(pages, pages + 2)).toEqual(['resume', 'page']);
  });

  it('follows what was asked last, also before its first task', async () => {
    const { replay, start } = scripted(1_000);
    replay.full = Infinity;
    await stopWorker();
    await starter.start(start);
    for (const wish of ['pause', 'resume', 'pause'] as const) await starter.signal(start, wish);
    stopWorker = await startWorker();
    await eventually(() => replay.calls.length === 3);
    expect(replay.calls).toEqual(['pause', 'resume', 'pause']);
    await reaches(start.replayId, 'paused');
    await starter.signal(start, 'cancel');
  });

  it('is cancelled by the signal, also while paused', async () => {
    const { replay, start, handle } = scripted(1_000);
    replay.full = Infinity;
    await starter.start(start);
    await starter.signal(start, 'pause');
    await reaches(start.replayId, 'paused');
    await starter.signal(start, 'cancel');
    expect(await handle.result()).toMatchObject({ status: 'cancelled', done: 0 });
    expect(replay.progress.status).toBe('cancelled');
  });

  it('brings a cancellation in Temporal into its row before it ends', async () => {
    const { replay, start, handle } = scripted(1_000);
    replay.full = Infinity;
    await starter.start(start);
    await eventually(() => replay.calls.includes('page'));
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ status: 'cancelled' });
    expect(replay.progress.status).toBe('cancelled');
  });

  it('follows its row where that was paused and cancelled without a signal', async () => {
    const { replay, start, handle } = scripted(1_000);
    replay.beforePage = () => {
      if (replay.progress.done === 20) replay.progress = { ...replay.progress, status: 'cancelled' };
    };
    await starter.start(start);
    expect(await handle.result()).toMatchObject({ status: 'cancelled', done: 20 });
  });

  it('waits for room, longer each time, and no longer once there was some', async () => {
    const { replay, start, handle } = scripted(30);
    replay.full = 3;
    replay.beforePage = () => {
      if (replay.progress.done === 10 && replay.full < 0) replay.full = 1;
    };
    await starter.start(start);
    await eventually(() => replay.progress.done >= 10);
    replay.beforePage = () => undefined;
    await handle.result();
    const { events = [] } = await handle.fetchHistory();
    const waits = (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) => {
      const wait = timer?.startToFireTimeout;
      return wait ? [Number(wait.seconds ?? 0) * 1_000 + (wait.nanos ?? 0) / 1e6] : [];
    });
    expect(waits.slice(0, 3)).toEqual([250, 500, 1_000]);
    expect(waits[3] ?? 250).toBe(250);
  });

  it('outlasts a database that is away', async () => {
    const { replay, start, handle } = scripted(20);
    replay.failures = 2;
    await starter.start(start);
    expect(await handle.result()).toMatchObject({ status: 'completed', done: 20 });
    expect(replay.calls).toEqual(['count', 'page', 'page', 'page', 'page']);
  });

  it('continues as new again and again without losing its place, its progress or a wish', async () => {
    const { replay, start, handle } = scripted(200);
    replay.beforePage = async () => {
      if (replay.progress.done === 100) await starter.signal(start, 'pause');
    };
    await temporal.client.workflow.start('replayWorkflow', {
      args: [{ replayId: start.replayId, stepsPerRun: 3 }],
      workflowId: start.replayId,
      taskQueue,
    });
    await reaches(start.replayId, 'paused');
    replay.beforePage = () => undefined;
    await starter.signal(start, 'resume');
    expect(await handle.result()).toEqual({ status: 'completed', total: 200, done: 200, failed: 0 });
    const steps = replay.calls.length;
    let runs = 0;
    let longest = 0;
    const ofReplay = `WorkflowId = '${start.replayId}'`;
    await eventually(async () => {
      [runs, longest] = [0, 0];
      for await (const { runId } of temporal.client.workflow.list({ query: ofReplay })) {
        const { events } = await temporal.client.workflow.getHandle(start.replayId, runId).fetchHistory();
        runs += 1;
        longest = Math.max(longest, events?.length ?? 0);
      }
      // visibility is told of a run a moment late; a wish lets a run take a step more
      return runs >= Math.floor(steps / 4);
    });
    expect(runs).toBeGreaterThan(4);
    expect(replay.calls.filter((call) => call === 'count')).toHaveLength(1);
    expect(longest).toBeLessThan(60);
  });

  it('needs few enough events a step that a run of 200 stays far below the 10,240 of a warning', async () => {
    const { replay, start, handle } = scripted(20 * PAGE);
    replay.beforePage = () => {
      if (replay.full < 0) replay.full = 1; // a wait after each page: the most a step costs
    };
    await starter.start(start);
    await eventually(() => replay.progress.done >= 10 * PAGE, { timeoutMs: 30_000 });
    replay.beforePage = () => undefined;
    await handle.result();
    const { events } = await handle.fetchHistory();
    const perStep = (events?.length ?? 0) / replay.calls.length;
    expect(perStep).toBeLessThan(17);
    expect(perStep * 200).toBeLessThan(10_240 / 2);
  }, 60_000);
});
