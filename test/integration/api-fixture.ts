import { createApi } from '@hookstream/api';
import type { ApiConfig } from '@hookstream/config';
import { TASK_QUEUE } from '@hookstream/contracts';
import { createLogger } from '@hookstream/observability';
import type { Database } from '@hookstream/persistence';
import { connectTemporal, type TemporalClient } from '@hookstream/temporal-client';
import { createTestDatabase, testTemporalOptions, uniqueTaskQueue } from '@hookstream/testing';
import { ContractChecker, type Answer } from '../contract/contract-checker.js';

export const OPERATOR_TOKEN = 'operator-token-of-the-tests';

interface CallOptions {
  /** API key or operator token. */
  token?: string;
  /** Serialised unless it is text or bytes already. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface TestTenant {
  id: string;
  key: string;
}

/** The real application on a real socket, Postgres and Temporal. Every answer is checked against the contract. */
export interface TestApi {
  url: string;
  database: Database;
  temporal: TemporalClient;
  taskQueue: string;
  controlTaskQueue: string;
  config: ApiConfig;
  routes: readonly { method: string; path: string; operationId: string; security: string[] }[];
  /** What the router serves, as `GET /api/v1/events/:id`. */
  registered: readonly string[];
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  createTenant(name?: string): Promise<TestTenant>;
  /** Rows of a query, for what no route shows. */
  rows<T extends object>(sql: string, values?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

export async function startTestApi(overrides: Partial<ApiConfig> = {}): Promise<TestApi> {
  const testDatabase = await createTestDatabase();
  const database = await testDatabase.open({ poolSize: 10 });
  const temporalOptions = testTemporalOptions();
  const temporal = connectTemporal(overrides.temporal ?? temporalOptions);
  const config = testConfig(testDatabase.url, temporalOptions, overrides);
  // the released names in a namespace of its own
  const shared = overrides.temporal === undefined;
  const taskQueue = shared ? uniqueTaskQueue('api') : TASK_QUEUE.deliveries;
  const controlTaskQueue = shared ? uniqueTaskQueue('api-control') : TASK_QUEUE.control;
  const app = await createApi({
    config,
    database,
    temporal,
    logger: createLogger({ name: 'api-test', level: 'fatal' }),
    deliveryTaskQueue: taskQueue,
    controlTaskQueue,
  });
  const registered: string[] = [];
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', ({ method, url: path }) => {
      for (const one of [method].flat()) registered.push(`${one} ${path}`);
    });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const checker = await ContractChecker.load();
  const call = (method: string, path: string, options: CallOptions = {}): Promise<Answer> =>
    send(checker, url, method, path, options);
  return {
    url,
    database,
    temporal,
    taskQueue,
    controlTaskQueue,
    config,
    routes: checker.routes,
    registered,
    call,
    createTenant: async (name = 'Acme') => {
      const { status, text, body } = await call('POST', '/tenants', {
        token: OPERATOR_TOKEN,
        body: { name },
      });
      if (status !== 201) throw new Error(`no tenant: ${text}`);
      return { id: body.id as string, key: body.api_key as string };
    },
    rows: async <T extends object>(sql: string, values: unknown[] = []) =>
      (await database.pool.query<T>(sql, values)).rows,
    close: async () => {
      await app.close();
      await temporal.close();
      await testDatabase.drop();
    },
  };
}

async function send(
  checker: ContractChecker,
  url: string,
  method: string,
  path: string,
  { token, body, headers }: CallOptions,
): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer: Answer = {
    status: response.status,
    headers: response.headers,
    text,
    body: text === '' ? undefined : JSON.parse(text),
  };
  checker.check(method, path, answer);
  return answer;
}

function testConfig(
  url: string,
  temporal: { address: string; namespace: string },
  overrides: Partial<ApiConfig>,
): ApiConfig {
  return {
    host: '127.0.0.1',
    port: 0,
    adminToken: OPERATOR_TOKEN,
    encryptionKeys: [Buffer.alloc(32, 7).toString('base64')],
    logLevel: 'error',
    metrics: { maxSeries: 1_000 },
    database: { url, poolSize: 10 },
    temporal: { ...temporal, retentionMs: 86_400_000, uiUrl: 'http://127.0.0.1:8233' },
    endpointUrls: { schemes: ['https', 'http'], ports: [] },
    accept: {
      maxBodyBytes: 1_048_576,
      batchSize: 200,
      queueLimit: 10_000,
      maxDeliverAheadMs: 7 * 86_400_000,
      idempotencyTtlMs: 86_400_000,
      defaultLane: 'auto',
    },
    tenantLimits: { eventsPerSecond: null, burst: null, maxPending: null, pendingCountIntervalMs: 100 },
    retentionMs: 30 * 86_400_000,
    readinessLagMs: 30_000,
    shutdownGraceMs: 10_000,
    ...overrides,
  };
}
