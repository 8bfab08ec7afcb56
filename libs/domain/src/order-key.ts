import { dataTextAtPath, parsePayloadPath, valueAtPath, type Payload } from './payload-path.js';

/** Longer values are cut: they may then share a line, which orders more than was asked for and never less. */
const MAX_ORDER_KEY_LENGTH = 256;

/** The line of deliveries without a value at the path, and of endpoints that are ordered as a whole. */
export const COMMON_ORDER_KEY = '';

/**
 * Under which key an event is ordered: the JSON text of the value at `path`, so that `1` and `"1"` are two keys and numbers beyond 2^53
 * stay apart. Without a path, or without a value there (null is none), all share one line.
 */
export function orderKeyOf(payload: () => Payload, path: string | null): string {
  const parsed = path === null ? null : parsePayloadPath(path);
  if (parsed === null) return COMMON_ORDER_KEY;
  const read = payload();
  const value = valueAtPath(read, parsed);
  if (value === undefined || value === null) return COMMON_ORDER_KEY;
  const text = typeof value === 'number' ? dataTextAtPath(read, parsed) : JSON.stringify(value);
  return (text ?? COMMON_ORDER_KEY).slice(0, MAX_ORDER_KEY_LENGTH);
}
