import {
  dataTextAtPath,
  parsePayloadPath,
  valueAtPath,
  type Payload,
  type PayloadPath,
} from './payload-path.js';

export const FILTER_OPS = ['eq', 'neq', 'contains', 'gt', 'gte', 'lt', 'lte', 'exists', 'in'] as const;
export type FilterOp = (typeof FILTER_OPS)[number];
export type FilterScalar = string | number | boolean | null;

export interface FilterCondition {
  path: string;
  op: FilterOp;
  /** A list for `in`; for `exists` whether the path is to be there (absent: yes). */
  value?: FilterScalar | FilterScalar[];
}

/** Which payloads an endpoint wants. Made by `readFilter` alone, which holds it to its bounds. */
export type Filter = { all: Filter[] } | { any: Filter[] } | { not: Filter } | FilterCondition;

/** A filter made ready to be asked many times. */
export type FilterNode =
  | { kind: 'all' | 'any'; at: string; children: FilterNode[] }
  | { kind: 'not'; at: string; child: FilterNode }
  | { kind: 'condition'; at: string; condition: FilterCondition; matches: (payload: Payload) => boolean };

/** @param at where the filter stands, for explanations */
export function compileFilter(filter: Filter, at = 'filter'): FilterNode {
  const children = (kind: 'all' | 'any', inner: Filter[]): FilterNode => ({
    kind,
    at,
    children: inner.map((child, index) => compileFilter(child, `${at}.${kind}.${index}`)),
  });
  if ('all' in filter) return children('all', filter.all);
  if ('any' in filter) return children('any', filter.any);
  if ('not' in filter) return { kind: 'not', at, child: compileFilter(filter.not, `${at}.not`) };
  return { kind: 'condition', at, condition: filter, matches: conditionMatcher(filter) };
}

/** Whether the payload is wanted. Never throws, whatever the payload holds. */
export function matchesFilter(node: FilterNode, payload: Payload): boolean {
  switch (node.kind) {
    case 'all':
      return node.children.every((child) => matchesFilter(child, payload));
    case 'any':
      return node.children.some((child) => matchesFilter(child, payload));
    case 'not':
      return !matchesFilter(node.child, payload);
    case 'condition':
      return node.matches(payload);
  }
}

/** What a condition looks at. The text is looked up only where the value may have been rounded. */
interface Found {
  value: unknown;
  text: () => string | undefined;
}

function conditionMatcher(condition: FilterCondition): (payload: Payload) => boolean {
  // a filter that was read has a path that reads; one from elsewhere finds nothing
  const path: PayloadPath = parsePayloadPath(condition.path) ?? [];
  const test = tester(condition);
  return (payload) => {
    const value = path.length === 0 ? undefined : valueAtPath(payload, path);
    return test({ value, text: () => dataTextAtPath(payload, path) });
  };
}

function tester({ op, value }: FilterCondition): (found: Found) => boolean {
  const scalar = value as FilterScalar;
  switch (op) {
    case 'eq':
      return equalTo(scalar);
    case 'neq':
      return negated(equalTo(scalar));
    case 'in': {
      const tests = (value as FilterScalar[]).map(equalTo);
      return (found) => tests.some((test) => test(found));
    }
    case 'exists':
      return (found) => (found.value !== undefined) === (value ?? true);
    case 'contains':
      return containing(scalar);
    case 'gt':
      return ordered(scalar, (order) => order > 0);
    case 'gte':
      return ordered(scalar, (order) => order >= 0);
    case 'lt':
      return ordered(scalar, (order) => order < 0);
    case 'lte':
      return ordered(scalar, (order) => order <= 0);
  }
}

const negated =
  (test: (found: Found) => boolean) =>
  (found: Found): boolean =>
    !test(found);

/** Equal in type and value. Text of a whole number beyond 2^53 equals that number as well, digit for digit. */
function equalTo(wanted: FilterScalar): (found: Found) => boolean {
  const large = largeInteger(wanted);
  if (large === undefined) return (found) => found.value === wanted;
  return (found) => found.value === wanted || compareNumbers(found, large) === 0;
}

function containing(wanted: FilterScalar): (found: Found) => boolean {
  return ({ value }) => {
    if (typeof value === 'string') return typeof wanted === 'string' && value.includes(wanted);
    return Array.isArray(value) && value.includes(wanted);
  };
}

function ordered(wanted: FilterScalar, accepts: (order: number) => boolean): (found: Found) => boolean {
  const large = largeInteger(wanted);
  return (found) => {
    let order: number | undefined;
    if (typeof wanted === 'number') order = compareNumbers(found, wanted);
    else if (typeof wanted === 'string') {
      if (typeof found.value === 'string') order = found.value < wanted ? -1 : found.value > wanted ? 1 : 0;
      else if (large !== undefined) order = compareNumbers(found, large);
    }
    return order !== undefined && accepts(order);
  };
}

/** @returns below, at or above 0 as in a sort, or undefined where no number was found. Integers compare exactly. */
function compareNumbers(found: Found, wanted: number | bigint): number | undefined {
  if (typeof found.value !== 'number') return undefined;
  // a number that is not large is on the same side of a large one before and after rounding
  const value = typeof wanted === 'bigint' ? exactNumber(found.value, found.text) : found.value;
  return value < wanted ? -1 : value > wanted ? 1 : 0;
}

/** Numbers beyond 2^53 were rounded when they were read: their text tells them exactly, as long as it is not absurdly long. */
function exactNumber(value: number, text: () => string | undefined): number | bigint {
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER || !Number.isInteger(value)) return value;
  const digits = text();
  return digits !== undefined && /^-?\d{1,64}$/.test(digits) ? BigInt(digits) : value;
}

/** JSON cannot carry a whole number beyond 2^53 to us unrounded, so a filter has it as text. */
function largeInteger(value: FilterScalar): bigint | undefined {
  if (typeof value !== 'string' || !/^-?[1-9]\d{15,39}$/.test(value)) return undefined;
  return Number.isSafeInteger(Number(value)) ? undefined : BigInt(value);
}
