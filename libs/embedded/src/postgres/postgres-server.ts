import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../process/free-port.js';
import { ManagedProcess, stopByIdentity, type StopStep } from '../process/managed-process.js';
import { commandLine, identify, type ProcessIdentity } from '../process/process-identity.js';
import { openCluster, SUPERUSER, type PostgresCluster } from './postgres-cluster.js';

const DATABASE = 'hookstream';
// Crash recovery may have up to max_wal_size to read.
const READY_TIMEOUT_MS = 120_000;
/**
 * Past the largest id that a kernel gives out. Put into postmaster.pid in place of a dead postmaster's: the rest of the file stays,
 * by which Postgres makes sure that no backend of the old one is left.
 */
const NO_PROCESS = 4_194_305;
// Backends of a postmaster that was killed end by themselves, but the shared memory is theirs until then.
const PREDECESSOR_TIMEOUT_MS = 20_000;

/** SIGINT is Postgres' fast shutdown, SIGQUIT its immediate one (recovers at the next start). */
export const POSTGRES_STOP_STEPS: StopStep[] = [
  { signal: 'SIGINT', waitMs: 15_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 5_000, group: true },
];

export interface PostgresOptions {
  /** The instance's directory. The cluster is in `postgres` below it unless the Postgres user cannot reach it. */
  dataDir: string;
  logFile: string;
  /** Free-picked when not given. */
  port?: number;
  /** False switches fsync off: only for clusters that are thrown away. */
  durable?: boolean;
  /** Directory of `postgres` and `initdb` to use in place of those of the package; others must be able to run them. */
  programs?: string;
  /** Told in plain lines what a person would want to know (a place chosen elsewhere, a predecessor stopped). */
  notice?: (line: string) => void;
  /** Told as soon as the process exists, before it is ready. */
  onSpawn?: (identity: ProcessIdentity) => void;
}

export interface PostgresServer {
  process: ManagedProcess;
  port: number;
  /** Of the database `hookstream`, as superuser. */
  url: string;
  /** PGDATA. */
  clusterDirectory: string;
  stop(): Promise<void>;
}

/**
 * Starts Postgres on the loopback address and resolves when it answers queries. A postmaster of the same cluster that a
 * dead supervisor left running is stopped first.
 * @throws Error in plain words, with the server's last log lines; nothing is left running then.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const notice = options.notice ?? (() => undefined);
  const durable = options.durable ?? true;
  const cluster = openCluster({ dataDir: options.dataDir, durable, notice, programs: options.programs });
  await stopPredecessor(cluster, notice);
  const port = options.port ?? (await freePort());
  const child = await launch(cluster, port, options, durable);
  try {
    await ensureDatabase(cluster, port);
  } catch (error) {
    await child.stop(POSTGRES_STOP_STEPS);
    throw error;
  }
  return {
    process: child,
    port,
    url: urlOf(cluster, port, DATABASE),
    clusterDirectory: cluster.directory,
    stop: async () => {
      await child.stop(POSTGRES_STOP_STEPS);
    },
  };
}

async function launch(
  cluster: PostgresCluster,
  port: number,
  options: PostgresOptions,
  durable: boolean,
): Promise<ManagedProcess> {
  const deadline = Date.now() + PREDECESSOR_TIMEOUT_MS;
  for (;;) {
    const child = await ManagedProcess.start({
      name: 'postgres',
      command: cluster.binaries.postgres,
      args: ['-D', cluster.directory, ...settings(port, durable)],
      logFile: options.logFile,
      cwd: '/',
      ...(cluster.runAs === undefined ? {} : { uid: cluster.runAs.uid, gid: cluster.runAs.gid }),
    });
    options.onSpawn?.(child.identity);
    try {
      await waitUntilReady(child, urlOf(cluster, port, 'postgres'));
      return child;
    } catch (error) {
      await child.stop(POSTGRES_STOP_STEPS);
      const predecessorHolds = /shared memory block .* is still in use/.test(child.logTail());
      if (!predecessorHolds || Date.now() > deadline) throw error;
      await sleep(250);
    }
  }
}

function settings(port: number, durable: boolean): string[] {
  const values: Record<string, string> = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: durable ? '256MB' : '128MB',
    wal_compression: 'on',
    max_wal_size: '2GB',
    checkpoint_completion_target: '0.9',
    fsync: durable ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    // Idle sessions of a client that died without a word must not hold row locks for the TCP default of two hours.
    tcp_keepalives_idle: '30',
    log_line_prefix: '%m [%p] ',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  return Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

async function waitUntilReady(child: ManagedProcess, url: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (!child.running)
      throw new Error(`Postgres ended while starting (log: ${child.logFile}):\n${child.logTail()}`);
    const failure = await query(url, 'SELECT 1').then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    if (!failure) return;
    if (Date.now() > deadline) {
      throw new Error(
        `Postgres is not ready after ${READY_TIMEOUT_MS / 1000} s (${failure.message}; log: ${child.logFile})`,
      );
    }
    await Promise.race([sleep(50), child.exited]);
  }
}

async function ensureDatabase(cluster: PostgresCluster, port: number): Promise<void> {
  const maintenance = urlOf(cluster, port, 'postgres');
  const found = await query(maintenance, `SELECT 1 FROM pg_database WHERE datname = '${DATABASE}'`);
  if (found === 0) await query(maintenance, `CREATE DATABASE ${DATABASE}`);
}

async function query(url: string, sql: string): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rowCount ?? 0;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function urlOf(cluster: PostgresCluster, port: number, database: string): string {
  return `postgresql://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/${database}`;
}

/**
 * Reads postmaster.pid: a living postmaster of this very cluster is stopped. Otherwise its process is gone, but its id may
 * still be taken (by another program, or by a zombie that nobody has reaped yet), and Postgres would refuse to start.
 */
async function stopPredecessor(cluster: PostgresCluster, notice: (line: string) => void): Promise<void> {
  const file = join(cluster.directory, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  const identity = Number.isInteger(pid) && pid > 1 ? identify(pid) : undefined;
  if (identity && isPostmasterOf(pid, cluster.directory)) {
    notice(`a Postgres that an earlier run left behind (process ${pid}) is stopped first`);
    await stopByIdentity(identity, POSTGRES_STOP_STEPS);
  }
  if (existsSync(file)) writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, String(NO_PROCESS)));
}

function isPostmasterOf(pid: number, directory: string): boolean {
  const command = commandLine(pid);
  return (
    command.includes('postgres') &&
    (command.includes(` ${directory} `) || command.includes(` ${realpathSync(directory)} `))
  );
}
