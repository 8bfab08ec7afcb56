// npm run build: compiles everything, tests included, and the workflow bundle.
import { main, prepare } from './prepare.mjs';

await main(() => prepare('all'));
