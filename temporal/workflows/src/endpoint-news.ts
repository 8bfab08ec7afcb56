import type { AttemptsFailed, AttemptSucceeded } from '@hookstream/contracts';
import type { FailureReport, SuccessReport } from '@hookstream/domain';

export type News =
  | { kind: 'failed'; report: AttemptsFailed }
  | { kind: 'succeeded'; report: AttemptSucceeded }
  | { kind: 'changed' }
  | { kind: 'reset'; enabledAgain: boolean };

/** Signals in the order in which they came, until the run takes them up: none is handled while a step is under way. */
export class EndpointNews {
  private waiting: News[] = [];

  add(news: News): void {
    this.waiting.push(news);
  }

  get any(): boolean {
    return this.waiting.length > 0;
  }

  takeAll(): News[] {
    const taken = this.waiting;
    this.waiting = [];
    return taken;
  }
}

export function failureReport(report: AttemptsFailed): FailureReport {
  return {
    count: report.count,
    operational: report.operational ?? 0,
    since: Date.parse(report.since),
    last: Date.parse(report.last),
    probeOfTurn: report.probeOfTurn,
  };
}

export function successReport(report: AttemptSucceeded): SuccessReport {
  return { at: Date.parse(report.at), probeOfTurn: report.probeOfTurn };
}
