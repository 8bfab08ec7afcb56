import type { ProcessIdentity, StopStep } from '@hookstream/embedded';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Ends servers and removes their directory should this process die without doing so, however it dies. */
export interface ProcessGuard {
  /** `steps`: how it is ended then; at once unless given. */
  watch(identity: ProcessIdentity, steps?: StopStep[]): void;
  /** All is put away: the guard ends without touching anything. */
  dismiss(): void;
}

export function startProcessGuard(directory: string): ProcessGuard {
  const main = fileURLToPath(new URL('process-guard-main.js', import.meta.url));
  // In a session of its own, or the signal that ends the test run would end the guard as well.
  const child = spawn(process.execPath, [main, directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  child.stdin.on('error', () => undefined);
  return {
    watch: (identity, steps) => child.stdin.write(`${JSON.stringify({ identity, steps })}\n`),
    dismiss: () => child.stdin.end('dismiss\n'),
  };
}
