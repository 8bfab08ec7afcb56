import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import {
  binariesIn,
  findPostgresBinaries,
  REACHABLE_ROOT,
  type PostgresBinaries,
} from './postgres-binaries.js';
import { canEnter, chooseRunAs, runCommandAs, type RunAs } from './run-as.js';

export const SUPERUSER = 'hookstream';

export interface PostgresCluster {
  /** The directory Postgres calls PGDATA. */
  directory: string;
  password: string;
  runAs: RunAs | undefined;
  binaries: PostgresBinaries;
}

interface ClusterRecord {
  /** Relative to the data directory, or absolute where the data directory is out of the Postgres user's reach. */
  directory: string;
  password: string;
}

export interface ClusterOptions {
  dataDir: string;
  /** False only for throw-away clusters: initdb then does not wait for the disk. */
  durable: boolean;
  notice: (line: string) => void;
  /** Directory of the programs; absent: those of the package. */
  programs?: string | undefined;
}

/** Finds the cluster of a data directory, or makes one. Its place and password are kept in `postgres.json` there. */
export function openCluster(options: ClusterOptions): PostgresCluster {
  mkdirSync(options.dataDir, { recursive: true });
  const recordFile = join(options.dataDir, 'postgres.json');
  const record = readRecord(recordFile);
  const existing = record && resolve(options.dataDir, record.directory);
  const usable = existing !== undefined && existsSync(join(existing, 'PG_VERSION'));
  if (record && existing && !usable && existsSync(existing) && readdirSync(existing).length > 0) {
    throw new Error(`${existing} is not a Postgres cluster although ${recordFile} says so`);
  }
  if (record && existing && !usable && isAbsolute(record.directory)) {
    throw new Error(
      `the Postgres cluster ${existing}, named by ${recordFile}, is missing. Delete that file to begin with an empty one.`,
    );
  }
  const runAs = chooseRunAs(usable ? existing : undefined);
  const binaries = options.programs
    ? binariesIn(options.programs, runAs)
    : findPostgresBinaries(runAs, options.notice);
  if (record && existing && usable)
    return { directory: existing, password: record.password, runAs, binaries };
  return createCluster(options, recordFile, runAs, binaries);
}

function createCluster(
  options: ClusterOptions,
  recordFile: string,
  runAs: RunAs | undefined,
  binaries: PostgresBinaries,
): PostgresCluster {
  const place = choosePlace(options, runAs);
  const directory = resolve(options.dataDir, place);
  if (existsSync(join(directory, 'PG_VERSION'))) {
    throw new Error(
      `${directory} holds a Postgres cluster whose password is not known: ${recordFile} is missing`,
    );
  }
  const password = randomBytes(24).toString('base64url');
  // The record first: a cluster that is in place is never without its password.
  writeFileSync(recordFile, `${JSON.stringify({ directory: place, password } satisfies ClusterRecord)}\n`, {
    mode: 0o600,
  });
  initialise(directory, password, runAs, binaries, options.durable);
  return { directory, password, runAs, binaries };
}

function choosePlace(options: ClusterOptions, runAs: RunAs | undefined): string {
  if (!runAs || canEnter(options.dataDir, runAs)) return 'postgres';
  const key = createHash('sha256').update(resolve(options.dataDir)).digest('hex').slice(0, 12);
  // With a random part: a new data directory at the path of a deleted one must not meet the old one's cluster.
  const directory = join(REACHABLE_ROOT, 'clusters', `${key}-${randomBytes(4).toString('hex')}`);
  options.notice(
    `Postgres runs as user ${runAs.name}, who cannot reach ${options.dataDir}: its files are kept in ${directory}`,
  );
  return directory;
}

/** initdb into a directory aside, renamed when complete: one that was interrupted leaves no half cluster behind. */
function initialise(
  directory: string,
  password: string,
  runAs: RunAs | undefined,
  binaries: PostgresBinaries,
  durable: boolean,
): void {
  const parent = dirname(directory);
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  const unfinished = `${basename(directory)}.init-`;
  for (const entry of readdirSync(parent)) {
    if (entry.startsWith(unfinished)) rmSync(join(parent, entry), { recursive: true, force: true });
  }
  const aside = join(parent, `${unfinished}${randomBytes(4).toString('hex')}`);
  mkdirSync(aside, { mode: 0o700 });
  const secrets = mkdtempSync(join(tmpdir(), 'hookstream-initdb-'));
  const passwordFile = join(secrets, 'password');
  try {
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    chmodSync(secrets, 0o700);
    if (runAs) for (const path of [aside, secrets, passwordFile]) chownSync(path, runAs.uid, runAs.gid);
    const args = ['-D', aside, '-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    args.push('-E', 'UTF8', '--locale=C', '--no-instructions', ...(durable ? [] : ['--no-sync']));
    const { status, message } = runCommandAs(binaries.initdb, args, runAs);
    if (status !== 0) throw new Error(`initdb failed: ${message}`);
    if (existsSync(directory)) rmSync(directory, { recursive: true });
    renameSync(aside, directory);
  } finally {
    rmSync(secrets, { recursive: true, force: true });
    rmSync(aside, { recursive: true, force: true });
  }
}

function readRecord(file: string): ClusterRecord | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ClusterRecord;
  } catch (error) {
    throw new Error(`${file} cannot be read: it holds the place and password of the Postgres cluster`, {
      cause: error,
    });
  }
}
