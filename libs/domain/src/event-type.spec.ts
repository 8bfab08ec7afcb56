import { isEventType, isEventTypePattern, matchesEventType } from './event-type.js';

describe('event types', () => {
  it.each([
    ['order', true, true],
    ['order.paid', true, true],
    ['Order_2.item.ADDED', true, true],
    ['x'.repeat(128), true, true],
    ['x'.repeat(129), false, false],
    ['', false, false],
    ['.', false, false],
    ['order.', false, false],
    ['.order', false, false],
    ['order..paid', false, false],
    ['order-paid', false, false],
    ['order paid', false, false],
    ['order\n', false, false],
    ['ördér', false, false],
    ['*', false, true],
    ['order.*', false, true],
    ['order.item.*', false, true],
    ['order*', false, false],
    ['*.paid', false, false],
    ['order.*.paid', false, false],
    ['.*', false, false],
    ['**', false, false],
  ])('%j: name %s, pattern %s', (text, name, pattern) => {
    expect(isEventType(text)).toBe(name);
    expect(isEventTypePattern(text)).toBe(pattern);
  });

  it.each([
    [[], 'anything.at_all', true],
    [['*'], 'order.paid', true],
    [['order.paid'], 'order.paid', true],
    [['order.paid'], 'order.paid.late', false],
    [['order.paid'], 'Order.paid', false],
    [['order.*'], 'order.paid', true],
    [['order.*'], 'order.item.added', true],
    [['order.*'], 'order', false],
    [['order.*'], 'orders.paid', false],
    [['invoice.*', 'order.paid'], 'order.paid', true],
    [['invoice.*', 'order.paid'], 'order.sent', false],
  ])('%j takes %s: %s', (patterns, type, expected) => {
    expect(matchesEventType(patterns, type)).toBe(expected);
  });
});
