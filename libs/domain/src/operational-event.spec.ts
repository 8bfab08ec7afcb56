// Pure.
import { isOperationalEventType, subscribesToOperational } from './operational-event.js';

describe('operational events', () => {
  it.each([
    [['endpoint.disabled'], true],
    [['endpoint.*'], true],
    [['order.paid', 'endpoint.*'], true],
    [[], false],
    [['*'], false],
    [['*', 'endpoint.*'], true],
    [['delivery.*'], false],
    [['endpoint.recovered'], false],
  ])('an endpoint with %j gets endpoint.disabled: %s', (patterns, gets) => {
    expect(subscribesToOperational(patterns, 'endpoint.disabled')).toBe(gets);
  });

  it('are five; other names below the same prefixes are free', () => {
    expect(
      ['endpoint.disabled', 'delivery.dead_lettered', 'delivery.shipped', 'endpoint'].map(
        isOperationalEventType,
      ),
    ).toEqual([true, true, false, false]);
  });
});
