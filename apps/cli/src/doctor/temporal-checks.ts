import { HOUR_MS } from '@hookstream/domain';
import type { TemporalConfig } from '@hookstream/config';
import { TASK_QUEUE } from '@hookstream/contracts';
import { connectTemporal, ServerInspection, type TemporalClient } from '@hookstream/temporal-client';
import type { ReadableSettings } from './examine.js';
import { failed, looked, ok, skipped, someOf, warning, type Finding } from './finding.js';

const ANSWER_TIMEOUT_MS = 3_000;

/** All that needs Temporal. */
export async function examineTemporal({ temporal: config }: ReadableSettings): Promise<Finding[]> {
  if (config === undefined) return [skipped('temporal', 'its settings are not sound')];
  let temporal: TemporalClient;
  try {
    temporal = connectTemporal(config);
  } catch (error) {
    // certificates are read from files
    const mend = 'Correct the TEMPORAL_TLS_… settings; the files have to be readable here.';
    return [failed('temporal', `no connection can be set up: ${(error as Error).message}`, mend)];
  }
  try {
    return await examineServer(new ServerInspection(temporal, ANSWER_TIMEOUT_MS), config);
  } finally {
    await temporal.close();
  }
}

async function examineServer(server: ServerInspection, config: TemporalConfig): Promise<Finding[]> {
  const reached = await examineReach(server, config);
  if (reached.state === 'failed')
    return [reached, skipped('namespace, search attributes', 'Temporal is not reached')];
  const namespace = await looked('namespace', () => examineNamespace(server, config));
  if (namespace.state === 'failed')
    return [reached, namespace, skipped('search attributes, task queues', 'the namespace is not there')];
  return [
    reached,
    namespace,
    await looked('search attributes', () => examineSearchAttributes(server, config)),
    await looked('task queues', () => examineTaskQueues(server, config)),
    await looked('maintenance schedule', () => examineSchedule(server)),
  ];
}

async function examineReach(server: ServerInspection, { address }: TemporalConfig): Promise<Finding> {
  try {
    return ok('temporal', `server ${await server.version()} at ${address}`);
  } catch (error) {
    const cause = (error as Error).cause;
    const reason = cause instanceof Error ? cause.message : (error as Error).message;
    return failed(
      'temporal',
      `does not answer at ${address}: ${reason}`,
      'Start Temporal, or correct TEMPORAL_ADDRESS (host:port of its gRPC frontend, 7233 by default, not of its Web UI).',
    );
  }
}

async function examineNamespace(server: ServerInspection, { namespace }: TemporalConfig): Promise<Finding> {
  const retentionMs = await server.namespaceRetentionMs();
  if (retentionMs === null)
    return failed(
      'namespace',
      `there is none named ${namespace}`,
      `A worker makes it when it starts; or: temporal operator namespace create --namespace ${namespace}. Is TEMPORAL_NAMESPACE right?`,
    );
  return ok('namespace', `${namespace} keeps closed workflows for ${Math.round(retentionMs / HOUR_MS)} h`);
}

async function examineSearchAttributes(
  server: ServerInspection,
  { namespace }: TemporalConfig,
): Promise<Finding> {
  const missing = await server.missingSearchAttributes();
  if (missing.length === 0) return ok('search attributes', 'all are registered');
  const names = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
  return failed(
    'search attributes',
    `missing: ${missing.join(', ')}; no delivery can be started`,
    `A worker registers them when it starts; or: temporal operator search-attribute create --namespace ${namespace} ${names}`,
  );
}

async function examineTaskQueues(server: ServerInspection, { namespace }: TemporalConfig): Promise<Finding> {
  const counts = await Promise.all(
    Object.values(TASK_QUEUE).map(async (queue) => ({ queue, pollers: await server.pollers(queue) })),
  );
  const idle = counts.filter(({ pollers }) => pollers === 0).map(({ queue }) => queue);
  if (idle.length === 0)
    return ok('task queues', counts.map(({ queue, pollers }) => `${queue} ${pollers}`).join(', '));
  return failed(
    'task queues',
    `no worker polls ${someOf(idle)} in the namespace ${namespace}`,
    'Start a worker with the same TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.',
  );
}

async function examineSchedule(server: ServerInspection): Promise<Finding> {
  const mend =
    'temporal schedule toggle --unpause --schedule-id hookstream-maintenance --namespace …; until then npx hookstream retention run does its work.';
  switch (await server.maintenanceSchedule()) {
    case 'running':
      return ok('maintenance schedule', 'runs');
    case 'paused':
      return failed(
        'maintenance schedule',
        'somebody paused it: partitions are neither made nor dropped',
        mend,
      );
    case 'missing':
      return warning(
        'maintenance schedule',
        'there is none yet',
        'A worker makes it soon after it has started.',
      );
  }
}
