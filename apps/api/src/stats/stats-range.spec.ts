import { statsRange } from './stats-range.js';

// Pure.

const NOW = Date.parse('2026-06-15T10:30:20.500Z');
const DAY = 86_400_000;
const rangeOf = (query: Parameters<typeof statsRange>[0]) => {
  const { since, until, steps } = statsRange(query, NOW, 90 * DAY);
  return [since.toISOString(), until.toISOString(), steps.length];
};
const at = (text: string) => new Date(text);

describe('the time that statistics cover', () => {
  it.each([
    [
      'the last 60 minutes',
      { window: 'minute' },
      ['2026-06-15T09:31:00.000Z', '2026-06-15T10:31:00.000Z', 60],
    ],
    ['the last 24 hours', { window: 'hour' }, ['2026-06-14T11:00:00.000Z', '2026-06-15T11:00:00.000Z', 24]],
    ['the last 30 days', { window: 'day' }, ['2026-05-17T00:00:00.000Z', '2026-06-16T00:00:00.000Z', 30]],
    [
      'whole steps',
      { window: 'hour', since: at('2026-06-15T07:59:59Z'), until: at('2026-06-15T09:00:00.001Z') },
      ['2026-06-15T07:00:00.000Z', '2026-06-15T10:00:00.000Z', 3],
    ],
    [
      'one step where both lie in it',
      { window: 'day', since: at('2026-06-10T07:00:00Z'), until: at('2026-06-10T08:00:00Z') },
      ['2026-06-10T00:00:00.000Z', '2026-06-11T00:00:00.000Z', 1],
    ],
    [
      'no hour that is not kept',
      { window: 'hour', since: at('2026-01-01T00:00:00Z'), until: at('2026-06-01T00:00:00Z') },
      ['2026-05-16T10:00:00.000Z', '2026-06-01T00:00:00.000Z', 374],
    ],
    [
      'nothing where nothing of it is kept',
      { window: 'minute', since: at('2026-06-01T00:00:00Z'), until: at('2026-06-02T00:00:00Z') },
      ['2026-06-02T00:00:00.000Z', '2026-06-02T00:00:00.000Z', 0],
    ],
  ] as const)('%s', (_what, query, range) => {
    expect(rangeOf(query)).toEqual(range);
  });

  it('is bounded', () => {
    const ask = () => statsRange({ window: 'minute', since: new Date(NOW - 1.5 * DAY) }, NOW, 90 * DAY);
    expect(ask).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });
});
