// npm run chaos: breaks an instance of its own under load and checks that it keeps its promises. `npm run chaos -- --help`.
import { main, prepare } from './prepare.mjs';

const INTERRUPTED = 130;

await main(async () => {
  prepare('all');
  const { runChaos } = await import('../test/dist/chaos/main.js');
  const code = await runChaos(process.argv.slice(2));
  // Whatever an interruption left half done must not keep this process; its children end with it.
  if (code === INTERRUPTED) process.exit(code);
  return code;
});
