import { linearPattern } from './linear-pattern.js';

const PATTERNS = [
  '',
  'a',
  '^a$',
  '^[A-Z]{3}$',
  '^\\d{4}-\\d{2}-\\d{2}$',
  '^ord_[0-9a-z]{3,5}$',
  '^[a-z0-9]+(?:-[a-z0-9]+)*$',
  '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$',
  '^(a+)+$',
  '(a|a)*b',
  'a|b|',
  '^(?:foo|bar)(?<rest>.*)$',
  'a*?b+?c??',
  'a{2}',
  'a{2,}b',
  'a{0}b',
  '(?:){3}x',
  '(a*)*',
  '(?:^a|b$)+',
  '\\bfoo\\b',
  '\\Bo',
  '^.$',
  '^\\p{L}+$',
  '^\\P{L}+$',
  '\\u0061\\x62\\u{63}',
  '\\ud83d\\ude00',
  '😀{2}',
  '^[😀-😂]$',
  '[\\]\\-a]+',
  '[^\\n]\\t',
  '\\.\\/\\(\\)',
  '^\\S+$',
  '\\cA|\\0',
  '^(?:a|ab)(?:c|bcd)(?:d*)$',
  '$^',
  '[^]',
];
const TEXTS = [
  '',
  'a',
  'b',
  'ab',
  'aab',
  'aaaa',
  'abc',
  'abcd',
  'ABC',
  'ABCD',
  '2026-01-31',
  'ord_01ab',
  'ord_01abcd',
  'a-b-c',
  'a--b',
  'x@y.z',
  'x@y',
  'foo',
  'a foo b',
  'food',
  'barely',
  'x',
  '\n',
  '\r\n',
  'é',
  'ü1',
  '😀',
  '😀😀',
  '\ud83d',
  '\u2028',
  './()',
  ']-a',
  'x\ty',
  '\0',
  '\u0001',
  ' ',
];

describe('a linear pattern', () => {
  it.each(PATTERNS)('%j finds what JavaScript finds', (source) => {
    const pattern = linearPattern(source);
    const expression = new RegExp(source, 'u');
    for (const text of TEXTS) expect([text, pattern.test(text)]).toEqual([text, expression.test(text)]);
  });

  it('finds what JavaScript finds in made-up patterns and texts', () => {
    // a fixed sequence (Lehmer), so that a failure is found again
    let seed = 20_260_131;
    const below = (bound: number): number => (seed = (seed * 48_271) % 2_147_483_647) % bound;
    const pick = (from: readonly string[]): string => from[below(from.length)] ?? '';
    const part = (depth: number): string => {
      const atom =
        depth > 0 && below(3) === 0
          ? `(?:${part(depth - 1)}${below(2) ? `|${part(depth - 1)}` : ''})`
          : pick(['a', 'b', '.', '[ab]', '[^a]', '\\w', 'c']);
      const rest = below(3) === 0 ? '' : part(Math.max(0, depth - 1));
      return `${pick(['', '', '', '^', '\\b'])}${atom}${pick(['', '', '*', '+', '?', '{2}', '{0,2}', '*?'])}${rest}${pick(['', '', '', '$'])}`;
    };
    for (let round = 0; round < 2_000; round++) {
      const source = part(3).slice(0, 60);
      let expression: RegExp;
      try {
        expression = new RegExp(source, 'u');
      } catch {
        continue;
      }
      const text = Array.from({ length: below(9) }, () => pick(['a', 'b', 'c', ' ', '1'])).join('');
      expect([source, text, linearPattern(source).test(text)]).toEqual([source, text, expression.test(text)]);
    }
  });

  it('takes one pass where JavaScript would take minutes', () => {
    for (const source of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(?:a*)*b', '^(?:.*a){20}$']) {
      expect(linearPattern(source).test(`${'a'.repeat(5_000)}!`)).toBe(false);
    }
  });

  it.each([
    ['a(?=b)', /look-around/],
    ['a(?!b)', /look-around/],
    ['(?<=a)b', /look-around/],
    ['(?<!a)b', /look-around/],
    ['(a)\\1', /back-references/],
    ['(?<n>a)\\k<n>', /back-references/],
    ['(a{1000}){1000}', /too large/],
    ['((((a{100}){100}){100}){100}){100}', /too large/],
    ['a{0,1000}', /too large/],
    ['(?:){1000000000}', /too large/],
    ['x'.repeat(513), /512 characters/],
    ['(', /./],
    ['a**', /./],
    ['\\q', /./],
    ['[b-a]', /./],
  ])('refuses %s', (source, message) => {
    expect(() => linearPattern(source)).toThrow(message);
    expect(() => linearPattern(source)).toThrow(SyntaxError);
  });

  it('says how much a character costs', () => {
    expect(linearPattern('a').size).toBeLessThan(linearPattern('a{10}').size);
    expect(linearPattern('a{900}').test('a'.repeat(900))).toBe(true);
  });
});
