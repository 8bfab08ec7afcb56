import { schemaBounds } from './schema-bounds.js';

const wide = (count: number): object => ({
  enum: Array.from({ length: count }, (_, index) => index),
});
/** Each definition uses the next one twice: a few lines that would be checked 2^n times. */
const doubling = (levels: number): object => ({
  $ref: '#/$defs/d0',
  $defs: Object.fromEntries(
    Array.from({ length: levels }, (_, level) => [
      `d${level}`,
      level === levels - 1
        ? { type: 'object' }
        : { anyOf: [{ $ref: `#/$defs/d${level + 1}` }, { $ref: `#/$defs/d${level + 1}` }] },
    ]),
  ),
});
const deep = (levels: number): unknown => (levels === 0 ? { type: 'string' } : { not: deep(levels - 1) });

describe('bounds of a schema', () => {
  it.each<[string, unknown, string[]]>([
    ['fine: nothing asked', {}, []],
    ['fine', { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, []],
    ['fine: the draft', { $schema: 'https://json-schema.org/draft/2020-12/schema' }, []],
    ['fine: an id at the top', { $id: 'https://example.com/order' }, []],
    ['fine: a local reference', { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }, []],
    ['fine: an escaped reference', { $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': {} } }, []],
    ['fine: properties named like keywords', { properties: { $ref: {}, $id: {}, $anchor: {} } }, []],
    ['fine: 4,900 values', wide(4_900), []],
    ['fine: 31 deep', deep(31), []],
    ['no object', true, ['schema']],
    ['a list', [], ['schema']],
    ['null', null, ['schema']],
    ['another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, ['schema.$schema']],
    ['a remote reference', { items: { $ref: 'https://e.com/a.json' } }, ['schema.items.$ref']],
    ['a relative reference', { $ref: 'a.json' }, ['schema.$ref']],
    ['an anchor', { $ref: '#a', $defs: { a: { $anchor: 'a' } } }, ['schema.$ref', 'schema.$defs.a.$anchor']],
    ['a dead reference', { $ref: '#/$defs/a' }, ['schema.$ref']],
    ['a reference into the prototype', { $ref: '#/constructor' }, ['schema.$ref']],
    ['a reference that is no URI', { $ref: '#/%' }, ['schema.$ref']],
    ['an id inside', { properties: { a: { $id: 'b' } } }, ['schema.properties.a.$id']],
    ['a dynamic reference', { $dynamicRef: '#a' }, ['schema.$dynamicRef']],
    ['recursion', { properties: { child: { $ref: '#' } } }, ['schema.properties.child.$ref']],
    [
      'recursion by a detour',
      { $ref: '#/$defs/a', $defs: { a: { not: { $ref: '#/$defs/a' } } } },
      ['schema.$defs.a.not.$ref'],
    ],
    ['NUL', { description: 'a\0' }, ['schema.description']],
    ['half a surrogate pair', { enum: ['\ud800'] }, ['schema.enum.0']],
    ['a name with NUL', { properties: { 'a\0': {} } }, ['schema.properties']],
    ['too many values', wide(5_001), ['schema']],
    ['too many values through references', doubling(14), ['schema']],
    ['too many by far', doubling(60), ['schema']],
    ['too deep', deep(32), [`schema.${Array.from({ length: 32 }, () => 'not').join('.')}`]],
    ['too long', { description: 'x'.repeat(65_536) }, ['schema']],
  ])('%s', (_what, schema, expected) => {
    expect(schemaBounds(schema).problems.map((problem) => problem.field)).toEqual(expected);
  });

  it('counts what references lead to each time', () => {
    expect(schemaBounds(doubling(3)).size).toBeGreaterThan(3 * schemaBounds(doubling(1)).size);
  });

  it('walks no further than a schema may go', () => {
    const text = `${'{"not":'.repeat(50_000)}{}${'}'.repeat(50_000)}`;
    expect(schemaBounds(JSON.parse(text)).problems).toHaveLength(1);
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`p${n}`, { $ref: 'x' }]));
    expect(schemaBounds({ properties: many }).problems).toHaveLength(20);
    expect(schemaBounds(wide(200_000)).problems).toHaveLength(1);
  });
});
