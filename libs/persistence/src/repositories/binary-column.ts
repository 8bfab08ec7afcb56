import { writeIdBytes, type IdKind } from '@hookstream/domain';

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
const UUID_OID = 2950;
const UUID_BYTES = 16;
const JSONB_VERSION = 1;
/** Postgres counts from 2000-01-01, in microseconds. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const TWO_TO_32 = 2 ** 32;

/** How the elements of a type are written: uuids as text, times as unix milliseconds, JSON as its text. */
interface Elements {
  uuid: string;
  text: string;
  jsonb: string;
  boolean: boolean;
  smallint: number;
  integer: number;
  timestamptz: number;
}
export type ElementType = keyof Elements;
export type Element<Type extends ElementType> = Elements[Type];

interface Codec<T> {
  /** In pg_type. */
  oid: number;
  bytes: (value: T) => number;
  /** @returns how many bytes it has written */
  write: (buffer: Buffer, value: T, at: number) => number;
}

const CODECS: { readonly [Type in ElementType]: Codec<Elements[Type]> } = {
  uuid: { oid: UUID_OID, bytes: () => UUID_BYTES, write: writeUuid },
  text: { oid: 25, bytes: textBytes, write: writeText },
  jsonb: {
    oid: 3802,
    bytes: (text) => 1 + textBytes(text),
    write: (buffer, text, at) => {
      buffer[at] = JSONB_VERSION;
      return 1 + writeText(buffer, text, at + 1);
    },
  },
  boolean: {
    oid: 16,
    bytes: () => 1,
    write: (buffer, value, at) => buffer.writeUInt8(value ? 1 : 0, at) - at,
  },
  smallint: { oid: 21, bytes: () => 2, write: (buffer, value, at) => buffer.writeInt16BE(value, at) - at },
  integer: { oid: 23, bytes: () => 4, write: (buffer, value, at) => buffer.writeInt32BE(value, at) - at },
  timestamptz: { oid: 1184, bytes: () => 8, write: writeTime },
};

/**
 * What each row has in a column, as a parameter of an array type in Postgres' binary form (array_recv in its arrayfuncs.c), in which
 * nothing has to be escaped here and unescaped or parsed there: for the hot path. `pg` sends a Buffer as binary.
 */
export function binaryColumn<Row, Type extends ElementType>(
  type: Type,
  rows: readonly Row[],
  valueOf: (row: Row) => Elements[Type] | null,
): Buffer {
  const { oid, bytes, write } = CODECS[type];
  const values = rows.map(valueOf);
  let size = 0;
  let hasNulls = false;
  for (const value of values) {
    if (value === null) hasNulls = true;
    else size += bytes(value);
  }
  const buffer = arrayOf(oid, values.length, size, hasNulls);
  let at = HEADER_BYTES;
  for (const value of values) {
    const start = at + LENGTH_BYTES;
    const written = value === null ? NULL_LENGTH : write(buffer, value, start);
    buffer.writeInt32BE(written, at);
    at = start + Math.max(0, written);
  }
  return buffer;
}

/** The same of public ids, as the uuids that they stand for. */
export function binaryIdColumn<Row>(kind: IdKind, rows: readonly Row[], idOf: (row: Row) => string): Buffer {
  const buffer = arrayOf(UUID_OID, rows.length, rows.length * UUID_BYTES, false);
  let at = HEADER_BYTES;
  for (const row of rows) {
    writeIdBytes(kind, idOf(row), buffer, buffer.writeInt32BE(UUID_BYTES, at));
    at += LENGTH_BYTES + UUID_BYTES;
  }
  return buffer;
}

/** An array of one dimension, its elements still to be written behind their lengths. */
function arrayOf(oid: number, length: number, bytes: number, hasNulls: boolean): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + length * LENGTH_BYTES + bytes);
  buffer.writeInt32BE(1, 0); // dimensions
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(length, 12);
  buffer.writeInt32BE(1, 16); // the first index
  return buffer;
}

/** Up to here a text is written faster here than by a call out of JavaScript. */
const SHORT = 24;

function textBytes(text: string): number {
  return isShortAscii(text) ? text.length : Buffer.byteLength(text);
}

function writeText(buffer: Buffer, text: string, at: number): number {
  if (!isShortAscii(text)) return buffer.write(text, at, 'utf8');
  for (let index = 0; index < text.length; index++) buffer[at + index] = text.charCodeAt(index);
  return text.length;
}

function isShortAscii(text: string): boolean {
  if (text.length > SHORT) return false;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false;
  return true;
}

function writeUuid(buffer: Buffer, uuid: string, at: number): number {
  for (let from = 0, to = at; to < at + UUID_BYTES; from += 2) {
    if (uuid.charCodeAt(from) === HYPHEN) from += 1;
    buffer[to++] = (nibble(uuid.charCodeAt(from)) << 4) | nibble(uuid.charCodeAt(from + 1));
  }
  return UUID_BYTES;
}

const HYPHEN = 45;

/** Of the code of a hexadecimal digit. */
function nibble(code: number): number {
  return code < 58 ? code - 48 : (code | 32) - 87;
}

function writeTime(buffer: Buffer, unixMs: number, at: number): number {
  const microseconds = Math.round((unixMs - POSTGRES_EPOCH_MS) * 1_000);
  const high = Math.floor(microseconds / TWO_TO_32);
  buffer.writeInt32BE(high, at);
  return buffer.writeUInt32BE(microseconds - high * TWO_TO_32, at + 4) - at;
}
