// The supervisor's entry, run by `npm start` once everything is installed and built.
import { runStandalone } from './run-standalone.js';

await runStandalone(process.env);
