import type { AttemptsFailed, AttemptSucceeded } from '@hookstream/contracts';
import type { AttemptReport } from '@hookstream/activities';

/** What an endpoint's breaker is told at once: a success, then what failed after it. */
export interface CircuitMessage {
  succeeded: AttemptSucceeded | null;
  failed: AttemptsFailed | null;
}

/**
 * What one endpoint's attempts came to since its breaker was told last, in a few numbers however many they were. A success
 * makes the failures before it meaningless, so they are forgotten.
 */
export class CircuitNews {
  private succeeded: AttemptSucceeded | null = null;
  private failed: AttemptsFailed | null = null;
  /** Failures told since the last success: a success would be news then. */
  private toldFailures = 0;

  get waiting(): boolean {
    return this.succeeded !== null || this.failed !== null;
  }

  /** Whether forgetting this would change what is told next. */
  get worthKeeping(): boolean {
    return this.waiting || this.toldFailures > 0;
  }

  /** @returns whether it is to be told without delay: with it, the breaker may open. */
  failure(report: AttemptReport): boolean {
    const at = report.at.toISOString();
    const before = this.failed;
    this.failed = {
      count: (before?.count ?? 0) + 1,
      since: before?.since ?? at,
      last: at,
      operational: (before?.operational ?? 0) + (report.operational ? 1 : 0),
      ...probeOf(report, before),
    };
    return this.toldFailures + this.failed.count === report.circuit.failureThreshold || isProbe(report);
  }

  /** @returns whether it is to be told without delay. A success that changes nothing is not told at all. */
  success(report: AttemptReport): boolean {
    const { circuit } = report;
    const isNews = this.succeeded !== null || this.toldFailures > 0 || isWatched(circuit);
    this.failed = null;
    if (isNews) this.succeeded = { at: report.at.toISOString(), ...probeOf(report, this.succeeded) };
    return isProbe(report);
  }

  take(): CircuitMessage {
    const message = { succeeded: this.succeeded, failed: this.failed };
    if (message.succeeded !== null) this.toldFailures = 0;
    this.toldFailures += message.failed?.count ?? 0;
    this.succeeded = null;
    this.failed = null;
    return message;
  }

  /** What could not be told goes before what came meanwhile. */
  putBack(message: CircuitMessage): void {
    const { succeeded, failed } = this;
    this.toldFailures = Math.max(0, this.toldFailures - (message.failed?.count ?? 0));
    this.succeeded = succeeded ?? message.succeeded;
    // a success since makes the older failures meaningless
    if (succeeded === null) this.failed = merged(message.failed, failed);
  }
}

function merged(older: AttemptsFailed | null, newer: AttemptsFailed | null): AttemptsFailed | null {
  if (older === null || newer === null) return older ?? newer;
  return {
    ...older,
    ...newer,
    count: older.count + newer.count,
    operational: (older.operational ?? 0) + (newer.operational ?? 0),
    since: older.since,
  };
}

/** Whether a success at the endpoint means something to its breaker, as far as the database tells. */
export function isWatched({ state, failingSince, recovering }: AttemptReport['circuit']): boolean {
  return state !== 'closed' || failingSince !== null || recovering;
}

function isProbe({ circuit }: AttemptReport): boolean {
  return circuit.state === 'half_open';
}

/** What lets an attempt begin while the circuit is half open lets one go: the probe. */
function probeOf(report: AttemptReport, before: { probeOfTurn?: number } | null): { probeOfTurn?: number } {
  const probeOfTurn = isProbe(report) ? report.circuit.turn : before?.probeOfTurn;
  return probeOfTurn === undefined ? {} : { probeOfTurn };
}
