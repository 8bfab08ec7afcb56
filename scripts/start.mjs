// npm start: everything on this machine with one command. Installs and builds first when that is needed.
import { main, prepare } from './prepare.mjs';

await main(async () => {
  prepare('product');
  if (process.env.npm_lifecycle_event) stopWithNpm();
  await import('../apps/standalone/dist/main.js');
});

/** A kill of npm (or of the shell it starts us with) is not always handed on to us. */
function stopWithNpm() {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  timer.unref();
}
