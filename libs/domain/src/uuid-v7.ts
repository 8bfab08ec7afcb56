const RANDOM_BYTES = 8;
const DRAWN_AT_ONCE = 256;
/** Of the twelve bits behind the time, which count within a millisecond. */
const COUNTER_END = 0x1000;

const random = new Uint8Array(RANDOM_BYTES * DRAWN_AT_ONCE);
let drawn = DRAWN_AT_ONCE;
let lastMs = 0;
let counter = 0;

/**
 * The bytes of a new UUIDv7 (RFC 9562, 5.7): greater than all before it of this process, by a counter within a millisecond that begins
 * in its lower half (6.2, method 1). Ids are made several times per event, so random bytes are drawn for many at once.
 */
export function nextUuidV7(): Uint8Array {
  const now = Date.now();
  const at = draw();
  if (now > lastMs) {
    lastMs = now;
    counter = (((random[at] as number) << 8) | (random[at + 1] as number)) & 0x7ff;
  } else if (++counter === COUNTER_END) {
    lastMs += 1;
    counter = 0;
  }
  const bytes = new Uint8Array(16);
  const high = Math.floor(lastMs / 0x1_0000);
  bytes[0] = high >>> 24;
  bytes[1] = high >>> 16;
  bytes[2] = high >>> 8;
  bytes[3] = high;
  bytes[4] = lastMs >>> 8;
  bytes[5] = lastMs;
  bytes[6] = 0x70 | (counter >>> 8);
  bytes[7] = counter;
  bytes.set(random.subarray(at, at + RANDOM_BYTES), 8);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return bytes;
}

/** @returns where eight random bytes stand that nobody had. */
function draw(): number {
  if (drawn === DRAWN_AT_ONCE) {
    crypto.getRandomValues(random);
    drawn = 0;
  }
  return drawn++ * RANDOM_BYTES;
}
