import { MAX_EVENT_TYPE_LENGTH } from './policy-limits.js';

const NAME = /^[a-zA-Z0-9_]+(?:\.[a-zA-Z0-9_]+)*$/;
const WILDCARD_SUFFIX = '.*';

/** Said to callers whose name or pattern is refused. */
export const EVENT_TYPE_RULE = `letters, digits and "_" in parts joined by ".", at most ${MAX_EVENT_TYPE_LENGTH} characters, e.g. "order.paid"`;
export const EVENT_TYPE_PATTERN_RULE = `an event type (${EVENT_TYPE_RULE}), a prefix such as "order.*", or "*"`;

/** Whether the text names an event type: dot-delimited, as Standard Webhooks asks. */
export function isEventType(text: string): boolean {
  return text.length <= MAX_EVENT_TYPE_LENGTH && NAME.test(text);
}

/** Whether the text selects event types: a name, `prefix.*` or `*`. */
export function isEventTypePattern(text: string): boolean {
  if (text === '*') return true;
  if (text.length > MAX_EVENT_TYPE_LENGTH) return false;
  return NAME.test(text.endsWith(WILDCARD_SUFFIX) ? text.slice(0, -WILDCARD_SUFFIX.length) : text);
}

/**
 * Whether an endpoint with these patterns wants the event type. No patterns: all of them. `order.*` is
 * everything below `order` at any depth (`order.paid`, `order.item.added`), not `order` itself.
 */
export function matchesEventType(patterns: readonly string[], type: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, type));
}

function matchesPattern(pattern: string, type: string): boolean {
  if (pattern === '*' || pattern === type) return true;
  return pattern.endsWith(WILDCARD_SUFFIX) && type.startsWith(pattern.slice(0, -1));
}
