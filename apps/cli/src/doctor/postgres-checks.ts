import { DAY_MS } from '@hookstream/domain';
import type { DatabaseConfig } from '@hookstream/config';
import {
  InstallationRepository,
  missingPartitions,
  openDatabase,
  schemaState,
  type Database,
  type ServerFacts,
} from '@hookstream/persistence';
import { postgresTrouble } from '../postgres-trouble.js';
import type { ReadableSettings } from './examine.js';
import { failed, looked, ok, skipped, someOf, warning, type Finding } from './finding.js';
import { examineKeys } from './key-checks.js';
import { examineProgress } from './progress-checks.js';

const OLDEST_VERSION = 150_000;
const ANSWER_TIMEOUT_MS = 8_000;
/** Beside the hot path's: CRUD and LISTEN. */
const FURTHER_CONNECTIONS = 6;
/** At least one API and one worker. */
const LEAST_PROCESSES = 2;
/** Signed with this machine's clock, receivers allow five minutes; leases and due times go by the database's. Milliseconds. */
const CLOCK_WARNING_MS = 2_000;
const CLOCK_FAILURE_MS = 30_000;

/** All that needs Postgres. */
export async function examinePostgres(settings: ReadableSettings, now: () => number): Promise<Finding[]> {
  const { database: config } = settings;
  if (config === undefined) return [skipped('postgres', 'its settings are not sound')];
  let database: Database;
  try {
    database = await openDatabase({
      ...{ url: config.url, poolSize: 2, applicationName: 'hookstream-doctor' },
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
    });
  } catch (error) {
    return [unreachable(error, config)];
  }
  try {
    return await examineDatabase(database, settings, config, now);
  } finally {
    await database.close();
  }
}

async function examineDatabase(
  database: Database,
  settings: ReadableSettings,
  config: DatabaseConfig,
  now: () => number,
): Promise<Finding[]> {
  const installation = new InstallationRepository(database.pool);
  const facts = await installation.serverFacts();
  const schema = await examineSchema(database);
  const findings = [
    ok('postgres', `${facts.version}, database ${facts.database} as ${facts.user} at ${placeOf(config)}`),
    ...versionFindings(facts),
    durability(facts),
    connections(facts, config),
    await looked('clocks', () => examineClocks(installation, now)),
    await looked('rights', () => examineRights(installation)),
    schema,
  ];
  if (schema.state === 'failed')
    return [...findings, skipped('partitions, keys, workers', 'the schema is not there')];
  return [
    ...findings,
    await looked('partitions', () => examinePartitions(database, now)),
    ...(await examineKeys(database, settings)),
    await looked('workers', () => examineProgress(database)),
  ];
}

function unreachable(error: unknown, config: DatabaseConfig): Finding {
  const trouble = postgresTrouble(error);
  const reason = trouble?.what ?? (error as Error).message;
  return failed(
    'postgres',
    `${reason} (${placeOf(config)})`,
    trouble?.mend ?? 'Look into the log of Postgres, then correct DATABASE_URL.',
  );
}

/** Without user and password. */
function placeOf({ url }: DatabaseConfig): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port === '' ? 5432 : port}${pathname}`;
}

function versionFindings({ versionNumber, version, isStandby }: ServerFacts): Finding[] {
  const findings: Finding[] = [];
  if (versionNumber < OLDEST_VERSION)
    findings.push(failed('postgres version', `${version} is too old`, 'Upgrade Postgres to 15 or newer.'));
  if (isStandby)
    findings.push(
      failed(
        'postgres role',
        'this server is a standby and takes no writes',
        'Point DATABASE_URL at the primary, for example with target_session_attrs=read-write.',
      ),
    );
  return findings;
}

function durability({ fsync, fullPageWrites, synchronousCommit }: ServerFacts): Finding {
  const off = Object.entries({
    fsync,
    full_page_writes: fullPageWrites,
    synchronous_commit: synchronousCommit,
  })
    .filter(([, value]) => value === 'off')
    .map(([name]) => name);
  if (off.length === 0) return ok('durability', `a commit is on disk when it is answered`);
  return failed(
    'durability',
    `${off.join(' and ')} off: an accepted event can be lost when Postgres or its machine dies`,
    `ALTER SYSTEM SET ${off[0]} = on; SELECT pg_reload_conf(); and look for ALTER ROLE or ALTER DATABASE … SET that overrule it.`,
  );
}

function connections({ connectionLimit }: ServerFacts, { poolSize }: DatabaseConfig): Finding {
  const each = poolSize + FURTHER_CONNECTIONS;
  const needed = each * LEAST_PROCESSES;
  if (needed <= connectionLimit)
    return ok(
      'connections',
      `up to ${each} a process, ${connectionLimit} allowed: room for ${Math.floor(connectionLimit / each)} processes`,
    );
  return failed(
    'connections',
    `a process takes up to ${each}, one API and one worker ${needed}; ${connectionLimit} are allowed`,
    'Lower HOOKSTREAM_DATABASE_POOL_SIZE, or raise max_connections of Postgres (or the limit of the database or role).',
  );
}

async function examineClocks(installation: InstallationRepository, now: () => number): Promise<Finding> {
  const before = now();
  const server = await installation.clock();
  const offMs = Math.round(server - (before + now()) / 2);
  const detail = `Postgres is ${Math.abs(offMs) / 1_000} s ${offMs < 0 ? 'behind' : 'ahead of'} this machine`;
  const mend =
    'Have NTP (chrony, systemd-timesyncd) set the clocks of all machines; look at `timedatectl` on both.';
  if (Math.abs(offMs) > CLOCK_FAILURE_MS)
    return failed(
      'clocks',
      `${detail}: receivers refuse signatures of another time, and due times are off`,
      mend,
    );
  if (Math.abs(offMs) > CLOCK_WARNING_MS) return warning('clocks', detail, mend);
  return ok('clocks', detail);
}

async function examineRights(installation: InstallationRepository): Promise<Finding> {
  const { createTables, foreignTables } = await installation.missingRights();
  const mend =
    'ALTER DATABASE … OWNER TO the user of DATABASE_URL, and REASSIGN OWNED for what another role made.';
  if (createTables) return failed('rights', 'the user may not create tables: no partition can be made', mend);
  if (foreignTables.length > 0)
    return failed(
      'rights',
      `the user does not own ${someOf(foreignTables)}: no partition can be made or dropped`,
      mend,
    );
  return ok('rights', 'the user owns the tables');
}

async function examineSchema(database: Database): Promise<Finding> {
  return looked('migrations', async () => {
    const { missing, unknown } = await schemaState(database);
    if (missing.length > 0)
      return failed(
        'migrations',
        `${missing.length} have not run: ${someOf(missing, 2)}`,
        'Run: npx hookstream migrate',
      );
    if (unknown.length > 0)
      return warning(
        'migrations',
        `the schema is newer than this version: ${someOf(unknown, 2)}`,
        'Upgrade this installation to the version that made them; an older one works beside it for the time of an upgrade.',
      );
    return ok('migrations', 'all have run');
  });
}

async function examinePartitions(database: Database, now: () => number): Promise<Finding> {
  const missing = await missingPartitions(database.pool, { now: now(), aheadMs: DAY_MS });
  if (missing.length === 0) return ok('partitions', 'there for today and tomorrow');
  return failed(
    'partitions',
    `missing: ${someOf(missing, 3)}; nothing can be stored on these days`,
    'Run: npx hookstream retention run; then see why maintenance does not (a worker, the schedule hookstream-maintenance in Temporal).',
  );
}
