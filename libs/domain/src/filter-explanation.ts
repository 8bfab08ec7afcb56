import { matchesFilter, type FilterCondition, type FilterNode } from './filter.js';
import { dataTextAtPath, parsePayloadPath, valueAtPath, type Payload } from './payload-path.js';

const MAX_SHOWN = 200;

/** A condition that decided against a payload, and what it met. */
export interface FilterFinding {
  /** Where the condition stands, e.g. `filter.all.0`. */
  at: string;
  path: string;
  op: FilterCondition['op'];
  value: FilterCondition['value'];
  /** The JSON text that was found at the path, shortened; null: there is nothing. */
  found: string | null;
  /** For a person. */
  message: string;
}

/** Why the filter refuses the payload: the conditions without which it would match. Empty where it matches. */
export function explainFilter(node: FilterNode, payload: Payload): FilterFinding[] {
  return matchesFilter(node, payload) ? [] : decisive(node, payload, false);
}

/** The conditions that made the node what it is (`outcome`). */
function decisive(node: FilterNode, payload: Payload, outcome: boolean): FilterFinding[] {
  switch (node.kind) {
    case 'condition':
      return [finding(node.at, node.condition, payload, outcome)];
    case 'not':
      return decisive(node.child, payload, !outcome);
    default:
      return node.children
        .filter((child) => matchesFilter(child, payload) === outcome)
        .flatMap((child) => decisive(child, payload, outcome));
  }
}

function finding(at: string, condition: FilterCondition, payload: Payload, outcome: boolean): FilterFinding {
  const found = foundText(condition.path, payload);
  const shown = found === null ? 'nothing is there' : `it is ${found}`;
  const asked = `${condition.op}${condition.value === undefined ? '' : ` ${JSON.stringify(condition.value)}`}`;
  return {
    at,
    path: condition.path,
    op: condition.op,
    value: condition.value,
    found,
    message: `"${condition.path}" ${outcome ? 'must not be' : 'must be'}: ${asked}; ${shown}`,
  };
}

function foundText(path: string, payload: Payload): string | null {
  const segments = parsePayloadPath(path);
  if (segments === null || valueAtPath(payload, segments) === undefined) return null;
  const text =
    segments[0] === 'data'
      ? dataTextAtPath(payload, segments)
      : JSON.stringify(valueAtPath(payload, segments));
  if (text === undefined) return null;
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
