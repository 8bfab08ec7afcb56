export type Part = 'api' | 'temporal' | 'postgres' | 'worker-1' | 'worker-2' | 'worker-3';

/** When a part did not do its work, in Unix ms; without an end while it does not. */
export interface Outage {
  part: Part;
  from: number;
  to?: number;
  /** Nothing could be done all the time. One that was killed is back somewhat earlier than is seen here. */
  certain: boolean;
}

/** What was up when. Everything is at the beginning. */
export class WorldTimeline {
  readonly outages: Outage[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /** To be told when it is surely down, where that is `certain`, or else just before. */
  down(part: Part, certain: boolean): void {
    this.outages.push({ part, from: this.now(), certain });
  }

  /** To be told just after it is up. */
  up(part: Part): void {
    const outage = this.outages.find((one) => one.part === part && one.to === undefined);
    if (outage) outage.to = this.now();
  }

  /** Whether the part was surely down for the whole time, both ends included. */
  wholly(part: Part, from: number, to: number): boolean {
    return this.outages.some(
      (one) => one.certain && one.part === part && one.from <= from && (one.to ?? Infinity) >= to,
    );
  }

  /** Whether no part was down at any moment of the time. */
  allUp(from: number, to: number): boolean {
    return !this.outages.some((one) => one.from <= to && (one.to ?? Infinity) >= from);
  }

  /** Whether the part was up all the time. */
  isUp(part: Part, from: number, to: number): boolean {
    return !this.outages.some((one) => one.part === part && one.from <= to && (one.to ?? Infinity) >= from);
  }
}
