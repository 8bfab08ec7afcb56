import { explainFilter } from './filter-explanation.js';
import { compileFilter, matchesFilter, type Filter, type FilterCondition } from './filter.js';
import { filterProblems, readFilter } from './filter-syntax.js';
import type { Payload } from './payload-path.js';

const payloadOf = (dataText: string): Payload => ({
  type: 'order.paid',
  timestamp: '2026-01-31T09:30:00.000Z',
  data: JSON.parse(dataText) as unknown,
  dataText,
});
const matches = (filter: Filter, dataText: string): boolean =>
  matchesFilter(compileFilter(readFilter(filter)), payloadOf(dataText));

describe('conditions', () => {
  const yes = true;
  const no = false;
  it.each<[FilterCondition['op'], FilterCondition['value'], string, boolean]>([
    ['eq', 'a', '{"x":"a"}', yes],
    ['eq', 'a', '{"x":"A"}', no],
    ['eq', 'a', '{}', no],
    ['eq', 1, '{"x":1.0}', yes],
    ['eq', 1, '{"x":"1"}', no],
    ['eq', '1', '{"x":1}', no],
    ['eq', 0, '{"x":-0}', yes],
    ['eq', null, '{"x":null}', yes],
    ['eq', null, '{}', no],
    ['eq', true, '{"x":true}', yes],
    ['eq', true, '{"x":1}', no],
    ['eq', 'a', '{"x":["a"]}', no],
    ['eq', '', '{"x":""}', yes],
    ['eq', '9007199254740993', '{"x":9007199254740993}', yes],
    ['eq', '9007199254740993', '{"x":9007199254740992}', no],
    ['eq', '9007199254740993', '{"x":"9007199254740993"}', yes],
    ['eq', '-9007199254740993', '{"x":-9007199254740993}', yes],
    ['eq', '12345678901234567890123', '{"x":12345678901234567890123}', yes],
    ['eq', '12345678901234567890123', '{"x":12345678901234567890124}', no],
    ['eq', '9007199254740991', '{"x":9007199254740991}', no],
    ['neq', 'a', '{"x":"b"}', yes],
    ['neq', 'a', '{"x":"a"}', no],
    ['neq', 'a', '{}', yes],
    ['neq', null, '{"x":null}', no],
    ['neq', '9007199254740993', '{"x":9007199254740993}', no],
    ['in', ['a', 1, null], '{"x":1}', yes],
    ['in', ['a', 1, null], '{"x":null}', yes],
    ['in', ['a', 1, null], '{"x":"1"}', no],
    ['in', ['a', 1, null], '{}', no],
    ['in', ['a'], '{"x":["a"]}', no],
    ['in', ['9007199254740993'], '{"x":9007199254740993}', yes],
    ['exists', undefined, '{"x":null}', yes],
    ['exists', true, '{"x":0}', yes],
    ['exists', true, '{}', no],
    ['exists', false, '{}', yes],
    ['exists', false, '{"x":null}', no],
    ['contains', 'ell', '{"x":"hello"}', yes],
    ['contains', 'ELL', '{"x":"hello"}', no],
    ['contains', '', '{"x":"hello"}', yes],
    ['contains', 'a', '{"x":["b","a"]}', yes],
    ['contains', 'a', '{"x":["ab"]}', no],
    ['contains', 1, '{"x":[1]}', yes],
    ['contains', 1, '{"x":["1"]}', no],
    ['contains', null, '{"x":[null]}', yes],
    ['contains', 1, '{"x":"1"}', no],
    ['contains', 'a', '{"x":{"a":1}}', no],
    ['contains', 'a', '{}', no],
    ['gt', 100, '{"x":100.01}', yes],
    ['gt', 100, '{"x":100}', no],
    ['gt', 100, '{"x":"101"}', no],
    ['gt', 100, '{"x":null}', no],
    ['gt', 100, '{}', no],
    ['gt', 100, '{"x":1e400}', yes],
    ['gt', '2026-01-01', '{"x":"2026-01-31T09:30:00Z"}', yes],
    ['gt', '2026-01-01', '{"x":2027}', no],
    ['gt', '9007199254740992', '{"x":9007199254740993}', yes],
    ['gt', '9007199254740993', '{"x":9007199254740993}', no],
    ['gt', '9007199254740993', '{"x":1e17}', yes],
    ['gt', '9007199254740993', '{"x":12}', no],
    ['gte', 100, '{"x":100}', yes],
    ['gte', '9007199254740993', '{"x":9007199254740993}', yes],
    ['gte', '9007199254740994', '{"x":9007199254740993}', no],
    ['lt', 0, '{"x":-0.5}', yes],
    ['lt', 0, '{"x":0}', no],
    ['lt', '9007199254740993', '{"x":9007199254740992}', yes],
    ['lt', 0, '{"x":[]}', no],
    ['lte', 0, '{"x":0}', yes],
    ['lte', 'b', '{"x":"a"}', yes],
    ['lte', 'b', '{"x":"c"}', no],
  ])('%s %j on %s: %s', (op, value, data, expected) => {
    const condition: FilterCondition = { path: 'data.x', op, ...(value === undefined ? {} : { value }) };
    expect(matches(condition, data)).toBe(expected);
    expect(matches({ not: condition }, data)).toBe(!expected);
  });

  it.each<[string, string, boolean]>([
    ['data.__proto__', '{}', false],
    ['data.constructor', '{}', false],
    ['data.length', '[1]', false],
    ['data.hasOwnProperty', '{}', false],
    ['data.__proto__', '{"__proto__":1}', true],
  ])('finds only what was sent: %s in %s', (path, data, expected) => {
    expect(matches({ path, op: 'exists' }, data)).toBe(expected);
  });

  it('takes a number of any length for what it is read as', () => {
    const data = `{"x":${'9'.repeat(300)}}`;
    expect(matches({ path: 'data.x', op: 'gt', value: '9007199254740993' }, data)).toBe(true);
  });

  it('see the whole payload', () => {
    expect(matches({ path: 'type', op: 'eq', value: 'order.paid' }, '1')).toBe(true);
    expect(matches({ path: 'timestamp', op: 'gt', value: '2026' }, '1')).toBe(true);
    expect(matches({ path: 'data', op: 'eq', value: 1 }, '1')).toBe(true);
  });
});

describe('groups', () => {
  const is = (value: number): Filter => ({ path: 'data', op: 'eq', value });
  it.each<[Filter, boolean]>([
    [{ all: [is(1)] }, true],
    [{ all: [is(1), is(2)] }, false],
    [{ any: [is(1), is(2)] }, true],
    [{ any: [is(3), is(2)] }, false],
    [{ not: is(2) }, true],
    [{ not: { any: [is(2), is(1)] } }, false],
    [{ all: [{ any: [is(1), is(2)] }, { not: is(3) }] }, true],
    [{ any: [{ all: [is(1), is(2)] }, { not: { not: is(1) } }] }, true],
  ])('%j: %s', (filter, expected) => {
    expect(matches(filter, '1')).toBe(expected);
  });
});

describe('what is wrong with a filter', () => {
  const fine = { path: 'data.a', op: 'eq', value: 1 };
  const nested = (groups: number): object => (groups === 0 ? fine : { all: [nested(groups - 1)] });
  const list = (length: number): object[] => Array.from({ length }, () => fine);

  it.each<[string, unknown, string[]]>([
    ['nothing: a condition alone', fine, []],
    ['nothing: exists without a value', { path: 'data.a', op: 'exists' }, []],
    ['nothing: 5 deep', nested(5), []],
    ['nothing: 50 conditions', { any: [{ all: list(25) }, { all: list(25) }] }, []],
    ['6 deep', nested(6), ['filter.all.0.all.0.all.0.all.0.all.0']],
    ['not counts as a level', { not: nested(5) }, ['filter.not.all.0.all.0.all.0.all.0']],
    ['51 conditions', { any: [{ all: list(25) }, { all: list(26) }] }, ['filter']],
    ['null', null, ['filter']],
    ['text', 'x', ['filter']],
    ['a list', [fine], ['filter']],
    ['nothing in it', {}, ['filter.path', 'filter.op']],
    ['an empty group', { all: [] }, ['filter.all']],
    ['a group that is no list', { any: fine }, ['filter.any']],
    ['two groups at once', { all: [fine], any: [fine] }, ['filter.any']],
    ['a condition with a group', { all: [fine], path: 'data' }, ['filter.path']],
    ['a hole', { all: [fine, null] }, ['filter.all.1']],
    ['deep down', { all: [fine, { not: { ...fine, op: '=' } }] }, ['filter.all.1.not.op']],
    ['an unknown field', { ...fine, flags: 'i' }, ['filter.flags']],
    ['no path', { op: 'eq', value: 1 }, ['filter.path']],
    ['a path outside', { ...fine, path: 'amount' }, ['filter.path']],
    ['a path that is no text', { ...fine, path: ['data'] }, ['filter.path']],
    ['no operand', { path: 'data.a', op: 'eq' }, ['filter.value']],
    ['an operand that is an object', { ...fine, value: {} }, ['filter.value']],
    ['an operand that is a list', { ...fine, value: [1] }, ['filter.value']],
    ['an order without order', { ...fine, op: 'gt', value: true }, ['filter.value']],
    ['exists with a text', { ...fine, op: 'exists', value: 'yes' }, ['filter.value']],
    ['in without a list', { ...fine, op: 'in', value: 1 }, ['filter.value']],
    ['in with an empty list', { ...fine, op: 'in', value: [] }, ['filter.value']],
    ['in with 101', { ...fine, op: 'in', value: Array.from({ length: 101 }, () => 1) }, ['filter.value']],
    ['in with a list in it', { ...fine, op: 'in', value: [1, []] }, ['filter.value.1']],
    ['a number that was rounded', { ...fine, value: 9007199254740993 }, ['filter.value']],
    ['NUL', { ...fine, value: 'a\0' }, ['filter.value']],
    ['half a surrogate pair', { ...fine, value: '\ud800' }, ['filter.value']],
    ['a long text', { ...fine, value: 'x'.repeat(1_025) }, ['filter.value']],
    ['__proto__', JSON.parse('{"path":"data","op":"eq","value":1,"__proto__":{}}'), ['filter.__proto__']],
    [
      'inherited fields',
      JSON.parse('{"__proto__":{"path":"data"}}'),
      ['filter.__proto__', 'filter.path', 'filter.op'],
    ],
  ])('%s', (_what, filter, expected) => {
    expect(filterProblems(filter).map((problem) => problem.field)).toEqual(expected);
  });

  it('is told where the filter stands', () => {
    expect(filterProblems(1, 'body.filter')).toMatchObject([{ field: 'body.filter' }]);
  });

  it('is found out without walking far: huge and deep ones', () => {
    const deep = JSON.parse(`${'{"not":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as unknown;
    expect(filterProblems(deep)).toHaveLength(1);
    expect(filterProblems({ all: Array.from({ length: 100_000 }, () => 1) }).length).toBeLessThan(60);
    expect(filterProblems({ all: list(100_000) })).toHaveLength(1);
    const long = { all: Array.from({ length: 20 }, () => ({ ...fine, value: 'x'.repeat(1_024) })) };
    expect(filterProblems(long)).toMatchObject([{ field: 'filter' }]);
  });
});

describe('why a filter refuses', () => {
  const big: Filter = { path: 'data.amount', op: 'gt', value: 100 };
  const eur: Filter = { path: 'data.currency', op: 'eq', value: 'EUR' };
  it.each<[string, Filter, string[]]>([
    ['it does not', { any: [big, eur] }, []],
    ['one of all', { all: [big, eur] }, ['filter.all.0']],
    ['none of any', { any: [big, { path: 'data.vip', op: 'exists' }] }, ['filter.any.0', 'filter.any.1']],
    ['what must not be is', { not: { any: [big, eur] } }, ['filter.not.any.1']],
    ['not all of a not', { not: { all: [eur] } }, ['filter.not.all.0']],
    ['two nots', { all: [{ not: { not: big } }] }, ['filter.all.0.not.not']],
  ])('%s', (_what, filter, expected) => {
    const payload = payloadOf('{"amount":50,"currency":"EUR"}');
    const findings = explainFilter(compileFilter(readFilter(filter)), payload);
    expect(findings.map((one) => one.at)).toEqual(expected);
  });

  it('says what was found, as it was sent', () => {
    const payload = payloadOf(`{"amount":50,"id":9007199254740993,"long":"${'x'.repeat(300)}"}`);
    const first = (filter: Filter) => explainFilter(compileFilter(filter), payload)[0];
    expect(first(big)).toEqual({
      at: 'filter',
      path: 'data.amount',
      op: 'gt',
      value: 100,
      found: '50',
      message: '"data.amount" must be: gt 100; it is 50',
    });
    expect(first({ not: { path: 'data.amount', op: 'exists' } })?.message).toBe(
      '"data.amount" must not be: exists; it is 50',
    );
    expect(first(eur)).toMatchObject({ found: null, message: expect.stringContaining('nothing is there') });
    expect(first({ path: 'data.id', op: 'eq', value: '9007199254740992' })?.found).toBe('9007199254740993');
    expect(first({ path: 'data.long', op: 'eq', value: '' })?.found).toHaveLength(201);
    expect(first({ path: 'type', op: 'eq', value: 'x' })?.found).toBe('"order.paid"');
  });
});
