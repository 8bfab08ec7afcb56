// Bare Temporal: client and worker in one process on one connection, so that workflows start eagerly, with the slots the
// product's worker has. It goes on when a request was answered, not when the server has stored the workflow's end: asking
// for that would cost the server a call more for each workflow and make the yardstick shorter.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Pool } from 'undici';
import { answerCalls } from '../children/child-calls.js';
import { closedLoop, openLoop } from '../generator/load-loops.js';
import type { bareDelivery } from './bare-delivery.workflow.js';
import type { BareActivities, BareHandlers } from './bare-protocol.js';

const TASK_QUEUE = 'bench-bare';
const SLOTS = 500;
const CACHED = 2_000;
const BODY = 'x'.repeat(1_024);
const GIVE_UP_MS = 60_000;

const [address, namespace, origin] = process.argv.slice(2) as [string, string, string];
const answered = new Map<string, () => void>();
const receiver = new Pool(origin, { connections: 100 });

const activities: BareActivities = {
  async post({ path, id }) {
    const headers = { 'content-type': 'application/json', 'webhook-id': id };
    const answer = await receiver.request({ method: 'POST', path, headers, body: BODY });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`the sink answered ${answer.statusCode}`);
    answered.get(id)?.();
  },
};

Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('WARN') });
const connection = await NativeConnection.connect({ address, grpcCompression: { codec: 'none' } });
const client = new Client({ connection, namespace });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: TASK_QUEUE,
  workflowsPath: fileURLToPath(new URL('bare-delivery.workflow.js', import.meta.url)),
  activities,
  enableNonLocalActivities: false,
  maxConcurrentLocalActivityExecutions: SLOTS,
  maxConcurrentWorkflowTaskExecutions: SLOTS,
  maxCachedWorkflows: CACHED,
});
const running = worker.run();

async function start(path: string): Promise<{ id: string; done: Promise<void> }> {
  const id = randomUUID();
  const done = new Promise<void>((resolve, reject) => {
    const impatience = setTimeout(
      () => reject(new Error(`no request of workflow ${id} within ${GIVE_UP_MS / 1_000} s`)),
      GIVE_UP_MS,
    );
    answered.set(id, () => {
      clearTimeout(impatience);
      resolve();
    });
  }).finally(() => answered.delete(id));
  await client.workflow.start<typeof bareDelivery>('bareDelivery', {
    args: [{ path, id }],
    workflowId: `bench/${id}`,
    taskQueue: TASK_QUEUE,
    requestEagerStart: true,
  });
  return { id, done };
}

async function startAndFinish(path: string): Promise<string> {
  const { id, done } = await start(path);
  await done;
  return id;
}

const handlers: BareHandlers = {
  closedLoop: ({ path, ...options }) => closedLoop(options, () => startAndFinish(path)),
  openLoop: ({ path, ...options }) => openLoop(options, () => startAndFinish(path)),
};

answerCalls(handlers, async () => {
  worker.shutdown();
  await running;
  await receiver.destroy();
  await connection.close();
});
