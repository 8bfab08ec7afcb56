export { HookstreamWorker, type WorkerOptions } from './worker.js';
