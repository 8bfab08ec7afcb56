// Records the histories that the replay suite holds new workflow code against. Run it when a workflow or a scenario is new;
// recorded histories stand for runs that are open at our users, so they are added to and not recorded anew. A scenario whose
// file exists is left alone. Needs a Temporal server:
//   temporal server start-dev --headless
//   HOOKSTREAM_TEST_TEMPORAL_ADDRESS=127.0.0.1:7233 node test/dist/replay/record-histories.js
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { MaintenanceActivities } from '@hookstream/contracts';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { uniqueTaskQueue } from '@hookstream/testing';
import { workflowBundlePath } from '@hookstream/workflows/bundle';
import {
  breaks,
  breaksForGood,
  exhausts,
  fails,
  ScriptedDeliveries,
  succeeds,
} from '../workflow/scripted-deliveries.js';
import { historyFile, historyToText } from './histories.js';

const deliveries = await ScriptedDeliveries.open('record');
const { starter, temporal } = deliveries;

/** Each plays one delivery to where its history is worth keeping and names its workflow. */
const scenarios: Record<string, () => Promise<string>> = {
  'delivery-succeeded': async () => {
    const { id, handle } = await deliveries.start([succeeds()]);
    await handle.result();
    return id;
  },
  'delivery-retried-by-schedule': async () => {
    const { id, handle } = await deliveries.start([fails(100), fails(100), succeeds()]);
    await handle.result();
    return id;
  },
  'delivery-retried-by-hand': async () => {
    const { id, handle } = await deliveries.start([fails(), succeeds()]);
    await deliveries.reaches(id, { status: 'retrying' });
    await starter.retryNow(id);
    await handle.result();
    return id;
  },
  'delivery-after-our-own-failure': async () => {
    const { id, handle } = await deliveries.start([breaks(), succeeds()]);
    await handle.result();
    return id;
  },
  'delivery-after-a-round-of-our-own-failures': async () => {
    const { id, handle } = await deliveries.start([breaksForGood(), succeeds()]);
    await handle.result();
    return id;
  },
  'delivery-waiting': async () => {
    const { id } = await deliveries.start([fails()]);
    await deliveries.reaches(id, { status: 'retrying' });
    return id;
  },
  'delivery-dead-letter-open': async () => {
    const { id } = await deliveries.start([fails(50), exhausts()]);
    await deliveries.reaches(id, { status: 'dead_letter' });
    return id;
  },
  'delivery-dead-letter-expired': async () => {
    const { id, handle } = await deliveries.start([exhausts()], { expiresAt: Date.now() + 500 });
    await handle.result();
    return id;
  },
  'delivery-dead-letter-replayed': async () => {
    const { input, id, handle } = await deliveries.start([exhausts(), fails(50), succeeds()]);
    await deliveries.reaches(id, { status: 'dead_letter' });
    await starter.signalReplay(input);
    await handle.result();
    return id;
  },
  'delivery-replayed-in-a-new-run': async () => {
    const { input, id, handle } = await deliveries.start([succeeds(), succeeds()]);
    await handle.result();
    await starter.signalReplay({ ...input, attemptsMade: 1, trigger: 'replay' });
    await deliveries.handle(id).result();
    return id;
  },
  'delivery-cancelled': async () => {
    const { id, handle } = await deliveries.start([fails()]);
    await deliveries.reaches(id, { status: 'retrying' });
    await starter.cancel(id, 'asked by the tenant');
    await handle.result();
    return id;
  },
  'delivery-cancelled-in-temporal': async () => {
    const { id, handle } = await deliveries.start([fails()]);
    await deliveries.reaches(id, { status: 'retrying' });
    await handle.cancel();
    await handle.result().catch(() => undefined);
    return id;
  },
  'delivery-handed-back': async () => {
    const { id, handle } = await deliveries.start([
      { kind: 'handed_back', reason: 'the endpoint is paused' },
    ]);
    await handle.result();
    return id;
  },
  'delivery-expired': async () => {
    const { id, handle } = await deliveries.start([fails(50), { kind: 'expired' }]);
    await handle.result();
    return id;
  },
  'maintenance-completed': () =>
    maintenance(() => Promise.resolve({ created: ['events_20260504'], dropped: [] })),
  'maintenance-failed': () =>
    maintenance(() => Promise.reject(ApplicationFailure.nonRetryable('no room left'))),
};

async function maintenance(maintainPartitions: MaintenanceActivities['maintainPartitions']): Promise<string> {
  const taskQueue = uniqueTaskQueue('record');
  const activities: MaintenanceActivities = {
    maintainPartitions,
    purgeExpired: () => Promise.resolve({ idempotencyKeys: 7, secrets: 1, auditEntries: 2 }),
    reencryptSecrets: () => Promise.resolve({ reencrypted: 3 }),
  };
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue,
    workflowBundle: { codePath: workflowBundlePath },
    activities,
  });
  const workflow = temporal.client.workflow.start('maintenanceWorkflow', {
    taskQueue,
    workflowId: taskQueue,
  });
  await worker.runUntil((await workflow).result().catch(() => undefined));
  return taskQueue;
}

for (const [name, play] of Object.entries(scenarios)) {
  const file = historyFile(name);
  if (existsSync(file)) continue;
  const workflowId = await play();
  const history = await deliveries.handle(workflowId).fetchHistory();
  // Stack traces name this machine's folders; nothing compares them.
  await writeFile(file, `${historyToText(history).replaceAll(process.cwd(), '/hookstream')}\n`);
  console.log(`recorded ${name}`);
}
await deliveries.close();
