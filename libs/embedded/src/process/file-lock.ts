import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isAlive, type ProcessIdentity } from './process-identity.js';

export interface FileLock {
  release(): void;
}

/** Who holds a lock that could not be taken. */
export class LockHeldError extends Error {
  constructor(
    readonly path: string,
    readonly holder: ProcessIdentity,
  ) {
    super(`${path} is held by process ${holder.pid}`);
  }
}

/**
 * Takes a lock that dies with its holder: the file names the holding process, and a file of a process that no longer
 * lives is taken over.
 * @throws LockHeldError when a living process holds it.
 */
export function takeFileLock(path: string): FileLock {
  mkdirSync(dirname(path), { recursive: true });
  const own = identify(process.pid) ?? { pid: process.pid, startedAt: 'unknown' };
  const mine = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(mine, JSON.stringify(own), { mode: 0o600 });
  try {
    // A link appears whole or not at all: nobody ever reads a half-written lock.
    while (!tryLink(mine, path)) removeIfStale(path);
  } finally {
    rmSync(mine, { force: true });
  }
  return { release: () => releaseIfOwn(path, own) };
}

/** Like `takeFileLock`, but waits for its turn up to `timeoutMs`, telling `onWait` once who holds it. */
export async function waitForFileLock(
  path: string,
  timeoutMs: number,
  onWait: (holder: ProcessIdentity) => void,
): Promise<FileLock> {
  const deadline = Date.now() + timeoutMs;
  for (let told = false; ; told = true) {
    try {
      return takeFileLock(path);
    } catch (error) {
      if (!(error instanceof LockHeldError) || Date.now() > deadline) throw error;
      if (!told) onWait(error.holder);
      await sleep(250);
    }
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function removeIfStale(path: string): void {
  const holder = readHolder(path);
  if (holder && isAlive(holder)) throw new LockHeldError(path, holder);
  const aside = `${path}.stale.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Another process may have taken the stale lock over between our look and our rename: then it is given back.
  const moved = readHolder(aside);
  if (moved && isAlive(moved)) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

function releaseIfOwn(path: string, own: ProcessIdentity): void {
  const holder = readHolder(path);
  if (holder?.pid === own.pid && holder.startedAt === own.startedAt) rmSync(path, { force: true });
}
