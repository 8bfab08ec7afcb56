/**
 * Finds where values stand in a JSON text, so that a caller's own text can be stored and sent unchanged: parsing
 * and printing again would round 64-bit numbers and reorder integer-like keys. The text must already have passed
 * JSON.parse. One pass, no recursion: time is linear and deep nesting costs no stack.
 */

/** Half-open range of UTF-16 positions, for `text.slice(start, end)`. */
export interface JsonSpan {
  start: number;
  end: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The members of the object at the span (the whole text by default): decoded name → span of its value. Of members
 * with the same name the last one wins, as in JSON.parse.
 * @throws SyntaxError when no object is there
 */
export function jsonObjectMembers(text: string, span: JsonSpan = whole(text)): Map<string, JsonSpan> {
  const members = new Map<string, JsonSpan>();
  let at = expect(text, skipSpace(text, span.start), OPEN_BRACE);
  at = skipSpace(text, at);
  if (text.charCodeAt(at) === CLOSE_BRACE) return members;
  for (;;) {
    const nameStart = skipSpace(text, at);
    const nameEnd = skipString(text, nameStart);
    const name = decodeString(text.slice(nameStart, nameEnd));
    const start = skipSpace(text, expect(text, skipSpace(text, nameEnd), COLON));
    const end = skipValue(text, start);
    members.set(name, { start, end });
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === CLOSE_BRACE) return members;
    at = expect(text, at, COMMA);
  }
}

/**
 * The spans of the elements of the array at the span (the whole text by default).
 * @throws SyntaxError when no array is there
 */
export function jsonArrayElements(text: string, span: JsonSpan = whole(text)): JsonSpan[] {
  const elements: JsonSpan[] = [];
  let at = expect(text, skipSpace(text, span.start), OPEN_BRACKET);
  at = skipSpace(text, at);
  if (text.charCodeAt(at) === CLOSE_BRACKET) return elements;
  for (;;) {
    const start = skipSpace(text, at);
    const end = skipValue(text, start);
    elements.push({ start, end });
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === CLOSE_BRACKET) return elements;
    at = expect(text, at, COMMA);
  }
}

/** The raw text at a span. */
export function jsonText(text: string, span: JsonSpan): string {
  return text.slice(span.start, span.end);
}

function whole(text: string): JsonSpan {
  return { start: 0, end: text.length };
}

function expect(text: string, at: number, code: number): number {
  if (text.charCodeAt(at) === code) return at + 1;
  throw new SyntaxError(`JSON: "${String.fromCharCode(code)}" expected at position ${at}`);
}

/** JSON's four kinds of white space. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** From the opening quote to behind the closing one. */
function skipString(text: string, from: number): number {
  expect(text, from, QUOTE);
  let at = from + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new SyntaxError(`JSON: unterminated string at position ${from}`);
    // an odd number of backslashes before it escapes the quote; none is counted twice
    let slashes = 0;
    while (quote - 1 - slashes >= at && text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes++;
    at = quote + 1;
    if (slashes % 2 === 0) return at;
  }
}

function decodeString(raw: string): string {
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

function skipValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return skipString(text, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(text, from);
  return skipScalar(text, from);
}

function skipContainer(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = skipString(text, at);
      continue;
    }
    at++;
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return at;
  }
  throw new SyntaxError(`JSON: unterminated value at position ${from}`);
}

/** A number, true, false or null: all up to the next delimiter. */
function skipScalar(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code)) break;
    at++;
  }
  if (at === from) throw new SyntaxError(`JSON: a value expected at position ${from}`);
  return at;
}
