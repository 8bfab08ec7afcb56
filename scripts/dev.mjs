// npm run dev: the standalone instance in watch mode. A successful compile starts the API and the worker anew.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { main, prepare, root, runNode, say } from './prepare.mjs';

const instanceFile = join(resolve(process.env.HOOKSTREAM_DATA_DIR || '.hookstream'), 'instance.json');

await main(async () => {
  prepare('product');
  const compiler = spawn(
    process.execPath,
    [
      join('node_modules', 'typescript', 'bin', 'tsc'),
      '-b',
      '--watch',
      '--preserveWatchOutput',
      'apps/api',
      'apps/worker',
      'apps/standalone',
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  process.once('exit', () => compiler.kill());
  let first = true;
  createInterface({ input: compiler.stdout }).on('line', (line) => {
    console.log(line);
    if (!/Found 0 errors/.test(line)) return;
    if (!first) restart();
    first = false;
  });
  await import('../apps/standalone/dist/main.js');
});

/** The supervisor starts again what ends. */
function restart() {
  if (
    runNode([join('temporal', 'workflows', 'dist', 'build-bundle.js')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }) !== 0
  )
    return;
  try {
    const { processes } = JSON.parse(readFileSync(instanceFile, 'utf8'));
    for (const pid of [processes.api, processes.worker]) process.kill(pid, 'SIGTERM');
  } catch {
    say('compiled; the instance is not ready yet');
  }
}
