import { DAY_MS } from '@hookstream/domain';
import {
  resolveTemporalBinary,
  startPostgres,
  startTemporal,
  type PostgresServer,
  type TemporalServer,
} from '@hookstream/embedded';
import { ensurePartitions, openDatabase, runMigrations } from '@hookstream/persistence';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import {
  POSTGRES_URL_VARIABLE,
  TEMPLATE_DATABASE,
  TEMPORAL_ADDRESS_VARIABLE,
  urlOfDatabase,
} from '../test-environment.js';
import { startProcessGuard } from './process-guard.js';

export interface TestServers {
  stop(): Promise<void>;
}

/**
 * Starts one throw-away Postgres with a migrated template database and one Temporal dev server in memory, and names
 * both in the environment of this process, which the test workers inherit.
 */
export async function startTestServers(): Promise<TestServers> {
  const directory = mkdtempSync(join(tmpdir(), 'hookstream-test-'));
  // As root, Postgres runs as another user, who has to get through to its own directory below.
  chmodSync(directory, 0o711);
  const guard = startProcessGuard(directory);
  const notice = (line: string): void => console.log(line);
  let postgres: PostgresServer | undefined;
  let temporal: TemporalServer | undefined;
  const stop = async (): Promise<void> => {
    // The immediate way: nothing of these two is kept.
    await Promise.all([
      postgres?.process.stop([
        { signal: 'SIGQUIT', waitMs: 5_000 },
        { signal: 'SIGKILL', waitMs: 5_000, group: true },
      ]),
      temporal?.process.stop([{ signal: 'SIGKILL', waitMs: 5_000, group: true }]),
    ]);
    guard.dismiss();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    postgres = await startPostgres({
      dataDir: directory,
      logFile: join(directory, 'postgres.log'),
      durable: false,
      notice,
    });
    guard.watch(postgres.process.identity);
    const binary = await resolveTemporalBinary({ env: process.env, notice });
    temporal = await startTemporal({
      binary: binary.path,
      logFile: join(directory, 'temporal.log'),
      uiPort: false,
    });
    guard.watch(temporal.process.identity);
    await makeTemplate(postgres.url);
  } catch (error) {
    await stop();
    throw error;
  }
  process.env[POSTGRES_URL_VARIABLE] = urlOfDatabase(postgres.url, 'postgres');
  process.env[TEMPORAL_ADDRESS_VARIABLE] = temporal.address;
  return { stop };
}

/** Every test database is a copy of this one, so that the migrations run once. */
async function makeTemplate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`);
  await client.end();
  const database = await openDatabase({
    url: urlOfDatabase(url, TEMPLATE_DATABASE),
    poolSize: 2,
    applicationName: 'hookstream-test-template',
  });
  try {
    await runMigrations(database);
    await ensurePartitions(database.pool, { now: Date.now(), aheadMs: 2 * DAY_MS });
  } finally {
    await database.close();
  }
}
