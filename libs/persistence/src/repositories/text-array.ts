const TEXT_OID = 25;
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;

/**
 * A parameter of type `text[]` in Postgres' binary form (array_recv in its arrayfuncs.c), in which nothing has to be escaped here and
 * unescaped there: for long texts. `pg` sends a Buffer as binary.
 */
export function binaryTextArray(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const size = lengths.reduce((sum, length) => sum + LENGTH_BYTES + length, HEADER_BYTES);
  const buffer = Buffer.allocUnsafe(size);
  buffer.writeInt32BE(1, 0); // dimensions
  buffer.writeInt32BE(0, 4); // no nulls
  buffer.writeInt32BE(TEXT_OID, 8);
  buffer.writeInt32BE(texts.length, 12);
  buffer.writeInt32BE(1, 16); // the first index
  let at = HEADER_BYTES;
  texts.forEach((text, index) => {
    const length = lengths[index] as number;
    buffer.writeInt32BE(length, at);
    buffer.write(text, at + LENGTH_BYTES, length, 'utf8');
    at += LENGTH_BYTES + length;
  });
  return buffer;
}
