import { randomBytes } from 'node:crypto';
import { loadWorkerConfig } from '@hookstream/config';
import { createLogger } from '@hookstream/observability';
import { testTemporalOptions } from '@hookstream/testing';
import { HookstreamWorker } from '@hookstream/worker';
import { startTestApi, type TestApi } from './api-fixture.js';
import { installRuntime } from './worker-instance.js';

/** As {@link startTestApi}, in a Temporal namespace of its own: for what there is one of in a namespace. Temporal takes seconds to make one. */
export function startApiInOwnNamespace(): Promise<TestApi> {
  const temporal = { ...testTemporalOptions(), namespace: `test-${randomBytes(4).toString('hex')}` };
  return startTestApi({
    temporal: { ...temporal, retentionMs: 86_400_000, uiUrl: 'http://127.0.0.1:8233' },
  });
}

/** A worker as its process runs it, on the API's database and queue. The caller stops it. */
export async function startApiWorker(
  api: TestApi,
  settings: Record<string, string> = {},
): Promise<HookstreamWorker> {
  installRuntime();
  const worker = new HookstreamWorker({
    config: loadWorkerConfig({
      DATABASE_URL: api.config.database.url,
      TEMPORAL_ADDRESS: api.config.temporal.address,
      TEMPORAL_NAMESPACE: api.config.temporal.namespace,
      HOOKSTREAM_ENCRYPTION_KEY: api.config.encryptionKeys.join(','),
      HOOKSTREAM_EGRESS_ALLOW_CIDRS: '127.0.0.0/8',
      HOOKSTREAM_EGRESS_SCHEMES: 'http',
      HOOKSTREAM_PARTITIONS_AHEAD_DAYS: '2',
      HOOKSTREAM_DISPATCH_POLL_MS: '200',
      HOOKSTREAM_SHUTDOWN_GRACE_MS: '200',
      ...settings,
    }),
    logger: createLogger({ name: 'worker', level: 'silent' }),
    taskQueues: { deliveries: api.taskQueue, control: api.controlTaskQueue },
  });
  await worker.start();
  return worker;
}
