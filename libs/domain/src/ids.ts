import { TypeID } from 'typeid-js';
import { DomainError } from './errors.js';

/** The prefix that tells, in every public id, what kind of object it names. */
export const ID_PREFIX = {
  tenant: 'tnt',
  endpoint: 'ep',
  event: 'evt',
  delivery: 'dlv',
  attempt: 'att',
  replay: 'rpl',
  apiKey: 'key',
  secret: 'sec',
} as const;

export type IdKind = keyof typeof ID_PREFIX;

/** A new public id: `<prefix>_<26 characters>`, a TypeID over a UUIDv7, so that ids sort by creation. */
export function newId(kind: IdKind): string {
  return new TypeID(ID_PREFIX[kind]).toString();
}

/**
 * The UUID that the database stores for a public id.
 * @throws DomainError `invalid_id` when the text is not an id of that kind.
 */
export function idToUuid(kind: IdKind, id: string): string {
  try {
    const parsed = TypeID.fromString(id);
    if (parsed.getType() === ID_PREFIX[kind]) return parsed.toUUID();
  } catch {
    // falls through to the one error below: the parser's own messages name its internals
  }
  throw new DomainError('invalid_id', `"${id.slice(0, 64)}" is not a ${kind} id (${ID_PREFIX[kind]}_…)`);
}

/** The public id of a stored UUID. */
export function uuidToId(kind: IdKind, uuid: string): string {
  return TypeID.fromUUID(ID_PREFIX[kind], uuid).toString();
}

/** The creation time, in unix milliseconds, that a UUIDv7 carries in its first 48 bits (RFC 9562, 5.7). */
export function uuidV7Time(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

/** The smallest UUIDv7 of a moment (unix milliseconds): the bound of a partition or of a time filter. */
export function uuidV7Floor(unixMs: number): string {
  const hex = Math.max(0, Math.floor(unixMs)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}
