import {
  attemptsFailed,
  attemptSucceeded,
  circuitState,
  endpointChanged,
  resetCircuit,
  type EndpointWorkflowInput,
} from '@hookstream/contracts';
import { setHandler } from '@temporalio/workflow';
import { EndpointNews } from './endpoint-news.js';
import { EndpointRun } from './endpoint-run.js';
import { at, takeSignalsInOrder } from './signal-order.js';

/**
 * The breaker of one endpoint: counts what its attempts came to, opens, lets a probe go after the cool-down, closes, and disables
 * the endpoint that only fails. Open for as long as there is something to remember. Decides only; the database, which everybody else
 * reads, is told by activities.
 */
export async function endpointWorkflow(input: EndpointWorkflowInput): Promise<void> {
  const news = new EndpointNews();
  const run = new EndpointRun(input, news);
  setHandler(circuitState, () => run.view());
  takeSignalsInOrder([
    at(attemptsFailed, (report) => news.add({ kind: 'failed', report })),
    at(attemptSucceeded, (report) => news.add({ kind: 'succeeded', report })),
    at(endpointChanged, () => news.add({ kind: 'changed' })),
    at(resetCircuit, ({ enabledAgain = false } = {}) => news.add({ kind: 'reset', enabledAgain })),
  ]);
  await run.untilQuiet();
}
