// Preloaded (node --import) into the API and the worker. Their supervisor holds the other end of standard input: when it
// ends, the supervisor is gone, however it died, and nobody would stop this process any more.
import { isMainThread } from 'node:worker_threads';

const GRACE_MS = 30_000;

// Worker threads preload this too, and their standard input is another one, which ends at once.
if (isMainThread) {
  process.stdin.on('end', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
  });
  process.stdin.on('error', () => undefined);
  process.stdin.resume();
  // The pipe alone must not keep a process alive that is done.
  (process.stdin as unknown as { unref?: () => void }).unref?.();
}
