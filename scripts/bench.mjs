// npm run bench -- NAME [--json]: measures this machine with an instance of its own. `npm run bench` lists the names.
import { main, prepare } from './prepare.mjs';

const INTERRUPTED = 130;

await main(async () => {
  prepare('all');
  const { runBench } = await import('../test/dist/load/main.js');
  const code = await runBench(process.argv.slice(2));
  // Whatever an interruption left half done must not keep this process; its children end with it.
  if (code === INTERRUPTED) process.exit(code);
  return code;
});
