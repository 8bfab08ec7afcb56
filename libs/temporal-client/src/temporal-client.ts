import { DomainError } from '@hookstream/domain';
import { readFileSync } from 'node:fs';
import { Client, Connection, type OperatorService, type TLSConfig } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { restContext } from './call-context.js';
import { callTemporal, GRPC, grpcCode } from './temporal-errors.js';

export interface TemporalOptions {
  /** `host:port` of the server's gRPC frontend. */
  address: string;
  namespace: string;
  /** Absent: no TLS. An empty object: by the authorities that the system trusts. Files are PEM. Implied by `apiKey`. */
  tls?: { serverCaFile?: string; serverName?: string; client?: { certFile: string; keyFile: string } };
  apiKey?: string;
}

/** A client bound to one namespace. Its calls fail with `temporal_unavailable` while the server is away and work again once it is back. */
export interface TemporalClient {
  readonly client: Client;
  readonly namespace: string;
  /** Administration of the server; Temporal Cloud does not offer it. */
  readonly operatorService: OperatorService;
  /** Whether a worker in this process may be handed a workflow's first task in the answer to its start. */
  readonly eagerStart: boolean;
  /** Asks the server for a sign of life. @throws DomainError `temporal_unavailable` */
  check(timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

export interface WorkerTemporalClient extends TemporalClient {
  /** For `Worker.create`: eager start needs the worker and the client on the same connection. */
  readonly nativeConnection: NativeConnection;
}

const CHECK_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * For processes without workers. Returns at once and connects with the first call, so that a process may
 * start before Temporal does.
 */
export function connectTemporal(options: TemporalOptions): TemporalClient {
  const connection = Connection.lazy({
    ...security(options),
    address: options.address,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // gRPC waits up to two minutes between tries by default: far longer than a server takes to come back.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 },
  });
  restContext(connection.callContextStorage);
  return bind(connection, options.namespace, false);
}

/**
 * For worker processes. Connects at once, because a worker's connection cannot be lazy; once connected it
 * recovers by itself.
 * @throws DomainError `temporal_unavailable` when the server cannot be reached: try again later
 */
export async function connectTemporalWorker(options: TemporalOptions): Promise<WorkerTemporalClient> {
  const nativeConnection = await callTemporal(() =>
    NativeConnection.connect({
      ...security(options),
      address: options.address,
      // Compressing costs more CPU than it saves where no wire is in between.
      ...(isLoopback(options.address) ? { grpcCompression: { codec: 'none' as const } } : {}),
    }),
  );
  restContext(nativeConnection.callContextStorage);
  return { ...bind(nativeConnection, options.namespace, true), nativeConnection };
}

function bind(
  connection: Connection | NativeConnection,
  namespace: string,
  eagerStart: boolean,
): TemporalClient {
  return {
    client: new Client({ connection, namespace }),
    namespace,
    operatorService: connection.operatorService,
    eagerStart,
    check: (timeoutMs = CHECK_TIMEOUT_MS) =>
      callTemporal(() =>
        connection.withDeadline(Date.now() + timeoutMs, () => describeNamespace(connection, namespace)),
      ),
    close: () => connection.close(),
  };
}

async function describeNamespace(
  connection: Connection | NativeConnection,
  namespace: string,
): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    if (grpcCode(error) !== GRPC.notFound) throw error;
    throw new DomainError('temporal_unavailable', `Temporal has no namespace "${namespace}" yet.`);
  }
}

/** @throws Error naming a file that cannot be read */
function security({ tls, apiKey }: TemporalOptions): { tls?: TLSConfig; apiKey?: string } {
  if (tls === undefined && apiKey === undefined) return {};
  const { serverCaFile, serverName, client } = tls ?? {};
  return {
    tls: {
      ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
      ...(serverCaFile === undefined ? {} : { serverRootCACertificate: readFileSync(serverCaFile) }),
      ...(client === undefined
        ? {}
        : { clientCertPair: { crt: readFileSync(client.certFile), key: readFileSync(client.keyFile) } }),
    },
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

function isLoopback(address: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(address);
}
