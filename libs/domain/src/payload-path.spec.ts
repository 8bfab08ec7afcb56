import { dataTextAtPath, parsePayloadPath, valueAtPath, type Payload } from './payload-path.js';

const payloadOf = (dataText: string): Payload => ({
  type: 'order.paid',
  timestamp: '2026-01-31T09:30:00.000Z',
  data: JSON.parse(dataText) as unknown,
  dataText,
});

describe('payload paths', () => {
  it.each<[string, string[] | null]>([
    ['data', ['data']],
    ['type', ['type']],
    ['timestamp', ['timestamp']],
    ['data.a', ['data', 'a']],
    ['data.items.0.sku', ['data', 'items', '0', 'sku']],
    ['data.a\\.b.c', ['data', 'a.b', 'c']],
    ['data.a\\\\b', ['data', 'a\\b']],
    ['data.ü b', ['data', 'ü b']],
    ['data.__proto__', ['data', '__proto__']],
    ['', null],
    ['.', null],
    ['amount', null],
    ['data.', null],
    ['.data', null],
    ['data..a', null],
    ['type.length', null],
    ['timestamp.0', null],
    ['dataText', null],
    ['constructor', null],
    ['data.a\\', null],
    ['data.a\\n', null],
    ['data.\\u0061', null],
    ['data.\0', null],
    ['data.\ud800', null],
    [`data.${'x'.repeat(507)}`, ['data', 'x'.repeat(507)]],
    [`data.${'x'.repeat(508)}`, null],
    [`data${'.x'.repeat(31)}`, ['data', ...Array.from({ length: 31 }, () => 'x')]],
    [`data${'.x'.repeat(32)}`, null],
  ])('%j is read as %j', (text, expected) => {
    expect(parsePayloadPath(text)).toEqual(expected);
  });

  it.each<[string, string, unknown, string | undefined]>([
    ['data', '{"a":1}', { a: 1 }, '{"a":1}'],
    ['data', 'null', null, 'null'],
    ['data.a', '{"a":null}', null, 'null'],
    ['data.a', '{"b":1}', undefined, undefined],
    ['data.a.b', '{"a":null}', undefined, undefined],
    ['data.a.b', '{"a":"text"}', undefined, undefined],
    ['data.a.b', '{"a":5}', undefined, undefined],
    ['data.0', '[7,8]', 7, '7'],
    ['data.1', '[7 , 8 ]', 8, '8'],
    ['data.2', '[7,8]', undefined, undefined],
    ['data.-1', '[7,8]', undefined, undefined],
    ['data.01', '[7,8]', undefined, undefined],
    ['data.1e0', '[7,8]', undefined, undefined],
    ['data.length', '[7,8]', undefined, undefined],
    ['data.a.length', '{"a":"text"}', undefined, undefined],
    ['data.a.0', '{"a":"text"}', undefined, undefined],
    ['data.0', '{"0":"zero"}', 'zero', '"zero"'],
    ['data.items.1.sku', '{"items":[{"sku":"a"}, {"sku" : "b"}]}', 'b', '"b"'],
    ['data.a\\.b', '{"a.b":1,"a":{"b":2}}', 1, '1'],
    ['data.a', '{"a":1,"a":2}', 2, '2'],
    ['data.__proto__', '{}', undefined, undefined],
    ['data.__proto__.x', '{"__proto__":{"x":1}}', 1, '1'],
    ['data.constructor', '{}', undefined, undefined],
    ['data.constructor.name', '[]', undefined, undefined],
    ['data.toString', '{"a":1}', undefined, undefined],
    ['data.id', '{"id":9007199254740993}', 9007199254740992, '9007199254740993'],
    ['data.é', '{"\\u00e9":1}', 1, '1'],
  ])('%s in %s', (text, data, value, dataText) => {
    const path = parsePayloadPath(text) ?? [];
    expect(valueAtPath(payloadOf(data), path)).toEqual(value);
    expect(dataTextAtPath(payloadOf(data), path)).toBe(dataText);
  });

  it.each<[string, unknown]>([
    ['type', 'order.paid'],
    ['timestamp', '2026-01-31T09:30:00.000Z'],
  ])('%s', (path, expected) => {
    expect(valueAtPath(payloadOf('1'), parsePayloadPath(path) ?? [])).toBe(expected);
  });
});
