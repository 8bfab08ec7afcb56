// Real: the Temporal server, the worker, the workflow bundle, the starter with its signals.
// Scripted: what the activities answer; nothing is sent and nothing is stored in Postgres.
import { newId } from '@hookstream/domain';
import { eventually } from '@hookstream/testing';
import { exhausts, fails, gated, ScriptedDeliveries, succeeds, timersOf } from './scripted-deliveries.js';

describe('what people ask of deliveryWorkflow', () => {
  let deliveries: ScriptedDeliveries;
  beforeAll(async () => {
    deliveries = await ScriptedDeliveries.open('signals');
  }, 60_000);
  afterAll(() => deliveries.close());

  const stepsOf = (id: string) =>
    deliveries
      .callsOf(id)
      .map(({ attemptNumber, scheduleStep, trigger }) => [attemptNumber, scheduleStep, trigger]);

  describe('replay', () => {
    it('wakes a dead letter in its open run, with a fresh schedule', async () => {
      const { input, id, handle } = await deliveries.start([fails(50), exhausts(), fails(50), succeeds()]);
      await deliveries.reaches(id, { status: 'dead_letter', attempts: 2 });
      const { runId } = await handle.describe();
      await deliveries.starter.signalReplay({
        ...input,
        attemptsMade: 2,
        scheduleStep: 0,
        trigger: 'replay',
      });
      expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 4 });
      expect((await handle.describe()).runId).toBe(runId);
      expect(stepsOf(id)).toEqual([
        [1, 0, 'schedule'],
        [2, 1, 'schedule'],
        [3, 0, 'replay'],
        [4, 1, 'schedule'],
      ]);
    });

    it('delivers a finished delivery once more in a new run', async () => {
      const { input, id, handle } = await deliveries.start([succeeds(), succeeds()]);
      await handle.result();
      const { runId } = await handle.describe();
      await deliveries.starter.signalReplay({
        ...input,
        attemptsMade: 1,
        scheduleStep: 0,
        trigger: 'replay',
      });
      expect(await deliveries.handle(id).result()).toEqual({ status: 'succeeded', attempts: 2 });
      expect((await deliveries.handle(id).describe()).runId).not.toBe(runId);
      // The signal that has started the run is not a second wish.
      expect(stepsOf(id)).toEqual([
        [1, 0, 'schedule'],
        [2, 0, 'replay'],
      ]);
    });

    it('replaces a pending wait', async () => {
      const { input, id, handle } = await deliveries.start([fails(50), fails(), fails(70_000), succeeds()]);
      await deliveries.reaches(id, { status: 'retrying', attempts: 2 });
      await deliveries.starter.signalReplay(input);
      await deliveries.reaches(id, { status: 'retrying', attempts: 3 });
      expect(timersOf(await deliveries.events(id))).toEqual([50, 3_600_000, 70_000]);
      await deliveries.starter.retryNow(id);
      await handle.result();
      expect(stepsOf(id)).toEqual([
        [1, 0, 'schedule'],
        [2, 1, 'schedule'],
        [3, 0, 'replay'],
        [4, 1, 'retry_now'],
      ]);
    });

    it('goes out after an attempt that was under way, though that one succeeded', async () => {
      const first = gated(succeeds());
      const { input, id, handle } = await deliveries.start([first.answer, succeeds()]);
      await first.begun;
      await deliveries.starter.signalReplay(input);
      first.release();
      expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 2 });
      expect(stepsOf(id).at(-1)).toEqual([2, 0, 'replay']);
    }, 30_000);

    it('goes out after an earlier replay that was under way, though that one succeeded', async () => {
      const first = gated(succeeds());
      const { input, id, handle } = await deliveries.start([exhausts(), first.answer, succeeds()]);
      await deliveries.reaches(id, { status: 'dead_letter', attempts: 1 });
      await deliveries.starter.signalReplay(input);
      await first.begun;
      await deliveries.starter.signalReplay(input);
      first.release();
      expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 3 });
      expect(stepsOf(id).at(-1)).toEqual([3, 0, 'replay']);
    }, 30_000);
  });

  describe('retry now', () => {
    it('does nothing to a dead letter', async () => {
      const { id, handle } = await deliveries.start([exhausts()]);
      await deliveries.reaches(id, { status: 'dead_letter' });
      await deliveries.starter.retryNow(id);
      await deliveries.starter.cancel(id, 'enough');
      await handle.result();
      expect(stepsOf(id)).toHaveLength(1);
    });

    it('finds no open workflow', async () => {
      expect(await deliveries.starter.retryNow(newId('delivery'))).toBe(false);
    });
  });

  describe('cancel', () => {
    it('ends a wait', async () => {
      const { id, handle } = await deliveries.start([fails()]);
      await deliveries.reaches(id, { status: 'retrying' });
      expect(await deliveries.starter.cancel(id, 'asked by the tenant')).toBe(true);
      expect(await handle.result()).toEqual({ status: 'cancelled', attempts: 1 });
      expect(deliveries.cancelsOf(id)).toEqual(['asked by the tenant']);
      expect(stepsOf(id)).toHaveLength(1);
      expect(await deliveries.starter.cancel(id, 'again')).toBe(false);
    });

    it('ends a dead letter', async () => {
      const { id, handle } = await deliveries.start([exhausts()]);
      await deliveries.reaches(id, { status: 'dead_letter' });
      await deliveries.starter.cancel(id, 'given up');
      expect(await handle.result()).toEqual({ status: 'cancelled', attempts: 1 });
      expect(deliveries.cancelsOf(id)).toEqual(['given up']);
    });

    it('waits for an attempt under way and takes effect when that one failed', async () => {
      const first = gated(fails());
      const { id, handle } = await deliveries.start([first.answer]);
      await first.begun;
      await deliveries.starter.cancel(id, 'too late');
      first.release();
      expect(await handle.result()).toEqual({ status: 'cancelled', attempts: 1 });
      expect(deliveries.cancelsOf(id)).toEqual(['too late']);
    }, 30_000);

    it('comes too late for an attempt under way that succeeds', async () => {
      const first = gated(succeeds());
      const { id, handle } = await deliveries.start([first.answer]);
      await first.begun;
      await deliveries.starter.cancel(id, 'too late');
      first.release();
      expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 1 });
      expect(stepsOf(id).every(([attemptNumber]) => attemptNumber === 1)).toBe(true);
    }, 30_000);

    it('works from Temporal too, and shows as cancelled there', async () => {
      const { id, handle } = await deliveries.start([fails()]);
      await deliveries.reaches(id, { status: 'retrying' });
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow('cancelled');
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      expect(deliveries.cancelsOf(id)).toEqual(['cancelled in Temporal']);
    });

    it('from Temporal does not tear down an attempt under way', async () => {
      const first = gated(succeeds());
      const { id, handle } = await deliveries.start([first.answer]);
      await first.begun;
      await handle.cancel();
      first.release();
      expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 1 });
      expect(stepsOf(id).every(([attemptNumber]) => attemptNumber === 1)).toBe(true);
    }, 30_000);
  });

  it('is taken in the order in which it was asked, also before the first task', async () => {
    await deliveries.stopWorker();
    const replayed = await deliveries.start([succeeds()]);
    await deliveries.starter.cancel(replayed.id, 'not now');
    await deliveries.starter.signalReplay(replayed.input);
    const cancelled = await deliveries.start([succeeds()]);
    await deliveries.starter.signalReplay(cancelled.input);
    await deliveries.starter.cancel(cancelled.id, 'not at all');
    await deliveries.startWorker();
    expect(await replayed.handle.result()).toEqual({ status: 'succeeded', attempts: 1 });
    expect(await cancelled.handle.result()).toEqual({ status: 'cancelled', attempts: 0 });
    expect(deliveries.cancelsOf(replayed.id)).toEqual([]);
  });

  it('tells the live state, also of a closed delivery, and says so when there is none', async () => {
    const { id, handle } = await deliveries.start([fails(50), succeeds()]);
    await handle.result();
    expect(await deliveries.starter.state(id)).toMatchObject({
      kind: 'state',
      state: {
        status: 'succeeded',
        attempts: 2,
        nextAttemptAt: null,
        lane: 'durable',
        lastOutcome: { kind: 'succeeded' },
      },
    });
    expect(await deliveries.starter.state(newId('delivery'))).toEqual({ kind: 'not_found' });
  });

  it('continues a dead letter with a long history as a new run, and goes on counting', async () => {
    const { input, id } = await deliveries.start([exhausts(), succeeds()]);
    await deliveries.reaches(id, { status: 'dead_letter' });
    const first = deliveries.handle(id);
    // signals that mean nothing to a dead letter make its history long
    for (let sent = 0; sent < 1_100; sent += 100) {
      await Promise.all(Array.from({ length: 100 }, () => deliveries.starter.retryNow(id)));
    }
    const { runId } = await first.describe();
    await deliveries.starter.signalReplay({ ...input, attemptsMade: 1, trigger: 'replay' });
    expect(await deliveries.handle(id).result()).toEqual({ status: 'succeeded', attempts: 2 });
    const last = await eventually(async () => {
      const run = await deliveries.handle(id).describe();
      return run.runId === runId ? undefined : run;
    });
    expect(last.historyLength).toBeLessThan(20);
    expect(stepsOf(id)).toEqual([
      [1, 0, 'schedule'],
      [2, 0, 'replay'],
    ]);
  }, 120_000);
});
