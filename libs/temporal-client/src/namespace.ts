import { setTimeout as delay } from 'node:timers/promises';
import { SEARCH_ATTRIBUTE } from '@hookstream/contracts';
import { DomainError } from '@hookstream/domain';
import { NamespaceNotFoundError, WorkflowNotFoundError } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { TemporalClient } from './temporal-client.js';
import { callTemporal, GRPC, grpcCode } from './temporal-errors.js';

export interface EnsureNamespaceOptions {
  /** How long closed workflows stay readable. Milliseconds; Temporal's floor of one hour is applied. */
  retentionMs: number;
  /** How long to wait until the namespace is usable. Milliseconds, default 30000. */
  timeoutMs?: number;
}

const RETENTION_FLOOR_MS = 3_600_000;
const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 200;
/** `INDEXED_VALUE_TYPE_KEYWORD` of temporal.api.enums.v1 */
const KEYWORD = 2;

/**
 * Creates the client's namespace when it is missing and returns once the server serves it. One that exists
 * keeps its retention: it may be managed elsewhere.
 * @throws DomainError `temporal_unavailable`, also when the namespace is not served in time
 */
export async function ensureNamespace(
  temporal: TemporalClient,
  options: EnsureNamespaceOptions,
): Promise<'created' | 'existing'> {
  const service = temporal.client.workflowService;
  const created = await callTemporal(async () => {
    if (await namespaceServed(temporal)) return false;
    try {
      await service.registerNamespace({
        namespace: temporal.namespace,
        description: 'Webhook deliveries of Hookstream',
        workflowExecutionRetentionPeriod: msToTs(Math.max(options.retentionMs, RETENTION_FLOOR_MS)),
      });
      return true;
    } catch (error) {
      if (grpcCode(error) === GRPC.alreadyExists) return false;
      throw error;
    }
  });
  await until(() => namespaceServed(temporal), options.timeoutMs, `namespace ${temporal.namespace}`);
  return created ? 'created' : 'existing';
}

/**
 * Registers Hookstream's search attributes where they are missing and returns once they can be used.
 * @throws DomainError `temporal_unavailable`, also when they are not usable in time
 */
export async function ensureSearchAttributes(
  temporal: TemporalClient,
  timeoutMs?: number,
): Promise<'created' | 'existing'> {
  const { namespace, operatorService } = temporal;
  const created = await callTemporal(async () => {
    if (await searchAttributesServed(temporal)) return false;
    const missing = await missingSearchAttributes(temporal);
    if (missing.length === 0) return false;
    try {
      await operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
      });
    } catch (error) {
      // Another process of ours was faster.
      if (grpcCode(error) !== GRPC.alreadyExists) throw error;
    }
    return true;
  });
  await until(() => searchAttributesServed(temporal), timeoutMs, 'search attributes');
  return created ? 'created' : 'existing';
}

/** Those of Hookstream's search attributes that the namespace does not have. @throws what the server answers */
export async function missingSearchAttributes({
  namespace,
  operatorService,
}: Pick<TemporalClient, 'namespace' | 'operatorService'>): Promise<string[]> {
  const known = (await operatorService.listSearchAttributes({ namespace })).customAttributes ?? {};
  return attributeNames().filter((name) => !(name in known));
}

/** A look-up of a workflow that does not exist passes every cache a later start will pass. */
async function namespaceServed(temporal: TemporalClient): Promise<boolean> {
  try {
    await temporal.client.workflow.getHandle('namespace-probe').describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    if (error instanceof NamespaceNotFoundError) return false;
    throw error;
  }
}

async function searchAttributesServed(temporal: TemporalClient): Promise<boolean> {
  const query = attributeNames()
    .map((name) => `${name} = 'probe'`)
    .join(' AND ');
  try {
    await temporal.client.workflow.count(query);
    return true;
  } catch (error) {
    if (grpcCode(error) === GRPC.invalidArgument) return false;
    throw error;
  }
}

function attributeNames(): string[] {
  return Object.values(SEARCH_ATTRIBUTE).map((key) => key.name);
}

async function until(
  ready: () => Promise<boolean>,
  timeoutMs = READY_TIMEOUT_MS,
  what: string,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await callTemporal(ready))) {
    if (Date.now() > deadline) {
      throw new DomainError('temporal_unavailable', `Temporal does not serve the ${what} yet.`);
    }
    await delay(POLL_MS);
  }
}
