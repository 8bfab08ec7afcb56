// Real: Ajv. No servers.
import type { DomainError, JsonSchema } from '@hookstream/domain';
import { SchemaCompiler } from './schema-compiler.js';

const compiler = new SchemaCompiler();
const check = (schema: JsonSchema, data: unknown) =>
  compiler.compile(schema).check(data, JSON.stringify(data).length);
const problemsOf = (schema: JsonSchema): readonly { field: string; message: string }[] => {
  try {
    compiler.compile(schema);
    return [];
  } catch (error) {
    return (error as DomainError).errors;
  }
};

describe('a schema', () => {
  const order: JsonSchema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://example.com/order',
    type: 'object',
    required: ['id', 'items'],
    properties: {
      id: { type: 'string', pattern: '^o-[0-9]+$' },
      status: { enum: ['paid', 'open'] },
      version: { const: 2 },
      items: { type: 'array', uniqueItems: true, items: { $ref: '#/$defs/item' } },
    },
    additionalProperties: false,
    $defs: { item: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } } },
  };

  it.each<[string, unknown, [string, string][]]>([
    ['allows what it says', { id: 'o-1', items: [{ sku: 'a' }, { sku: 'b' }] }, []],
    [
      'names what is missing',
      {},
      [
        ['data.id', 'is required'],
        ['data.items', 'is required'],
      ],
    ],
    ['names what is unknown', { id: 'o-1', items: [], 'a/b~c': 1 }, [['data.a/b~c', 'is not a known field']]],
    [
      'names places in lists',
      { id: 'o-1', items: [{ sku: 'a' }, { sku: 5 }, {}] },
      [
        ['data.items.1.sku', 'must be string'],
        ['data.items.2.sku', 'is required'],
      ],
    ],
    ['names the pattern', { id: 'x', items: [] }, [['data.id', 'must match pattern "^o-[0-9]+$"']]],
    [
      'names the choice',
      { id: 'o-1', items: [], status: 'lost' },
      [['data.status', 'must be one of ["paid","open"]']],
    ],
    ['names the constant', { id: 'o-1', items: [], version: 1 }, [['data.version', 'must be 2']]],
    [
      'finds duplicates in any order of members',
      {
        id: 'o-1',
        items: [
          { sku: 'a', n: 1 },
          { n: 1, sku: 'a' },
        ],
      },
      [['data.items', 'must NOT have duplicate items']],
    ],
    ['means the whole data', 'text', [['data', 'must be object']]],
  ])('%s', (_what, data, expected) => {
    expect(check(order, data).map(({ field, message }) => [field, message])).toEqual(expected);
  });

  it('says particulars before summaries, each once', () => {
    const schema: JsonSchema = {
      anyOf: [{ properties: { a: { type: 'string' } } }, { properties: { a: { type: 'string' } } }],
    };
    expect(check(schema, { a: 1 })).toEqual([
      { field: 'data.a', message: 'must be string' },
      { field: 'data', message: 'must match a schema in anyOf' },
    ]);
  });

  it('tells at most 20 violations, and of large data one', () => {
    const schema: JsonSchema = { items: { type: 'string' } };
    expect(
      check(
        schema,
        Array.from({ length: 1_000 }, () => 1),
      ),
    ).toHaveLength(20);
    expect(
      check(
        schema,
        Array.from({ length: 100_000 }, () => 1),
      ),
    ).toEqual([{ field: 'data.0', message: 'must be string' }]);
  });

  it('says nothing that cannot be stored or is endless', () => {
    const [first] = check({ additionalProperties: false }, { [`a\0\ud800${'x'.repeat(5_000)}`]: 1 });
    expect(first?.field).toMatch(/^data\.a\ufffd\ufffdx+…$/);
    expect(first?.field.length).toBeLessThanOrEqual(512);
  });

  it('keeps away from the prototype', () => {
    expect(check({ required: ['constructor'] }, {})).toMatchObject([{ field: 'data.constructor' }]);
    expect(check({ properties: { toString: { type: 'string' } } }, {})).toEqual([]);
  });

  it('takes format for what draft 2020-12 takes it for: a remark', () => {
    expect(check({ format: 'email' }, 'no address')).toEqual([]);
    expect(check({ format: 'made-up' }, 'x')).toEqual([]);
  });

  it.each<[string, JsonSchema, string]>([
    ['a keyword of the wrong type', { properties: { a: { type: 'strin' } } }, 'schema.properties.a.type'],
    ['a keyword with a wrong value', { minLength: -1 }, 'schema.minLength'],
    ['a keyword that does not exist', { propertes: {} }, 'schema'],
    ['a remote reference', { $ref: 'https://example.com/a' }, 'schema.$ref'],
    ['recursion', { not: { $ref: '#' } }, 'schema.not.$ref'],
    ['a pattern that is none', { pattern: '(' }, 'schema'],
    ['a pattern that may not end', { pattern: '(a)\\1' }, 'schema'],
    ['a pattern of names', { patternProperties: { 'a(?=b)': {} } }, 'schema'],
  ])('cannot be used with %s', (_what, schema, field) => {
    expect(problemsOf(schema)[0]?.field).toBe(field);
  });

  it('cannot refer to another one', () => {
    compiler.compile({ $id: 'https://example.com/mine', $defs: { a: {} } });
    expect(problemsOf({ $ref: 'https://example.com/mine#/$defs/a' })).toHaveLength(1);
  });

  it('says what keyword it does not know', () => {
    expect(problemsOf({ propertes: {} })[0]?.message).toContain('propertes');
  });

  describe('never holds up the process:', () => {
    it.each<[string, JsonSchema, unknown, RegExp | undefined]>([
      ['a pattern that backtracks', { pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}!`, /must match pattern/],
      [
        'a pattern over too much text',
        { items: { pattern: 'a{0,100}' } },
        Array.from({ length: 500 }, () => 'a'.repeat(1_000)),
        /too much text/,
      ],
      [
        'duplicates among many',
        { uniqueItems: true },
        Array.from({ length: 50_000 }, (_, n) => ({ n })),
        undefined,
      ],
      [
        'many rules for much data',
        { items: { enum: Array.from({ length: 4_000 }, (_, n) => n) } },
        Array.from({ length: 100_000 }, () => 7),
        /too large/,
      ],
      [
        'depth',
        { uniqueItems: true },
        [JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
        /too deeply/,
      ],
    ])('%s', (_what, schema, data, message) => {
      const text = _what === 'depth' ? 200_002 : JSON.stringify(data).length;
      const errors = compiler.compile(schema).check(data, text);
      if (message === undefined) expect(errors).toEqual([]);
      else expect(errors[0]?.message).toMatch(message);
    });
  });
});
