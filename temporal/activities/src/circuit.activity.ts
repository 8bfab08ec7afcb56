import type { EndpointActivities } from '@hookstream/contracts';
import type { CircuitsRepository } from '@hookstream/persistence';

export interface EndpointActivityDeps {
  circuits: Pick<CircuitsRepository, 'load' | 'store' | 'disable'>;
}

/** The activities of `endpointWorkflow`. */
export function createEndpointActivities({ circuits }: EndpointActivityDeps): EndpointActivities {
  return {
    loadCircuit: (key) => circuits.load(key),
    projectCircuit: ({ seq, memory, probeAt, happened, ...key }) =>
      circuits.store(key, { seq, memory, probeAt: probeAt === null ? null : new Date(probeAt) }, happened),
    disableEndpoint: ({ seq, memory, failingSince, announce, ...key }) =>
      circuits.disable(
        key,
        { seq, memory, probeAt: null },
        { failingSince: new Date(failingSince), announce },
      ),
  };
}
