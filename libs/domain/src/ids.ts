import { fromUUID, getType, toUUIDBytes, type TypeId } from 'typeid-js';
import { DomainError } from './errors.js';
import { nextUuidV7 } from './uuid-v7.js';

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
  return `${ID_PREFIX[kind]}_${typeIdSuffix(nextUuidV7())}`;
}

/** As {@link newId}, and the UUID that the database stores for it. */
export function newIdentity(kind: IdKind): { id: string; uuid: string } {
  const bytes = nextUuidV7();
  return { id: `${ID_PREFIX[kind]}_${typeIdSuffix(bytes)}`, uuid: uuidText(bytes) };
}

/** A new UUID where nobody needs the public id yet. */
export function newUuid(): string {
  return uuidText(nextUuidV7());
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

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';
const BASE32_PAIRS = Array.from(
  { length: 1_024 },
  (_, value) => `${BASE32[value >> 5] as string}${BASE32[value & 31] as string}`,
);

/** 128 bits as 26 characters of Crockford's base 32, the first of three bits: https://github.com/jetify-com/typeid/tree/main/spec */
function typeIdSuffix(bytes: Uint8Array): string {
  let text = BASE32_PAIRS[bytes[0] as number] as string;
  for (let at = 1; at < 16; at += 5) {
    const middle = bytes[at + 2] as number;
    const high = ((bytes[at] as number) << 12) | ((bytes[at + 1] as number) << 4) | (middle >> 4);
    const low = ((middle & 15) << 16) | ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number);
    text += `${BASE32_PAIRS[high >> 10] as string}${BASE32_PAIRS[high & 1_023] as string}`;
    text += `${BASE32_PAIRS[low >> 10] as string}${BASE32_PAIRS[low & 1_023] as string}`;
  }
  return text;
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
