import { parseRetryAfter } from './retry-after.js';

const now = Date.parse('1994-11-06T08:49:00Z');

describe('parseRetryAfter', () => {
  it.each([
    ['seconds', '120', 120_000],
    ['zero', '0', 0],
    ['white space', ' 5 ', 5_000],
    ['an absurd number', '9'.repeat(400), Number.MAX_SAFE_INTEGER],
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
    ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', 37_000],
    ['asctime', 'Sun Nov  6 08:49:37 1994', 37_000],
    ['a past date', 'Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['an impossible date', 'Sun, 66 Nov 1994 08:49:37 GMT', undefined],
    ['a date of another form', '1994-11-06T08:49:37Z', undefined],
    ['a fraction', '1.5', undefined],
    ['a negative number', '-1', undefined],
    ['words', 'soon', undefined],
    ['nothing', '', undefined],
    ['no header', undefined, undefined],
  ])('%s', (_name, value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });
});
