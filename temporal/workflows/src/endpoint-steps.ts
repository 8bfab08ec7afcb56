import type { EndpointActivities } from '@hookstream/contracts';
import { proxyActivities } from '@temporalio/workflow';

/**
 * - startToClose: single statements and one short transaction; a pool that is used up answers within seconds.
 * - retry: without end, because the breaker's decision stands while our database is away. Quick at first: until an opening is
 *   stored, dispatchers go on; gentle later on what is coming back.
 */
export const { loadCircuit, projectCircuit, disableEndpoint } = proxyActivities<EndpointActivities>({
  startToCloseTimeout: '30 s',
  retry: { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '15 s' },
});
