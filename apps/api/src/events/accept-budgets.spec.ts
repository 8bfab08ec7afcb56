// Pure but for the clock: a stand-in for the budgets in Postgres counts how often it is asked.
import type { AcceptBudgetsRepository } from '@hookstream/persistence';
import { AcceptBudgets } from './accept-budgets.js';

/** A budget that is never filled again. */
function budgetsOf(tokens: number, waitMs = 60_000) {
  const asked: number[] = [];
  const repository = {
    take: (_tenant: string, _rate: unknown, wanted: number) => {
      const granted = Math.min(wanted, tokens);
      asked.push(wanted);
      tokens -= granted;
      return Promise.resolve({ granted, remaining: tokens, waitMs: tokens === 0 ? waitMs : 0, fullMs: 0 });
    },
  } as unknown as AcceptBudgetsRepository;
  return { budgets: new AcceptBudgets(repository), asked };
}

describe('spending an accept rate', () => {
  const rate = { perSecond: 10_000, burst: 10_000 };

  it('asks seldom while it is busy, for a tenth of a second at most', async () => {
    const { budgets, asked } = budgetsOf(100_000);
    for (let n = 0; n < 10_000; n++) expect((await budgets.spend('t', rate, 1)).granted).toBe(1);
    expect(asked.length).toBeLessThan(100);
    expect(Math.max(...asked)).toBeLessThanOrEqual(1_000);
    expect(asked[0]).toBe(1);
  });

  it('grants what there is, once, to however many ask at once', async () => {
    const { budgets } = budgetsOf(100);
    const answers = await Promise.all(Array.from({ length: 300 }, () => budgets.spend('t', rate, 1)));
    expect(answers.filter((one) => one.granted === 1)).toHaveLength(100);
  });

  it('grants the first of a batch', async () => {
    const { budgets } = budgetsOf(3);
    expect(await budgets.spend('t', rate, 5)).toMatchObject({ granted: 3 });
  });

  it('asks no more until the next event is due, unless the rate has changed', async () => {
    const { budgets, asked } = budgetsOf(0);
    for (let n = 0; n < 50; n++) expect((await budgets.spend('t', rate, 1)).granted).toBe(0);
    expect(asked).toHaveLength(1);
    await budgets.spend('t', { ...rate, burst: 20_000 }, 1);
    expect(asked).toHaveLength(2);
    await budgets.spend('other', rate, 1);
    expect(asked).toHaveLength(3);
  });

  it('goes on after a budget could not be asked', async () => {
    let works = false;
    const budgets = new AcceptBudgets({
      take: () =>
        works
          ? Promise.resolve({ granted: 1, remaining: 0, waitMs: 0, fullMs: 0 })
          : Promise.reject(new Error('away')),
    } as unknown as AcceptBudgetsRepository);
    await expect(budgets.spend('t', rate, 1)).rejects.toThrow('away');
    works = true;
    expect((await budgets.spend('t', rate, 1)).granted).toBe(1);
  });
});
