// Pure: under which key an event is ordered.
import { orderKeyOf } from './order-key.js';

const payload = (dataText: string) => () => ({
  type: 'order.paid',
  timestamp: '2026-01-01T00:00:00.000Z',
  data: JSON.parse(dataText) as unknown,
  dataText,
});

describe('orderKeyOf', () => {
  it.each<[string, string, string | null, string]>([
    ['a string', '{"customer_id":"c1"}', 'data.customer_id', '"c1"'],
    ['a number, which is not the string of it', '{"customer_id":1}', 'data.customer_id', '1'],
    ['a number beyond 2^53, digit by digit', '{"id":9007199254740993}', 'data.id', '9007199254740993'],
    ['a value deep inside', '{"a":[{"b":true}]}', 'data.a.0.b', 'true'],
    ['an object', '{"a":{"b":1}}', 'data.a', '{"b":1}'],
    ['the type', '{}', 'type', '"order.paid"'],
    ['nothing there: the common line', '{}', 'data.customer_id', ''],
    ['null: the common line', '{"customer_id":null}', 'data.customer_id', ''],
    ['no path: the common line', '{"customer_id":1}', null, ''],
    ['nothing but what the sender wrote', '{}', 'data.constructor', ''],
  ])('%s', (_, dataText, path, key) => {
    expect(orderKeyOf(payload(dataText), path)).toBe(key);
  });

  it('is never longer than an index takes', () => {
    expect(orderKeyOf(payload(JSON.stringify({ a: '\u{1f600}'.repeat(9_000) })), 'data.a')).toHaveLength(256);
  });

  it('does not read a payload that it does not need', () => {
    expect(
      orderKeyOf(() => {
        throw new Error('read');
      }, null),
    ).toBe('');
  });
});
