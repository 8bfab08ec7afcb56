import { createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { decodeBase64 } from './secret-format.js';

export const ENCRYPTION_KEY_SETTING = 'HOOKSTREAM_ENCRYPTION_KEY';
const KEY_BYTES = 32;

export interface EncryptionKey {
  /** First 8 hex digits of the key's SHA-256: names a key without telling it. */
  id: string;
  key: KeyObject;
}

/** The first key encrypts, all of them decrypt. Never empty. */
export type KeyRing = readonly [EncryptionKey, ...EncryptionKey[]];

/**
 * Reads base64 keys of 32 bytes each: a comma list, or one already split.
 * @throws Error naming the setting and the entry's position; never with the value
 */
export function parseKeyRing(keyList: string | readonly string[]): KeyRing {
  const entries = (typeof keyList === 'string' ? keyList.split(',') : keyList)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const keys = entries.map(parseKey);
  const [first, ...rest] = keys;
  if (!first)
    throw new Error(`${ENCRYPTION_KEY_SETTING} is empty: expected base64 of ${KEY_BYTES} random bytes`);
  return [first, ...rest];
}

/** A fresh entry for the setting: base64 of 32 random bytes. */
export function generateEncryptionKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

function parseKey(entry: string, index: number): EncryptionKey {
  const bytes = decodeBase64(entry);
  if (bytes?.length !== KEY_BYTES) {
    throw new Error(
      `${ENCRYPTION_KEY_SETTING}: entry ${index + 1} is not base64 of ${KEY_BYTES} bytes; make one with "openssl rand -base64 ${KEY_BYTES}"`,
    );
  }
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  return { id, key: createSecretKey(bytes) };
}
