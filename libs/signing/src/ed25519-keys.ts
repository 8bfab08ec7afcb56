import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { DomainError } from '@hookstream/domain';
import { decodeSecret, ED25519_SEED_BYTES, SECRET_PREFIX } from './secret-format.js';

/** PKCS #8 around a raw ed25519 seed (RFC 8410, 7): node:crypto takes no raw keys. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A new ed25519 key: `whsk_` and base64 of seed ‖ public. */
export function generateEd25519Secret(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-ED25519_SEED_BYTES);
  return SECRET_PREFIX.privateKey + Buffer.concat([seed, rawPublicKey(privateKey)]).toString('base64');
}

/**
 * The key for signing.
 * @throws DomainError `invalid_request` when the public half is not the seed's: receivers would refuse every message
 */
export function ed25519PrivateKey(seed: Buffer, publicKey: Buffer): KeyObject {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  if (!rawPublicKey(key).equals(publicKey)) {
    throw new DomainError(
      'invalid_request',
      'not a signing secret: its public half does not belong to its private half',
    );
  }
  return key;
}

/**
 * The public key (`whpk_…`) that receivers verify with.
 * @throws DomainError `invalid_request` when the secret is not a sound `whsk_` key
 */
export function publicKeyOf(secret: string): string {
  const decoded = decodeSecret(secret);
  if (decoded.scheme !== 'v1a')
    throw new DomainError('invalid_request', 'a symmetric secret has no public key');
  return (
    SECRET_PREFIX.publicKey +
    rawPublicKey(ed25519PrivateKey(decoded.seed, decoded.publicKey)).toString('base64')
  );
}

/** The key to verify with, of a raw public key of 32 bytes. */
export function ed25519PublicKey(publicKey: Buffer): KeyObject {
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') },
    format: 'jwk',
  });
}

function rawPublicKey(privateKey: KeyObject): Buffer {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return Buffer.from(x ?? '', 'base64url');
}
