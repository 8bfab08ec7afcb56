import { NAMESPACE, SEARCH_ATTRIBUTE } from '@hookstream/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, freePorts } from '../process/free-port.js';
import { ManagedProcess, type StopStep } from '../process/managed-process.js';
import type { ProcessIdentity } from '../process/process-identity.js';

const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;

export const TEMPORAL_STOP_STEPS: StopStep[] = [
  { signal: 'SIGTERM', waitMs: 10_000 },
  { signal: 'SIGKILL', waitMs: 5_000, group: true },
];

// The server's own caps are meant for clusters shared by many teams; past them it slows callers down without a word.
// One instance has its server to itself, so the machine is the limit.
const DYNAMIC_CONFIG: Record<string, string> = {
  'frontend.rps': '100000',
  'frontend.namespaceRPS': '100000',
  'frontend.namespaceCount': '20000',
  'frontend.namespaceRPS.visibility': '1000',
  'frontend.persistenceMaxQPS': '100000',
  'history.rps': '100000',
  'history.persistenceMaxQPS': '100000',
  'matching.rps': '100000',
  'matching.persistenceMaxQPS': '100000',
  'worker.persistenceMaxQPS': '10000',
  'system.visibilityPersistenceMaxReadQPS': '50000',
  'system.visibilityPersistenceMaxWriteQPS': '50000',
  'system.enableEagerWorkflowStart': 'true',
  'system.enableActivityEagerExecution': 'true',
  // The dev server reads the search attributes anew at every request; ours are registered before it starts.
  'system.forceSearchAttributesCacheRefreshOnRead': 'false',
};

export interface TemporalOptions {
  /** The `temporal` program. */
  binary: string;
  /** SQLite file; without it, everything is in memory and gone with the process. */
  databaseFile?: string;
  logFile: string;
  /** Free-picked when not given. */
  port?: number;
  /** Where the Web UI listens; false starts none. */
  uiPort: number | false;
  /** Address of the Web UI, loopback unless given. */
  uiIp?: string;
  /** How far it steps back when the machine is full, 0 to 19. Default 0. */
  niceness?: number;
  /** Told as soon as the process exists, long before it is ready. */
  onSpawn?: (identity: ProcessIdentity) => void;
}

export interface TemporalServer {
  process: ManagedProcess;
  /** gRPC, `host:port`. */
  address: string;
  uiUrl: string | undefined;
  stop(): Promise<void>;
}

/**
 * Starts Temporal's dev server with our namespace and search attributes and resolves when it answers for them.
 * @throws Error in plain words, with the server's last log lines; nothing is left running then.
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const [httpPort, metricsPort] = (await freePorts(2)) as [number, number];
  const port = options.port ?? (await freePort());
  const child = await ManagedProcess.start({
    name: 'temporal',
    command: options.binary,
    args: serverArguments(options, port, httpPort, metricsPort),
    logFile: options.logFile,
    ...(options.niceness === undefined ? {} : { niceness: options.niceness }),
  });
  options.onSpawn?.(child.identity);
  try {
    await waitUntilReady(child, httpPort);
  } catch (error) {
    await child.stop(TEMPORAL_STOP_STEPS);
    throw error;
  }
  return {
    process: child,
    address: `127.0.0.1:${port}`,
    uiUrl: options.uiPort === false ? undefined : `http://${options.uiIp ?? '127.0.0.1'}:${options.uiPort}`,
    stop: async () => {
      await child.stop(TEMPORAL_STOP_STEPS);
    },
  };
}

function serverArguments(
  options: TemporalOptions,
  port: number,
  httpPort: number,
  metricsPort: number,
): string[] {
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)];
  args.push('--http-port', String(httpPort), '--metrics-port', String(metricsPort));
  args.push('--namespace', NAMESPACE, '--log-level', 'warn');
  if (options.uiPort === false) args.push('--headless');
  else args.push('--ui-port', String(options.uiPort), '--ui-ip', options.uiIp ?? '127.0.0.1');
  if (options.databaseFile !== undefined) {
    // WAL with synchronous=NORMAL survives the death of the process at any moment (SQLite, "Atomic Commit").
    args.push(
      '--db-filename',
      options.databaseFile,
      '--sqlite-pragma',
      'journal_mode=wal',
      '--sqlite-pragma',
      'synchronous=1',
    );
  }
  for (const attribute of Object.values(SEARCH_ATTRIBUTE))
    args.push('--search-attribute', `${attribute.name}=Keyword`);
  for (const [key, value] of Object.entries(DYNAMIC_CONFIG))
    args.push('--dynamic-config-value', `${key}=${value}`);
  return args;
}

async function waitUntilReady(child: ManagedProcess, httpPort: number): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (!child.running)
      throw new Error(
        `the Temporal server ended while starting (log: ${child.logFile}):\n${child.logTail()}`,
      );
    if (await answersForNamespace(httpPort)) return;
    if (Date.now() > deadline) {
      throw new Error(
        `the Temporal server is not ready after ${READY_TIMEOUT_MS / 1000} s (log: ${child.logFile}):\n${child.logTail()}`,
      );
    }
    await Promise.race([sleep(50), child.exited]);
  }
}

/** Asks the server's HTTP API, so that this package needs no gRPC client. */
async function answersForNamespace(httpPort: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/api/v1/namespaces/${NAMESPACE}`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
