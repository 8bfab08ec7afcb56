import type { CircuitView } from '@hookstream/contracts';
import { probeTime, type CircuitPolicy } from '@hookstream/domain';
import type { CircuitRecord } from '@hookstream/persistence';
import type { CircuitAnswer } from './dto/circuit.dto.js';

export function presentLiveCircuit(
  endpointId: string,
  view: CircuitView,
  policy: CircuitPolicy,
): CircuitAnswer {
  return {
    endpoint_id: endpointId,
    state: view.state,
    consecutive_failures: view.consecutiveFailures,
    failing_since: view.failingSince,
    last_failure_at: view.lastFailureAt,
    opened_at: view.openedAt,
    next_probe_at: view.nextProbeAt,
    disable_at: view.disableAt,
    policy,
    source: 'workflow',
  };
}

/** The same picture from what is stored. */
export function presentStoredCircuit(
  endpointId: string,
  { memory, policy }: Pick<CircuitRecord, 'memory' | 'policy'>,
): CircuitAnswer {
  const { failingSince } = memory;
  return {
    endpoint_id: endpointId,
    state: memory.state,
    consecutive_failures: memory.failures,
    failing_since: rfc3339(failingSince),
    last_failure_at: rfc3339(memory.lastFailureAt),
    opened_at: rfc3339(memory.openedAt),
    next_probe_at: rfc3339(probeTime(memory, policy)),
    disable_at: rfc3339(failingSince === null ? null : failingSince + policy.disable_after_ms),
    policy,
    source: 'record',
  };
}

function rfc3339(unixMs: number | null): string | null {
  return unixMs === null ? null : new Date(unixMs).toISOString();
}
