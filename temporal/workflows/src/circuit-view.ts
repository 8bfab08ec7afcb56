import type { CircuitView, StoredCircuit } from '@hookstream/contracts';
import { probeTime } from '@hookstream/domain';

/** The breaker as its query answers it. */
export function viewCircuit({ memory, policy }: StoredCircuit): CircuitView {
  const { failingSince } = memory;
  return {
    state: memory.state,
    consecutiveFailures: memory.failures,
    failingSince: rfc3339(failingSince),
    lastFailureAt: rfc3339(memory.lastFailureAt),
    openedAt: rfc3339(memory.openedAt),
    nextProbeAt: rfc3339(probeTime(memory, policy)),
    disableAt: rfc3339(failingSince === null ? null : failingSince + policy.disable_after_ms),
  };
}

export function rfc3339(unixMs: number | null): string | null {
  return unixMs === null ? null : new Date(unixMs).toISOString();
}
