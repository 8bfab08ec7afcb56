// Real: the Temporal server, the worker, the workflow bundle, the starter, the rules of the schedule.
// Scripted: what the activities answer; nothing is sent and nothing is stored in Postgres.
import type { DeliveryWorkflowResult } from '@hookstream/contracts';
import { eventually } from '@hookstream/testing';
import {
  breaks,
  breaksForGood,
  exhausts,
  fails,
  failsByDefaultSchedule,
  ScriptedDeliveries,
  succeeds,
  summariesOf,
  timersOf,
} from './scripted-deliveries.js';

describe('the schedule of deliveryWorkflow', () => {
  let deliveries: ScriptedDeliveries;
  beforeAll(async () => {
    deliveries = await ScriptedDeliveries.open('schedule');
  }, 60_000);
  afterAll(() => deliveries.close());

  it('delivers at the first attempt, started eagerly, in the fewest events there can be', async () => {
    const { id, handle } = await deliveries.start([succeeds()]);
    expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 1 });
    const events = await deliveries.events(id);
    expect(events[0]?.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted).toBe(true);
    // The start with its first task is one write, that task's completion with all its commands is the other.
    expect(events.filter((event) => event.workflowTaskScheduledEventAttributes)).toHaveLength(1);
    expect(events.filter((event) => event.workflowTaskCompletedEventAttributes)).toHaveLength(1);
    expect(timersOf(events)).toEqual([]);
    expect(deliveries.callsOf(id)).toEqual([
      {
        deliveryId: id,
        tenantId: expect.stringMatching(/^tnt_/) as string,
        endpointId: expect.stringMatching(/^ep_/) as string,
        attemptNumber: 1,
        scheduleStep: 0,
        trigger: 'schedule',
        replays: 0,
        lane: 'durable',
      },
    ]);
  });

  it('walks the default schedule of 30 s, 5 min, 30 min and 2 h and then stays open as a dead letter', async () => {
    const { id, handle } = await deliveries.start(Array.from({ length: 5 }, failsByDefaultSchedule));
    for (const attempts of [1, 2, 3, 4]) {
      const state = await deliveries.reaches(id, { status: 'retrying', attempts });
      expect(state.lastOutcome).toMatchObject({ kind: 'http_error', statusCode: 503 });
      expect(Date.parse(state.nextAttemptAt ?? '')).toBeGreaterThan(Date.now());
      expect(await deliveries.starter.retryNow(id)).toBe(true);
    }
    const dead = await deliveries.reaches(id, { status: 'dead_letter', attempts: 5 });
    expect(dead.nextAttemptAt).toBeNull();
    expect((await handle.describe()).status.name).toBe('RUNNING');

    const timers = timersOf(await deliveries.events(id));
    [30_000, 300_000, 1_800_000, 7_200_000].forEach((delay, step) => {
      expect(timers[step]).toBeGreaterThanOrEqual(delay * 0.9);
      expect(timers[step]).toBeLessThanOrEqual(delay * 1.1);
    });
    expect(
      deliveries
        .callsOf(id)
        .map(({ attemptNumber, scheduleStep, trigger }) => [attemptNumber, scheduleStep, trigger]),
    ).toEqual([
      [1, 0, 'schedule'],
      [2, 1, 'retry_now'],
      [3, 2, 'retry_now'],
      [4, 3, 'retry_now'],
      [5, 4, 'retry_now'],
    ]);
  });

  it('attempts again by itself when the delay is over', async () => {
    const { id, handle } = await deliveries.start([fails(200), fails(100), succeeds()]);
    expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 3 });
    expect(timersOf(await deliveries.events(id))).toEqual([200, 100]);
    expect(deliveries.callsOf(id).map(({ trigger }) => trigger)).toEqual([
      'schedule',
      'schedule',
      'schedule',
    ]);
  });

  it('goes on where an earlier run has stopped', async () => {
    const { id, handle } = await deliveries.start([], { attemptsMade: 3, scheduleStep: 2 });
    expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 4 });
    expect(deliveries.callsOf(id)).toMatchObject([{ attemptNumber: 4, scheduleStep: 2 }]);
  });

  it('retries our own failures without charging the schedule', async () => {
    const { id, handle } = await deliveries.start([breaks(), breaks(), fails(50), breaks(), succeeds()]);
    expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 2 });
    expect(
      deliveries.callsOf(id).map(({ attemptNumber, scheduleStep }) => [attemptNumber, scheduleStep]),
    ).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [2, 1],
      [2, 1],
    ]);
  }, 20_000);

  it('does not give up, nor count, where the retries of our own failure are used up', async () => {
    const { id, handle } = await deliveries.start([breaksForGood(), succeeds()]);
    expect(await handle.result()).toEqual({ status: 'succeeded', attempts: 1 });
    expect(timersOf(await deliveries.events(id))).toEqual([10_000]);
    expect(
      deliveries.callsOf(id).map(({ attemptNumber, scheduleStep }) => [attemptNumber, scheduleStep]),
    ).toEqual([
      [1, 0],
      [1, 0],
    ]);

    const hopeless = await deliveries.start([breaksForGood()]);
    await deliveries.reaches(hopeless.id, { status: 'in_progress' });
    await deliveries.starter.cancel(hopeless.id, 'never mind');
    expect(await hopeless.handle.result()).toEqual({ status: 'cancelled', attempts: 0 });
  }, 30_000);

  it('ends when the endpoint is held: the delivery is back in the outbox', async () => {
    const { handle } = await deliveries.start([{ kind: 'handed_back', reason: 'endpoint paused' }]);
    expect(await handle.result()).toEqual({ status: 'pending', attempts: 0 });

    const later = await deliveries.start([fails(50), { kind: 'handed_back', reason: 'endpoint paused' }]);
    expect(await later.handle.result()).toEqual({ status: 'retrying', attempts: 1 });
    // Resumed: the same id starts again and goes on in its schedule.
    expect(await deliveries.starter.start({ ...later.input, attemptsMade: 1, scheduleStep: 1 })).toBe(
      'started',
    );
    expect(await deliveries.handle(later.id).result()).toEqual({ status: 'succeeded', attempts: 2 });
  });

  it('ends when the delivery was cancelled or has expired in the database', async () => {
    const cancelled = await deliveries.start([{ kind: 'cancelled', reason: 'endpoint deleted' }]);
    expect(await cancelled.handle.result()).toEqual({ status: 'cancelled', attempts: 0 });
    const expired = await deliveries.start([fails(50), { kind: 'expired' }]);
    expect(await expired.handle.result()).toEqual({ status: 'cancelled', attempts: 1 });
  });

  it('lets a dead letter go when its payload expires', async () => {
    const { handle } = await deliveries.start([exhausts()], { expiresAt: Date.now() + 1_000 });
    expect(await handle.result()).toEqual({ status: 'dead_letter', attempts: 1 });
  });

  it('makes one attempt in a test, whatever comes of it', async () => {
    const failed = {
      ...(fails() as Extract<ReturnType<typeof fails>, { kind: 'attempted' }>),
      decision: { next: 'cancelled' as const, reason: 'test_failed' as const },
    };
    const input = deliveries.scripted([failed], { trigger: 'test' });
    expect(await deliveries.starter.runTest(input, 10_000)).toEqual({
      kind: 'done',
      result: { status: 'cancelled', attempts: 1 } satisfies DeliveryWorkflowResult,
    });
    expect(deliveries.callsOf(input.deliveryId)).toMatchObject([{ trigger: 'test' }]);
    // Cancelled by its outcome, not by a person: there is nothing to store.
    expect(deliveries.cancelsOf(input.deliveryId)).toEqual([]);
  });

  it('starts a delivery once', async () => {
    const { input, handle } = await deliveries.start([fails()]);
    expect(await deliveries.starter.start(input)).toBe('already_started');
    await handle.terminate();
  });

  it('reads like a story in the Web UI and is found by its attributes', async () => {
    const { input, id, handle } = await deliveries.start([fails(), succeeds()]);
    const { nextAttemptAt } = await deliveries.reaches(id, { status: 'retrying' });
    expect(await (await handle.describe()).staticSummary()).toBe('order.paid → api.example.com');
    const next = (nextAttemptAt ?? '').slice(0, 19).replace('T', ' ');
    expect(await detailsOf(id)).toBe(`attempt 1 of 5: 503 in 120 ms, next at ${next} UTC`);
    expect(summariesOf(await deliveries.events(id))).toEqual([
      'order.paid → api.example.com',
      'attempt 1 → api.example.com',
      'wait before attempt 2',
    ]);
    await findable(`HookstreamEndpointId = '${input.endpointId}' AND HookstreamStatus = 'retrying'`, id);

    await deliveries.starter.retryNow(id);
    await handle.result();
    expect(await detailsOf(id)).toBe('attempt 2 of 5: 200 in 12 ms');
    await findable(
      `HookstreamTenantId = '${input.tenantId}' AND HookstreamEventId = '${input.eventId}' AND ` +
        `HookstreamEventType = 'order.paid' AND HookstreamStatus = 'succeeded'`,
      id,
    );
  });

  async function detailsOf(id: string): Promise<string> {
    const metadata = await deliveries
      .handle(id)
      .query<{ currentDetails: string }>('__temporal_workflow_metadata');
    return metadata.currentDetails;
  }

  function findable(query: string, id: string): Promise<true> {
    return eventually(async () => {
      for await (const found of deliveries.temporal.client.workflow.list({ query })) {
        if (found.workflowId === id) return true as const;
      }
      return undefined;
    });
  }
});
