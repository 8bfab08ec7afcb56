import type { FieldError } from './errors.js';
import { MAX_SCHEMA_DEPTH, MAX_SCHEMA_LENGTH, MAX_SCHEMA_SIZE } from './policy-limits.js';

export const SCHEMA_DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/** What would make a check leave the schema, depend on who asks, or go on without end. */
const REFUSED: Readonly<Record<string, string>> = {
  $id: 'is supported at the top only',
  $anchor: 'is not supported: refer by path, "#/$defs/name"',
  $dynamicRef: 'is not supported',
  $dynamicAnchor: 'is not supported',
  $recursiveRef: 'is not supported',
};

const MAX_PROBLEMS = 20;
/** What Postgres cannot hold as JSON. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;
const WELL_FORMED = 'must be well-formed text without NUL';

/**
 * What keeps a schema from being used, beside what JSON Schema itself says: a caller's schema runs where everybody's events are
 * accepted, so its cost per character of an event is bounded before it is compiled. Walks no further than a schema may go, so
 * that any JSON can be given.
 * @param at the schema's own place in the request
 * @returns nothing when it can be compiled, and then `size`: its values, with every `$ref` written out
 */
export function schemaBounds(schema: unknown, at = 'schema'): { problems: FieldError[]; size: number } {
  if (!isObject(schema)) return { problems: [{ field: at, message: 'must be an object' }], size: 0 };
  const walk = new SchemaWalk(schema, at);
  const size = walk.sizeOf(schema, [], 1);
  const { problems } = walk;
  if (problems.length === 0 && JSON.stringify(schema).length > MAX_SCHEMA_LENGTH) {
    problems.push({ field: at, message: `must have at most ${MAX_SCHEMA_LENGTH} characters as JSON` });
  }
  if (problems.length === 0 && size > MAX_SCHEMA_SIZE) {
    problems.push({
      field: at,
      message: `must have at most ${MAX_SCHEMA_SIZE} values, those that "$ref" leads to counted each time`,
    });
  }
  return { problems, size };
}

class SchemaWalk {
  readonly problems: FieldError[] = [];
  private readonly sizes = new Map<object, number>();
  private readonly open = new Set<object>();
  private visited = 0;

  constructor(
    private readonly root: Record<string, unknown>,
    private readonly at: string,
  ) {}

  sizeOf(value: unknown, path: readonly string[], depth: number): number {
    this.visited += 1;
    if (typeof value === 'string' && UNSTORABLE.test(value)) return this.refuse(path, WELL_FORMED);
    if (typeof value !== 'object' || value === null || this.isDone()) return 1;
    const known = this.sizes.get(value);
    if (known !== undefined) return known;
    if (depth > MAX_SCHEMA_DEPTH) return this.refuse(path, `must be nested at most ${MAX_SCHEMA_DEPTH} deep`);
    this.open.add(value);
    let size = 1;
    for (const [key, inner] of Object.entries(value)) {
      if (UNSTORABLE.test(key)) this.refuse(path, WELL_FORMED);
      size += this.sizeOf(inner, [...path, key], depth + 1);
      if (typeof inner === 'string' && !Array.isArray(value))
        size += this.keyword(key, inner, [...path, key]);
      if (this.isDone()) break;
    }
    this.open.delete(value);
    this.sizes.set(value, size);
    return size;
  }

  /** What stands for itself elsewhere, such as a property named `$ref`, is an object and not a text. */
  private keyword(key: string, value: string, path: readonly string[]): number {
    if (key === '$ref') return this.reference(value, path);
    if (key === '$schema' && value.replace(/#$/, '') !== SCHEMA_DRAFT) {
      return this.refuse(path, `must be "${SCHEMA_DRAFT}" or absent`);
    }
    const refused = Object.hasOwn(REFUSED, key) && !(key === '$id' && path.length === 1);
    return refused ? this.refuse(path, REFUSED[key] ?? '') : 0;
  }

  private reference(ref: string, path: readonly string[]): number {
    if (!/^#(?:\/|$)/.test(ref))
      return this.refuse(path, 'must lead within the schema, such as "#/$defs/name"');
    const target = this.resolve(ref);
    if (target === undefined) return this.refuse(path, 'leads nowhere');
    if (typeof target === 'object' && target !== null && this.open.has(target)) {
      return this.refuse(path, 'leads back to itself: recursive schemas are not supported');
    }
    // its own problems, if it has any, are told at its own place
    return this.sizeOf(target, ref.split('/').slice(1), 1);
  }

  private resolve(ref: string): unknown {
    let target: unknown = this.root;
    for (const part of ref.split('/').slice(1)) {
      const key = decoded(part);
      if (typeof target !== 'object' || target === null || key === null || !Object.hasOwn(target, key))
        return;
      target = (target as Record<string, unknown>)[key];
    }
    return target;
  }

  private isDone(): boolean {
    return this.problems.length >= MAX_PROBLEMS || this.visited > 2 * MAX_SCHEMA_SIZE;
  }

  private refuse(path: readonly string[], message: string): 0 {
    this.problems.push({ field: [this.at, ...path].join('.'), message });
    return 0;
  }
}

/** A part of a JSON pointer in a URI fragment (RFC 6901, 6). */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
