// Pure.
import { FAULT_KINDS, planFaults, type FaultPlanOptions } from './fault-plan.js';

const OPTIONS: FaultPlanOptions = {
  seed: 20,
  seconds: 36,
  pauseMs: 4_000,
  kinds: FAULT_KINDS,
  workers: 3,
};

describe('the plan of faults', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planFaults(OPTIONS)).toEqual(planFaults(OPTIONS));
    expect(planFaults(OPTIONS)).not.toEqual(planFaults({ ...OPTIONS, seed: 21 }));
  });

  it('has every kind, in the short form of the suite too', () => {
    expect(new Set(planFaults(OPTIONS).map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS));
  });

  it('has only what is asked for, and ends in time', () => {
    const plan = planFaults({
      ...OPTIONS,
      seconds: 120,
      pauseMs: 30_000,
      kinds: ['pause-postgres', 'kill-api'],
    });
    expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(['pause-postgres', 'kill-api']));
    expect(plan.every(({ atMs, lastsMs }) => atMs + lastsMs < 120_000)).toBe(true);
  });
});
