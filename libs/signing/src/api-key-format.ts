import { hash, randomBytes } from 'node:crypto';

export type KeyMode = 'live' | 'test';

const SECRET_BYTES = 32;
const SHOWN_CHARACTERS = 6;
const KEY = /^hs_(?:live|test)_[A-Za-z0-9_-]{43}$/;

export interface GeneratedKey {
  /** Shown once. */
  key: string;
  /** What it is recognised by afterwards. */
  prefix: string;
  hash: Buffer;
}

/** A new key with 256 random bits. */
export function generateApiKey(mode: KeyMode): GeneratedKey {
  const key = `hs_${mode}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { key, prefix: key.slice(0, `hs_${mode}_`.length + SHOWN_CHARACTERS), hash: hashApiKey(key) };
}

/** The mode that a key shows of itself, by its beginning. */
export function keyMode(prefix: string): KeyMode {
  return prefix.startsWith('hs_test_') ? 'test' : 'live';
}

export function isApiKey(text: string): boolean {
  return KEY.test(text);
}

/** SHA-256 suffices: a key has 256 random bits, so there is nothing to guess that a slow hash would protect. */
export function hashApiKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}
