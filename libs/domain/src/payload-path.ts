import { MAX_PAYLOAD_PATH_LENGTH, MAX_PAYLOAD_PATH_SEGMENTS } from './policy-limits.js';
import { jsonArrayElements, jsonObjectMembers, jsonText, type JsonSpan } from './json-slice.js';

/** The members of a delivered payload, where every path begins. */
export const PAYLOAD_ROOTS = ['type', 'timestamp', 'data'] as const;

/** Said to callers whose path is refused. */
export const PAYLOAD_PATH_RULE = `a path into the delivered payload: "type", "timestamp" or "data" and names or array indexes joined by ".", e.g. "data.items.0.sku" ("\\." is a dot within a name); at most ${MAX_PAYLOAD_PATH_LENGTH} characters and ${MAX_PAYLOAD_PATH_SEGMENTS} parts`;

export type PayloadPath = readonly string[];

/** A payload as it is delivered, with the text of its `data` where that tells more than its value: numbers beyond 2^53. */
export interface Payload {
  type: string;
  /** RFC 3339. */
  timestamp: string;
  /** As JSON.parse read it. */
  data: unknown;
  /** The JSON text of `data`, without white space around it. */
  dataText: string;
}

/** Reads a dotted path. `\.` is a dot and `\\` a backslash within a name. @returns null where it is none. */
export function parsePayloadPath(path: string): PayloadPath | null {
  if (path.length > MAX_PAYLOAD_PATH_LENGTH || /[\0\p{Surrogate}]/u.test(path)) return null;
  const segments: string[] = [''];
  for (let at = 0; at < path.length; at++) {
    const char = path.charAt(at);
    if (char === '.') {
      segments.push('');
      continue;
    }
    const escaped = char === '\\' ? path.charAt(++at) : undefined;
    if (escaped !== undefined && escaped !== '.' && escaped !== '\\') return null;
    segments[segments.length - 1] += escaped ?? char;
  }
  const root = (PAYLOAD_ROOTS as readonly string[]).indexOf(segments[0] ?? '');
  const leaf = segments.length > 1 && segments[0] !== 'data';
  const valid = root >= 0 && !leaf && !segments.includes('') && segments.length <= MAX_PAYLOAD_PATH_SEGMENTS;
  return valid ? segments : null;
}

/**
 * The value at a path, or undefined where there is none; a value in JSON is never undefined. Only what the sender wrote is
 * found: own members of objects and elements of arrays, nothing that JavaScript adds (`length`, `__proto__`, `constructor`).
 */
export function valueAtPath(payload: Payload, path: PayloadPath): unknown {
  let value: unknown = payload;
  for (const segment of path) {
    if (Array.isArray(value)) value = isIndex(segment) ? (value[Number(segment)] as unknown) : undefined;
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, segment))
      value = (value as Record<string, unknown>)[segment];
    else return undefined;
  }
  return value;
}

/** The JSON text of the value at a path into `data`, as the sender wrote it, or undefined where there is none. */
export function dataTextAtPath(payload: Payload, path: PayloadPath): string | undefined {
  const { dataText } = payload;
  let span: JsonSpan | undefined = { start: 0, end: dataText.length };
  for (const segment of path.slice(1)) {
    const first = dataText.charAt(span.start);
    if (first === '{') span = jsonObjectMembers(dataText, span).get(segment);
    else if (first === '[' && isIndex(segment)) span = jsonArrayElements(dataText, span)[Number(segment)];
    else return undefined;
    if (span === undefined) return undefined;
  }
  return jsonText(dataText, span);
}

function isIndex(segment: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(segment);
}
