import { DomainError, type FieldError } from './errors.js';
import { FILTER_OPS, type Filter, type FilterOp } from './filter.js';
import { parsePayloadPath, PAYLOAD_PATH_RULE } from './payload-path.js';
import {
  MAX_FILTER_CONDITIONS,
  MAX_FILTER_DEPTH,
  MAX_FILTER_LENGTH,
  MAX_FILTER_LIST,
  MAX_FILTER_TEXT_LENGTH,
} from './policy-limits.js';

const GROUPS = ['all', 'any', 'not'] as const;
const ORDER_OPS: readonly FilterOp[] = ['gt', 'gte', 'lt', 'lte'];
const MAX_PROBLEMS = 50;

/**
 * What is wrong with a filter, field by field; nothing when it can be used as `Filter`. Looks no deeper than a filter may be, so that
 * any JSON can be given.
 * @param at the filter's own place in the request
 */
export function filterProblems(value: unknown, at = 'filter'): FieldError[] {
  const reading = { problems: [] as FieldError[], conditions: 0 };
  readNode(value, at, 1, reading);
  if (reading.conditions > MAX_FILTER_CONDITIONS) {
    reading.problems.push({ field: at, message: `must have at most ${MAX_FILTER_CONDITIONS} conditions` });
  }
  if (reading.problems.length === 0 && JSON.stringify(value).length > MAX_FILTER_LENGTH) {
    reading.problems.push({
      field: at,
      message: `must have at most ${MAX_FILTER_LENGTH} characters as JSON`,
    });
  }
  return reading.problems;
}

/** @throws DomainError `validation_failed` that names every field at fault */
export function readFilter(value: unknown, at = 'filter'): Filter {
  const problems = filterProblems(value, at);
  if (problems.length > 0) throw new DomainError('validation_failed', 'The filter is not valid.', problems);
  return value as Filter;
}

interface Reading {
  problems: FieldError[];
  conditions: number;
}

function readNode(value: unknown, at: string, depth: number, reading: Reading): void {
  // enough is said; the rest is not looked at
  if (reading.conditions > MAX_FILTER_CONDITIONS || reading.problems.length >= MAX_PROBLEMS) return;
  const refuse = (field: string, message: string): void => void reading.problems.push({ field, message });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(at, 'must be {"all":[…]}, {"any":[…]}, {"not":{…}} or a condition {"path","op","value"}');
  }
  const group = GROUPS.find((name) => Object.hasOwn(value, name));
  if (group === undefined) {
    reading.conditions += 1;
    return readCondition(value as Record<string, unknown>, at, refuse);
  }
  for (const key of Object.keys(value))
    if (key !== group) refuse(`${at}.${key}`, `cannot stand beside "${group}"`);
  if (depth > MAX_FILTER_DEPTH) return refuse(at, `must be nested at most ${MAX_FILTER_DEPTH} deep`);
  const inner = (value as Record<string, unknown>)[group];
  if (group === 'not') return readNode(inner, `${at}.not`, depth + 1, reading);
  if (!Array.isArray(inner) || inner.length === 0) {
    return refuse(`${at}.${group}`, 'must be a list with at least one entry');
  }
  inner.forEach((child, index) => readNode(child, `${at}.${group}.${index}`, depth + 1, reading));
}

type Refuse = (field: string, message: string) => void;

function readCondition(condition: Record<string, unknown>, at: string, refuse: Refuse): void {
  for (const key of Object.keys(condition)) {
    if (!['path', 'op', 'value'].includes(key)) refuse(`${at}.${key}`, 'is not a known field');
  }
  const own = (key: string): unknown => (Object.hasOwn(condition, key) ? condition[key] : undefined);
  const [path, op, value] = [own('path'), own('op'), own('value')];
  if (path === undefined) refuse(`${at}.path`, 'is required');
  else if (typeof path !== 'string' || parsePayloadPath(path) === null) {
    refuse(`${at}.path`, `must be ${PAYLOAD_PATH_RULE}`);
  }
  if (op === undefined) return refuse(`${at}.op`, 'is required');
  if (!(FILTER_OPS as readonly unknown[]).includes(op)) {
    return refuse(`${at}.op`, `must be one of ${FILTER_OPS.join(', ')}`);
  }
  readOperand(op as FilterOp, value, `${at}.value`, refuse);
}

function readOperand(op: FilterOp, value: unknown, at: string, refuse: Refuse): void {
  if (op === 'exists') {
    if (value !== undefined && typeof value !== 'boolean') refuse(at, 'must be true or false');
    return;
  }
  if (value === undefined) return refuse(at, 'is required');
  if (op === 'in') {
    if (!Array.isArray(value) || value.length === 0 || value.length > MAX_FILTER_LIST) {
      return refuse(at, `must be a list of 1 to ${MAX_FILTER_LIST} values`);
    }
    return value.forEach((item, index) => readScalar(item, `${at}.${index}`, refuse));
  }
  if (ORDER_OPS.includes(op) && typeof value !== 'number' && typeof value !== 'string') {
    return refuse(at, 'must be a number or a text');
  }
  readScalar(value, at, refuse);
}

function readScalar(value: unknown, at: string, refuse: Refuse): void {
  if (typeof value === 'string') {
    if (value.length > MAX_FILTER_TEXT_LENGTH) {
      refuse(at, `must have at most ${MAX_FILTER_TEXT_LENGTH} characters`);
    } else if (/[\0\p{Surrogate}]/u.test(value)) refuse(at, 'must be well-formed text without NUL');
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      refuse(at, 'is rounded beyond 2^53: write the number as text, "9007199254740993"');
    }
  } else if (typeof value !== 'boolean' && value !== null) {
    refuse(at, 'must be a text, a number, true, false or null');
  }
}
