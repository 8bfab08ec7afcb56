import { randomBytes } from 'node:crypto';
import { DomainError } from '@hookstream/domain';

/** Standard Webhooks 1.0.0: symmetric secret, ed25519 private key (seed ‖ public), ed25519 public key. */
export const SECRET_PREFIX = { symmetric: 'whsec_', privateKey: 'whsk_', publicKey: 'whpk_' } as const;

const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;
const GENERATED_SECRET_BYTES = 32;
export const ED25519_SEED_BYTES = 32;
const ED25519_PRIVATE_BYTES = 64;

export type DecodedSecret =
  { scheme: 'v1'; key: Buffer } | { scheme: 'v1a'; seed: Buffer; publicKey: Buffer };

/**
 * The bytes of a signing secret, and the scheme that its prefix stands for.
 * @throws DomainError `invalid_request`; its message says what is expected and never repeats the secret
 */
export function decodeSecret(secret: string): DecodedSecret {
  if (secret.startsWith(SECRET_PREFIX.symmetric)) {
    const key = decodeBase64(secret.slice(SECRET_PREFIX.symmetric.length));
    if (key && key.length >= MIN_SECRET_BYTES && key.length <= MAX_SECRET_BYTES) return { scheme: 'v1', key };
    throw invalid(
      `"${SECRET_PREFIX.symmetric}" must be followed by base64 of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes`,
    );
  }
  if (secret.startsWith(SECRET_PREFIX.privateKey)) {
    const both = decodeBase64(secret.slice(SECRET_PREFIX.privateKey.length));
    if (both?.length === ED25519_PRIVATE_BYTES) {
      const [seed, publicKey] = [both.subarray(0, ED25519_SEED_BYTES), both.subarray(ED25519_SEED_BYTES)];
      return { scheme: 'v1a', seed, publicKey };
    }
    throw invalid(
      `"${SECRET_PREFIX.privateKey}" must be followed by base64 of ${ED25519_PRIVATE_BYTES} bytes`,
    );
  }
  throw invalid(`a secret begins with "${SECRET_PREFIX.symmetric}" or "${SECRET_PREFIX.privateKey}"`);
}

/** A new symmetric secret: `whsec_` and base64 of 32 random bytes. */
export function generateSymmetricSecret(): string {
  return SECRET_PREFIX.symmetric + randomBytes(GENERATED_SECRET_BYTES).toString('base64');
}

function invalid(message: string): DomainError {
  return new DomainError('invalid_request', `not a signing secret: ${message}`);
}

/** Buffer.from skips what is not base64; a mistyped secret must not become another one. */
export function decodeBase64(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '') ? bytes : undefined;
}
