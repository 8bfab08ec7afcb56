import type { LoadedCircuit } from '@hookstream/persistence';

/** What an attempt came to, for the breaker of its endpoint. */
export interface AttemptReport {
  tenantId: string;
  endpointId: string;
  /** For the Web UI. */
  endpointUrl: string;
  succeeded: boolean;
  at: Date;
  /** It carried an operational event: what follows from it is told to nobody. */
  operational: boolean;
  /** As it was when the attempt began. */
  circuit: LoadedCircuit;
}

/** Takes reports of recorded attempts. Neither throws nor makes anybody wait. */
export interface AttemptReporter {
  onAttempt(report: AttemptReport): void;
}
