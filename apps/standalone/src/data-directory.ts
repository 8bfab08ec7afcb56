import { LockHeldError, takeFileLock, type FileLock } from '@hookstream/embedded';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PlainError } from './plain-error.js';

/** The files of one instance. All that hold secrets are readable by their owner only. */
export class DataDirectory {
  readonly path: string;
  readonly logs: string;
  readonly temporalDatabase: string;

  constructor(path: string) {
    this.path = resolve(path);
    this.logs = join(this.path, 'logs');
    this.temporalDatabase = join(this.path, 'temporal.db');
  }

  get instanceFile(): string {
    return join(this.path, 'instance.json');
  }

  /**
   * Makes the directory and takes it for this process.
   * @throws PlainError when another instance runs on it.
   */
  take(): FileLock {
    try {
      // Others may pass through but not list it: as root, Postgres runs as another user and has its files below.
      mkdirSync(this.path, { recursive: true, mode: 0o711 });
      mkdirSync(this.logs, { recursive: true, mode: 0o700 });
      return takeFileLock(join(this.path, 'lock'));
    } catch (error) {
      if (!(error instanceof LockHeldError)) {
        throw new PlainError(`cannot use ${this.path} (HOOKSTREAM_DATA_DIR): ${(error as Error).message}`);
      }
      throw new PlainError(
        `an instance already runs on ${this.path} (process ${error.holder.pid}). ` +
          'Stop it first, or give this one another HOOKSTREAM_DATA_DIR.',
      );
    }
  }

  logFile(name: string): string {
    return join(this.logs, `${name}.log`);
  }

  /** @throws PlainError when the file is there but broken. */
  readJson<T>(name: string): T | undefined {
    const file = join(this.path, name);
    if (!existsSync(file)) return undefined;
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as T;
    } catch {
      throw new PlainError(`${file} is not readable JSON`);
    }
  }

  /** Whole or not at all: readers and a crash in between see the old file or the new one. */
  writeJson(name: string, value: unknown): void {
    const file = join(this.path, name);
    const unfinished = `${file}.${process.pid}.tmp`;
    writeFileSync(unfinished, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(unfinished, file);
  }

  remove(name: string): void {
    rmSync(join(this.path, name), { force: true });
  }
}
