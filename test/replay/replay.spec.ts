// Real: the workflow bundle and histories recorded on a real Temporal server (record-histories.ts). Nothing else runs.
// A failure here means that runs which are open at a user's would break on upgrade: use `patched()`.
import { WORKFLOW } from '@hookstream/contracts';
import { workflowBundlePath } from '@hookstream/workflows/bundle';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { historyNames, readHistory, type History } from './histories.js';

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

  it('fail as nondeterminism where the workflow would do something else than was recorded', async () => {
    const history = readHistory('delivery-retried-by-schedule');
    const succeeded = firstResult(readHistory('delivery-succeeded'));
    const failed = firstResult(history);
    // As if the first attempt had succeeded: the code then ends where the history has a wait.
    failed.data = succeeded.data ?? null;
    await expect(replay('changed', history)).rejects.toMatchObject({
      name: 'DeterminismViolationError',
      message: expect.stringMatching(/nondeterminism/i) as string,
    });
  });
});

function firstResult(history: History) {
  const marker = history.events?.find((event) => event.markerRecordedEventAttributes);
  const payload = marker?.markerRecordedEventAttributes?.details?.['result']?.payloads?.[0];
  if (!payload?.data) throw new Error('the history has no attempt');
  return payload;
}
