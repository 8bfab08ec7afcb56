import { restAfter } from './stats-folder.js';

// Pure.

describe('the rest after a fold of statistics', () => {
  it.each([
    ['a second while there is nothing to do', 0, 2, 1_000],
    ['a second while there is little to do', 50, 20, 1_000],
    ['nineteen times what it took, so that it takes a twentieth of the time', 5_000, 200, 3_800],
    ['as long as it took while it is behind', 20_000, 200, 200],
  ])('is %s', (_what, moved, tookMs, rest) => {
    expect(restAfter(moved, tookMs)).toBe(rest);
  });
});
