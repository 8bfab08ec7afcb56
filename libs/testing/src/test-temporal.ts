import { NAMESPACE } from '@hookstream/contracts';
import { connectTemporalWorker, type WorkerTemporalClient } from '@hookstream/temporal-client';
import { randomBytes } from 'node:crypto';
import { TEMPORAL_ADDRESS_VARIABLE, testVariable } from './test-environment.js';

/** Where the run's Temporal server listens, for code under test that connects by itself. */
export function testTemporalOptions(): { address: string; namespace: string } {
  return { address: testVariable(TEMPORAL_ADDRESS_VARIABLE), namespace: NAMESPACE };
}

/** A connection as the worker process has it (client and workers on one native connection). The caller closes it. */
export function connectTestTemporal(): Promise<WorkerTemporalClient> {
  return connectTemporalWorker(testTemporalOptions());
}

/** A task queue nobody else uses, so that no test's worker takes another test's workflow. */
export function uniqueTaskQueue(name: string): string {
  return `${name}-${randomBytes(4).toString('hex')}`;
}
