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
  return uuidText(bytesOf(kind, id));
}

/** The 32 hexadecimal digits of that UUID, as trace ids have them. @throws as {@link idToUuid} */
export function idToHex(kind: IdKind, id: string): string {
  const bytes = bytesOf(kind, id);
  let text = '';
  for (let index = 0; index < 16; index++) text += HEX[bytes[index] as number] as string;
  return text;
}

/** Writes the 16 bytes of that UUID. @throws as {@link idToUuid} */
export function writeIdBytes(kind: IdKind, id: string, target: Uint8Array, at: number): void {
  target.set(bytesOf(kind, id), at);
}

/** They hold until the next call. */
function bytesOf(kind: IdKind, id: string): Uint8Array {
  const prefix = ID_PREFIX[kind];
  const start = prefix.length + 1;
  if (id.length === start + 26 && id.startsWith(prefix) && id[start - 1] === '_') {
    const bytes = suffixBytes(id, start);
    if (bytes !== undefined) return bytes;
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

/** Of each character code of the alphabet, its five bits; 255 for all others. */
const BASE32_BITS = new Uint8Array(128).fill(255);
for (let bits = 0; bits < 32; bits++) BASE32_BITS[BASE32.charCodeAt(bits)] = bits;

/** The way back from {@link typeIdSuffix}; undefined where the text is none. The bytes hold until the next call. */
function suffixBytes(text: string, start: number): Uint8Array | undefined {
  let wrong = 0;
  const bitsAt = (at: number): number => {
    const code = text.charCodeAt(at);
    const bits = code < 128 ? (BASE32_BITS[code] as number) : 255;
    wrong |= bits;
    return bits & 31;
  };
  const first = bitsAt(start);
  // a first character above 7 would be more than 128 bits
  if (first > 7) return undefined;
  scratch[0] = (first << 5) | bitsAt(start + 1);
  for (let at = start + 2, to = 1; to < 16; at += 8, to += 5) {
    const high = (bitsAt(at) << 15) | (bitsAt(at + 1) << 10) | (bitsAt(at + 2) << 5) | bitsAt(at + 3);
    const low = (bitsAt(at + 4) << 15) | (bitsAt(at + 5) << 10) | (bitsAt(at + 6) << 5) | bitsAt(at + 7);
    scratch[to] = high >> 12;
    scratch[to + 1] = high >> 4;
    scratch[to + 2] = (high << 4) | (low >> 16);
    scratch[to + 3] = low >> 8;
    scratch[to + 4] = low;
  }
  return wrong > 31 ? undefined : scratch;
}

const scratch = new Uint8Array(16);
/** Of each character code of a hexadecimal digit, its four bits. */
const NIBBLES = Uint8Array.from({ length: 128 }, (_, code) => Number.parseInt(String.fromCharCode(code), 16));
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

/** The public id of a UUID as the database writes it. */
export function uuidToId(kind: IdKind, uuid: string): string {
  for (let at = 0, to = 0; to < 16; at += 2) {
    if (at === 8 || at === 13 || at === 18 || at === 23) at += 1;
    scratch[to++] =
      ((NIBBLES[uuid.charCodeAt(at) & 127] as number) << 4) |
      (NIBBLES[uuid.charCodeAt(at + 1) & 127] as number);
  }
  return `${ID_PREFIX[kind]}_${typeIdSuffix(scratch)}`;
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
