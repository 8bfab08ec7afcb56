import { execFile, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  writeFileSync,
  type Dirent,
} from 'node:fs';
import { cp, copyFile, mkdir, readdir, stat, chown, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '@hookstream/testing';
import pg from 'pg';
import { Installation, type InstallationOptions } from './installation.js';

const execute = promisify(execFile);
const ARCHIVED_WITHIN_MS = 60_000;

/** One of the ways that the guide has to back up Postgres. */
export interface BackupWay {
  /** Before anything is written. */
  prepare(site: Installation): Promise<void>;
  /** The part that takes long, while everything goes on. */
  begin(site: Installation): Promise<void>;
  /** Afterwards the backup holds all that was committed before this call. */
  finish(site: Installation): Promise<void>;
  /** A new site with what the backup holds. API and workers are not started. */
  restore(options: InstallationOptions): Promise<Installation>;
}

/** What pg_basebackup leaves out too: of this very server, or made anew. */
const NOT_COPIED = ['postmaster.pid', 'postmaster.opts', 'pg_internal.init'];
const EMPTY = [
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_subtrans',
];

/** Continuously: a base backup, and the log that Postgres archives from then on. By Postgres' own functions, so that no client is needed. */
export class ArchiveBackup implements BackupWay {
  private readonly base: string;
  private readonly archive: string;
  private password = '';

  /** @param directory where the backups are, which is not lost */
  constructor(directory: string) {
    this.base = join(directory, 'base');
    this.archive = join(directory, 'archive');
    mkdirSync(this.archive, { recursive: true });
    // Postgres may run as another user.
    chmodSync(this.archive, 0o777);
  }

  async prepare(site: Installation): Promise<void> {
    // Under its name a segment is whole, whenever Postgres or the machine stops.
    const command = `cp %p ${this.archive}/%f.part && mv ${this.archive}/%f.part ${this.archive}/%f`;
    await run(site.databaseUrl, `ALTER SYSTEM SET archive_mode = 'on'`);
    await run(site.databaseUrl, `ALTER SYSTEM SET archive_command = '${command}'`);
    await site.stopPostgres();
    await site.startPostgres();
    this.password = decodeURIComponent(new URL(site.databaseUrl).password);
  }

  async begin(site: Installation): Promise<void> {
    const client = new pg.Client({ connectionString: site.databaseUrl });
    await client.connect();
    try {
      await client.query(`SELECT pg_backup_start('restore', true)`);
      await copyLiveCluster(site.clusterDirectory, this.base);
      const { rows } = await client.query<{ labelfile: string }>(
        'SELECT labelfile FROM pg_backup_stop(true)',
      );
      writeFileSync(join(this.base, 'backup_label'), rows[0]?.labelfile ?? '');
    } finally {
      await client.end();
    }
  }

  async finish(site: Installation): Promise<void> {
    const [last] = await run<{ name: string }>(
      site.databaseUrl,
      'SELECT pg_walfile_name(pg_switch_wal()) AS name',
    );
    await eventually(() => existsSync(join(this.archive, last?.name ?? '')), {
      timeoutMs: ARCHIVED_WITHIN_MS,
    });
  }

  async restore(options: InstallationOptions): Promise<Installation> {
    const cluster = join(options.directory, 'postgres');
    mkdirSync(options.directory, { recursive: true });
    await cp(this.base, cluster, { recursive: true, preserveTimestamps: true });
    const recovery = `\nrestore_command = 'cp ${this.archive}/%f %p'\narchive_mode = 'off'\n`;
    appendFileSync(join(cluster, 'postgresql.auto.conf'), recovery);
    writeFileSync(join(cluster, 'recovery.signal'), '');
    await giveTo(cluster, await stat(this.base));
    const record = { directory: 'postgres', password: this.password };
    writeFileSync(join(options.directory, 'postgres.json'), JSON.stringify(record), { mode: 0o600 });
    const site = new Installation(options);
    await site.startServers();
    await eventually(
      async () => (await run(site.databaseUrl, 'SELECT 1 WHERE NOT pg_is_in_recovery()')).length > 0,
      { timeoutMs: ARCHIVED_WITHIN_MS },
    );
    return site;
  }
}

/** By dump, with the commands of the guide and roles as docker-compose.yml makes them. */
export class DumpBackup implements BackupWay {
  private readonly dump: string;

  /** @param programs directory of the Postgres programs, which have to be of the server's version */
  constructor(
    directory: string,
    private readonly programs: string,
  ) {
    this.dump = join(directory, 'hookstream.dump');
  }

  async prepare(site: Installation): Promise<void> {
    const superuser = operatorUrl(site);
    const password = decodeURIComponent(new URL(site.databaseUrl).password);
    await run(site.databaseUrl, `CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '${password}'`);
    await run(superuser, 'DROP DATABASE hookstream');
    await run(superuser, 'ALTER ROLE hookstream RENAME TO harness');
    await run(superuser, `CREATE ROLE hookstream LOGIN PASSWORD '${password}'`);
    await run(superuser, 'CREATE DATABASE hookstream OWNER hookstream');
  }

  async begin(): Promise<void> {
    // A dump is all there is, and as of the moment at which it begins.
  }

  async finish(site: Installation): Promise<void> {
    await execute(join(this.programs, 'pg_dump'), ['-Fc', '-f', this.dump, site.databaseUrl]);
  }

  async restore(options: InstallationOptions): Promise<Installation> {
    const site = new Installation({ ...options, postgresPrograms: this.programs });
    await site.startServers();
    await this.prepare(site);
    await run(operatorUrl(site), 'DROP DATABASE hookstream');
    const { port, password } = new URL(site.databaseUrl);
    const env = {
      ...{ PGHOST: '127.0.0.1', PGPORT: port, PGUSER: 'postgres' },
      PGPASSWORD: decodeURIComponent(password),
    };
    await execute(join(this.programs, 'createdb'), ['-O', 'hookstream', 'hookstream'], { env });
    const restoring = ['--no-owner', '--role=hookstream', '-d', 'hookstream', this.dump];
    await execute(join(this.programs, 'pg_restore'), restoring, { env });
    return site;
  }
}

/** Programs of a Postgres that is installed on this machine, clients and server of one version; the newest. Undefined without any. */
export function installedPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const candidates = versions.map((version) => join(debian, version, 'bin'));
  try {
    candidates.unshift(execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', stdio: 'pipe' }).trim());
  } catch {
    // Not installed, or without its development files.
  }
  const needed = ['postgres', 'initdb', 'pg_dump', 'pg_restore', 'createdb'];
  return candidates.find((directory) => needed.every((name) => existsSync(join(directory, name))));
}

function operatorUrl(site: Installation): string {
  const url = new URL(site.databaseUrl);
  url.username = 'postgres';
  url.pathname = '/postgres';
  return url.href;
}

async function run<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Files come and go while they are copied: the log makes good what the copy has of different moments. */
async function copyLiveCluster(from: string, to: string, path = ''): Promise<void> {
  await mkdir(join(to, path), { recursive: true });
  const entries = await readdir(join(from, path), { withFileTypes: true }).catch(noneIfGone);
  for (const entry of entries) {
    const inner = join(path, entry.name);
    if (NOT_COPIED.includes(entry.name)) continue;
    if (entry.isDirectory() && EMPTY.includes(inner)) await mkdir(join(to, inner), { recursive: true });
    else if (entry.isDirectory()) await copyLiveCluster(from, to, inner);
    else await copyFile(join(from, inner), join(to, inner)).catch(ifGone);
  }
  if (path === '') await giveTo(to, await stat(from));
}

function noneIfGone(error: NodeJS.ErrnoException): Dirent[] {
  ifGone(error);
  return [];
}

function ifGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** To the user that Postgres runs as, and closed to all others, as Postgres wants it. */
async function giveTo(directory: string, owner: { uid: number; gid: number }): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true }))
    await chown(join(entry.parentPath, entry.name), owner.uid, owner.gid);
  await chown(directory, owner.uid, owner.gid);
  await chmod(directory, 0o700);
}
