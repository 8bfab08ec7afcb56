// npm run upgrade: goes from an earlier version to this one under load, and back, and checks that nobody notices. `-- --help`.
import { buildEarlier } from './earlier-version.mjs';
import { main, prepare } from './prepare.mjs';

const INTERRUPTED = 130;

await main(async () => {
  prepare('all');
  const { runUpgrade } = await import('../test/dist/upgrade/main.js');
  const code = await runUpgrade(process.argv.slice(2), buildEarlier);
  // Whatever an interruption left half done must not keep this process; its children end with it.
  if (code === INTERRUPTED) process.exit(code);
  return code;
});
