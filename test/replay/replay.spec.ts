// Real: the workflow bundle and histories recorded on a real Temporal server (record-histories.ts). Nothing else runs.
// A failure here means that runs which are open at a user's would break on upgrade: use `patched()`.
import { WORKFLOW, type DeliveryWorkflowInput } from '@hookstream/contracts';
import { workflowBundlePath } from '@hookstream/workflows/bundle';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { historyNames, readHistory, type History } from './histories.js';

const NONDETERMINISM = {
  name: 'DeterminismViolationError',
  message: expect.stringMatching(/nondeterminism/i) as string,
};

describe('recorded histories', () => {
  beforeAll(() => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
  });

  const replay = (name: string, history: History) =>
    Worker.runReplayHistory({ workflowBundle: { codePath: workflowBundlePath } }, history, name);

  it.each(historyNames())('%s replays', async (name) => {
    await replay(name, readHistory(name));
  });

  it('cover every workflow', () => {
    const types = historyNames().map(
      (name) => readHistory(name).events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name,
    );
    expect([...new Set(types)].sort()).toEqual(Object.values(WORKFLOW).sort());
  });

  it.each(['delivery-handed-over', 'delivery-handed-over-waiting'])(
    '%s begins with the wait for attempt 2, and fails where it would begin with an attempt',
    async (name) => {
      const history = readHistory(name);
      const payload = inputOf(history);
      const { nextAttemptAt, ...input } = JSON.parse(
        Buffer.from(payload.data).toString(),
      ) as DeliveryWorkflowInput;
      expect([input.lane, input.attemptsMade, typeof nextAttemptAt]).toEqual(['express', 1, 'string']);
      payload.data = Buffer.from(JSON.stringify(input));
      await expect(replay(name, history)).rejects.toMatchObject(NONDETERMINISM);
    },
  );

  it('fail as nondeterminism where the workflow would do something else than was recorded', async () => {
    const history = readHistory('delivery-retried-by-schedule');
    const succeeded = firstResult(readHistory('delivery-succeeded'));
    const failed = firstResult(history);
    // As if the first attempt had succeeded: the code then ends where the history has a wait.
    failed.data = succeeded.data ?? null;
    await expect(replay('changed', history)).rejects.toMatchObject(NONDETERMINISM);
  });
});

function firstResult(history: History) {
  const marker = history.events?.find((event) => event.markerRecordedEventAttributes);
  const payload = marker?.markerRecordedEventAttributes?.details?.['result']?.payloads?.[0];
  if (!payload?.data) throw new Error('the history has no attempt');
  return payload;
}

function inputOf(history: History): { data: Uint8Array } {
  const payload = history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  if (!payload?.data) throw new Error('the history has no input');
  return payload as { data: Uint8Array };
}
