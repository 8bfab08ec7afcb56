import { cooldownMs, probeTime, type CircuitMemory, type CircuitPolicy } from '@hookstream/domain';

/** What the Web UI shows of a breaker, e.g. "open after 5 failures in a row since …; one probe may go at …". */
export function tellCircuit(memory: CircuitMemory, policy: CircuitPolicy): string {
  switch (memory.state) {
    case 'closed':
      return closed(memory, policy);
    case 'open':
      return open(memory, policy);
    case 'half_open':
      return `half open: one delivery may go, and its outcome decides. ${failing(memory)}`;
  }
}

function closed(memory: CircuitMemory, policy: CircuitPolicy): string {
  if (memory.failures === 0) return 'closed: nothing has failed since the last success';
  const opens =
    policy.failure_threshold === 0 ? 'the circuit is switched off' : `opens at ${policy.failure_threshold}`;
  return `closed: ${failing(memory)}; ${opens}`;
}

function open(memory: CircuitMemory, policy: CircuitPolicy): string {
  const probeAt = probeTime(memory, policy);
  const again = memory.trips > 1 ? ` (${memory.trips} times in a row)` : '';
  const cooldown = `${Math.round(cooldownMs(memory.trips, policy) / 1_000)} s`;
  return `open${again}: ${failing(memory)}; one probe may go at ${readableTime(probeAt)}, after ${cooldown}`;
}

function failing({ failures, failingSince }: CircuitMemory): string {
  return `${failures} failed attempts in a row since ${readableTime(failingSince)}`;
}

/** Seconds are exact enough for a person. */
function readableTime(unixMs: number | null): string {
  if (unixMs === null) return 'the last success';
  const text = new Date(unixMs).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}

/** One line beside a timer in the Web UI. */
export const WAKE_SUMMARY = {
  half_open: 'cool-down: then one probe may go',
  disable: 'only failures: then the endpoint is disabled',
  forget: 'old failures: then they count no more',
  store: 'tell the database',
  quiet: 'nothing to remember: then this run ends',
} as const;
