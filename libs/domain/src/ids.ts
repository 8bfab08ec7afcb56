import { fromUUID, getType, toUUIDBytes, typeidUnboxed, type TypeId } from 'typeid-js';
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
  auditEntry: 'aud',
} as const;

export type IdKind = keyof typeof ID_PREFIX;

/** A new public id: `<prefix>_<26 characters>`, a TypeID over a UUIDv7, so that ids sort by creation. */
export function newId(kind: IdKind): string {
  return typeidUnboxed(ID_PREFIX[kind]);
}

/**
 * The UUID that the database stores for a public id.
 * @throws DomainError `invalid_id` when the text is not an id of that kind.
 */
export function idToUuid(kind: IdKind, id: string): string {
  const prefix = ID_PREFIX[kind];
  const typeId = id as unknown as TypeId<string>;
  try {
    // a first character above 7 would be more than 128 bits, which the decoder does not look at
    if (getType(typeId) === prefix && (id[prefix.length + 1] as string) <= '7')
      return uuidText(toUUIDBytes(typeId));
  } catch {
    // falls through to the one error below: the parser's own messages name its internals
  }
  throw new DomainError('invalid_id', `"${id.slice(0, 64)}" is not a ${kind} id (${prefix}_…)`);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Ids are turned over several times per delivery, so this does no more than write 16 bytes as RFC 9562 has them. */
function uuidText(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += HEX[bytes[index] as number] as string;
  }
  return text;
}

/** The public id of a stored UUID. */
export function uuidToId(kind: IdKind, uuid: string): string {
  return fromUUID(uuid, ID_PREFIX[kind]);
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
