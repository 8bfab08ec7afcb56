import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { waitForFileLock } from '../process/file-lock.js';
import { buildWithGo } from './temporal-build.js';
import { downloadRelease } from './temporal-download.js';

/** The release that is downloaded or built. Later ones cannot be built with `go install`: their go.mod has a `replace`. */
export const TEMPORAL_CLI_VERSION = '1.5.1';

const LOCK_TIMEOUT_MS = 20 * 60_000;
const PROGRAM = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

export interface TemporalBinary {
  path: string;
  /** Which of the ways was taken, in plain words. */
  source: string;
}

export interface TemporalBinaryOptions {
  /** The environment to look in: HOOKSTREAM_TEMPORAL_CLI, PATH, XDG_CACHE_HOME. */
  env: NodeJS.ProcessEnv;
  notice: (line: string) => void;
}

/**
 * The `temporal` program: HOOKSTREAM_TEMPORAL_CLI, else on PATH, else the user's cache directory, else the official
 * release, else built with Go. What is downloaded or built goes to the cache directory, which all clones share.
 * @throws Error naming the choices when none works.
 */
export async function resolveTemporalBinary(options: TemporalBinaryOptions): Promise<TemporalBinary> {
  const { env, notice } = options;
  const chosen = env['HOOKSTREAM_TEMPORAL_CLI'];
  if (chosen) {
    if (!works(chosen))
      throw new Error(`HOOKSTREAM_TEMPORAL_CLI names ${chosen}, which is no runnable temporal program`);
    return { path: chosen, source: 'HOOKSTREAM_TEMPORAL_CLI' };
  }
  const onPath = findOnPath(env['PATH'] ?? '');
  if (onPath) return { path: onPath, source: 'PATH' };
  const cached = join(
    env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'hookstream',
    'temporal',
    TEMPORAL_CLI_VERSION,
    PROGRAM,
  );
  if (isProgram(cached)) return { path: cached, source: 'cache' };
  mkdirSync(dirname(cached), { recursive: true });
  const lock = await waitForFileLock(`${cached}.lock`, LOCK_TIMEOUT_MS, (holder) => {
    notice(`waiting for process ${holder.pid}, which is fetching the Temporal server`);
  });
  try {
    if (isProgram(cached)) return { path: cached, source: 'cache' };
    return await obtain(cached, options);
  } finally {
    lock.release();
  }
}

async function obtain(target: string, { env, notice }: TemporalBinaryOptions): Promise<TemporalBinary> {
  const failures: string[] = [];
  const ways = [
    { source: 'official release', get: () => downloadRelease(TEMPORAL_CLI_VERSION, target, notice) },
    { source: 'built with Go', get: () => buildWithGo(TEMPORAL_CLI_VERSION, target, env, notice) },
  ];
  for (const { source, get } of ways) {
    try {
      await get();
      if (!works(target)) throw new Error(`${target} does not run on this system`);
      return { path: target, source };
    } catch (error) {
      failures.push(`${source}: ${(error as Error).message}`);
      notice(`Temporal server, ${failures.at(-1)}`);
    }
  }
  throw new Error(
    [
      'no Temporal server program (temporal) could be had:',
      ...failures.map((failure) => `  - ${failure}`),
      'Choose one:',
      '  - install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH',
      '  - set HOOKSTREAM_TEMPORAL_CLI to the path of a temporal program',
      `  - put one at ${target}`,
      '  - install Go 1.24 or later and start again: it is then built from source',
    ].join('\n'),
  );
}

function findOnPath(path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, PROGRAM))
    .find((candidate) => isProgram(candidate) && works(candidate));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return existsSync(path);
  } catch {
    return false;
  }
}

function works(path: string): boolean {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 30_000 });
  return status === 0 && stdout.startsWith('temporal version');
}
