// Records the histories that the replay suite holds new workflow code against. Run it when a workflow or a scenario is new;
// recorded histories stand for runs that are open at our users, so they are added to and not recorded anew. A scenario whose
// file exists is left alone. Needs a Temporal server:
//   temporal server start-dev --headless
//   HOOKSTREAM_TEST_TEMPORAL_ADDRESS=127.0.0.1:7233 node test/dist/replay/record-histories.js
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import {
  endpointWorkflowId,
  type DeliveryWorkflowInput,
  type MaintenanceActivities,
  type ReplayActivities,
  type ReplayProgress,
  type ReplayStep,
} from '@hookstream/contracts';
import { newId, type CircuitState, type ReplayWish } from '@hookstream/domain';
import { ReplayStarter } from '@hookstream/temporal-client';
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
import { ScriptedCircuits, type ScriptedEndpoint } from '../workflow/scripted-circuits.js';
import { historyFile, historyToText } from './histories.js';

const deliveries = await ScriptedDeliveries.open('record');
const { starter, temporal } = deliveries;
const circuits = await ScriptedCircuits.open('record-circuits');

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
  'delivery-handed-over': async () => {
    const { id, handle } = await deliveries.start([fails(100), succeeds()], handedOver(100));
    await handle.result();
    return id;
  },
  'delivery-handed-over-waiting': async () => {
    const { id } = await deliveries.start([], handedOver(3_600_000));
    await deliveries.reaches(id, { status: 'retrying' });
    return id;
  },
  'circuit-opened': async () => {
    const endpoint = circuits.endpoint();
    await circuits.fail(endpoint, 1);
    await circuits.shows(endpoint, ({ consecutiveFailures }) => consecutiveFailures === 1);
    await circuits.fail(endpoint, 4);
    await circuits.stores(endpoint, 'open');
    return shown(endpoint, 'open');
  },
  'circuit-recovered': async () => {
    const endpoint = circuits.endpoint({ cooldown_ms: 100 });
    await circuits.fail(endpoint, 5);
    const first = await circuits.stores(endpoint, 'half_open', 1);
    await circuits.fail(endpoint, 1, first.memory.turn);
    const second = await circuits.stores(endpoint, 'half_open', 2);
    await circuits.succeed(endpoint, second.memory.turn);
    await circuits.stores(endpoint, 'closed');
    return shown(endpoint, 'closed');
  },
  'circuit-reset': async () => {
    const endpoint = circuits.endpoint();
    await circuits.fail(endpoint, 5);
    await circuits.stores(endpoint, 'open');
    await circuits.workflows.reset(endpoint.target);
    await circuits.stores(endpoint, 'closed');
    return shown(endpoint, 'closed');
  },
  'circuit-policy-changed': async () => {
    const endpoint = circuits.endpoint();
    await circuits.fail(endpoint, 5);
    await circuits.stores(endpoint, 'open');
    endpoint.stored.policy = { ...endpoint.stored.policy, cooldown_ms: 100 };
    await circuits.workflows.changed(endpoint.id);
    await circuits.stores(endpoint, 'half_open');
    return shown(endpoint, 'half_open');
  },
  'circuit-endpoint-disabled': async () => {
    const endpoint = circuits.endpoint({ disable_after_ms: 300 }, { quietMs: 500 });
    await circuits.fail(endpoint, 5);
    await circuits.ends(endpoint);
    return endpointWorkflowId(endpoint.id);
  },
  'circuit-quiet': async () => {
    const endpoint = circuits.endpoint({}, { quietMs: 500 });
    await circuits.fail(endpoint, 2);
    await circuits.shows(endpoint, ({ consecutiveFailures }) => consecutiveFailures === 2);
    await circuits.succeed(endpoint);
    await circuits.ends(endpoint);
    return endpointWorkflowId(endpoint.id);
  },
  'replay-completed': () => replay(() => Promise.resolve(undefined)),
  'replay-that-waited-for-room': () => {
    let full = 2;
    return replay((done) => Promise.resolve(done === 20 && full-- > 0 ? 'full' : undefined));
  },
  'replay-paused-and-resumed': () =>
    replay(async (done, signal) => {
      if (done === 20) await signal('pause');
      return undefined;
    }),
  'replay-cancelled': () =>
    replay(async (done, signal) => {
      if (done < 20) return undefined;
      await signal('cancel');
      return 'full';
    }),
  'replay-continued-as-new': () => replay(() => Promise.resolve(undefined), 2),
  'maintenance-completed': () =>
    maintenance(() => Promise.resolve({ created: ['events_20260504'], dropped: [] })),
  'maintenance-failed': () =>
    maintenance(() => Promise.reject(ApplicationFailure.nonRetryable('no room left'))),
};

/** As the express lane leaves a delivery whose first attempt it has made: the next is due in that many milliseconds. */
function handedOver(afterMs: number): Partial<DeliveryWorkflowInput> {
  const nextAttemptAt = new Date(Date.now() + afterMs).toISOString();
  return { lane: 'express', attemptsMade: 1, scheduleStep: 1, nextAttemptAt };
}

async function shown(endpoint: ScriptedEndpoint, state: CircuitState): Promise<string> {
  await circuits.shows(endpoint, (view) => view.state === state);
  return endpointWorkflowId(endpoint.id);
}

/** A replay of 40 deliveries in pages of ten: what its row says, and what comes between the pages. */
async function replay(
  beforePage: (done: number, signal: (wish: ReplayWish) => Promise<void>) => Promise<'full' | undefined>,
  stepsPerRun?: number,
): Promise<string> {
  const taskQueue = uniqueTaskQueue('record');
  const replayId = newId('replay');
  const replayStarter = new ReplayStarter(temporal, { taskQueue });
  const signal = (wish: ReplayWish) => replayStarter.signal({ replayId, tenantId: newId('tenant') }, wish);
  let progress: ReplayProgress = { status: 'counting', total: 0, done: 0, failed: 0 };
  const step = (change: Partial<ReplayProgress>, full = false): Promise<ReplayStep> => {
    progress = { ...progress, ...change };
    return Promise.resolve({ progress, full });
  };
  const activities: ReplayActivities = {
    countReplay: () => step({ status: 'running', total: 40 }),
    replayPage: async () => {
      if (progress.status !== 'running') return step({});
      if ((await beforePage(progress.done, signal)) === 'full') return step({}, true);
      const done = progress.done + 10;
      return step({ done, status: done === 40 ? 'completed' : 'running' });
    },
    changeReplay: async ({ wish }) => {
      const changed = await step({
        status: wish === 'resume' ? 'running' : wish === 'pause' ? 'paused' : 'cancelled',
      });
      if (wish === 'pause') await signal('resume');
      return changed;
    },
  };
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue,
    workflowBundle: { codePath: workflowBundlePath },
    activities,
  });
  const workflow = temporal.client.workflow.start('replayWorkflow', {
    taskQueue,
    workflowId: replayId,
    args: [{ replayId, ...(stepsPerRun === undefined ? {} : { stepsPerRun }) }],
  });
  await worker.runUntil((await workflow).result());
  return replayId;
}

async function maintenance(maintainPartitions: MaintenanceActivities['maintainPartitions']): Promise<string> {
  const taskQueue = uniqueTaskQueue('record');
  const activities: MaintenanceActivities = {
    maintainPartitions,
    purgeExpired: () =>
      Promise.resolve({ idempotencyKeys: 7, secrets: 1, auditEntries: 2, replays: 3, stats: 3 }),
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
await circuits.close();
