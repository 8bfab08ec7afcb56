import { createHash, createHmac, createSecretKey, type KeyObject, sign as signEd25519 } from 'node:crypto';
import { DomainError, type SignaturePolicy, type SignatureScheme } from '@hookstream/domain';
import { ed25519PrivateKey, generateEd25519Secret } from './ed25519-keys.js';
import { decodeSecret, generateSymmetricSecret } from './secret-format.js';

export interface SignedMessage {
  /** `webhook-id`: the same on every attempt. */
  id: string;
  /** `webhook-timestamp`: whole unix seconds of this attempt. */
  timestamp: number;
  /** The very bytes that are sent. */
  body: Buffer | string;
}

export interface WebhookSigner {
  /** The `webhook-signature` value: one entry per secret, in their order, each by the scheme of its prefix. */
  sign(message: SignedMessage, secrets: readonly string[]): string;
  /** All headers that a receiver verifies with: the three of the standard, and the compatible one where wanted. */
  headers(
    message: SignedMessage,
    secrets: readonly string[],
    policy: SignaturePolicy,
  ): Record<string, string>;
  /**
   * The value of the compatible header: prefix and HMAC-SHA256 of the body alone. Such receivers know one value, so
   * only the first symmetric secret signs; undefined when there is none (nothing to verify with a public key).
   */
  signCompat(
    body: Buffer | string,
    secrets: readonly string[],
    compat: NonNullable<SignaturePolicy['compat']>,
  ): string | undefined;
}

interface CachedKey {
  scheme: SignatureScheme;
  key: KeyObject;
}

/** Keys of this many secrets are kept ready: importing an ed25519 key costs as much as a signature. */
const DEFAULT_CACHED_KEYS = 2_000;

/** A new secret for a scheme: `whsec_…` for v1, `whsk_…` for v1a. */
export function generateSecret(scheme: SignatureScheme): string {
  return scheme === 'v1a' ? generateEd25519Secret() : generateSymmetricSecret();
}

/** The scheme that a secret signs with. @throws DomainError `invalid_request` when it is not a signing secret */
export function schemeOf(secret: string): SignatureScheme {
  return decodeSecret(secret).scheme;
}

/**
 * Signs by Standard Webhooks 1.0.0.
 * @throws DomainError `invalid_request` from its methods for an unsound secret, without repeating it
 */
export function createWebhookSigner({ cachedKeys = DEFAULT_CACHED_KEYS } = {}): WebhookSigner {
  const cache = new Map<string, CachedKey>();
  const keyOf = (secret: string): CachedKey => {
    // keyed by digest, so that a heap dump or a logged map shows no secret
    const digest = createHash('sha256').update(secret).digest('base64');
    const cached = cache.get(digest);
    cache.delete(digest);
    const key = cached ?? importKey(secret);
    // a Map keeps insertion order: re-inserting on use makes its first entry the least recently used
    cache.set(digest, key);
    if (cache.size > cachedKeys) cache.delete(cache.keys().next().value as string);
    return key;
  };
  const signer: WebhookSigner = {
    headers(message, secrets, { compat }) {
      const value = compat && signer.signCompat(message.body, secrets, compat);
      return {
        'webhook-id': message.id,
        'webhook-timestamp': String(message.timestamp),
        'webhook-signature': signer.sign(message, secrets),
        ...(compat && value !== undefined ? { [compat.header]: value } : {}),
      };
    },
    sign(message, secrets) {
      if (secrets.length === 0)
        throw new DomainError('invalid_request', 'an endpoint without a secret cannot be signed for');
      if (!Number.isSafeInteger(message.timestamp))
        throw new RangeError('timestamp must be whole unix seconds');
      const head = `${message.id}.${message.timestamp}.`;
      return secrets.map((secret) => signature(keyOf(secret), head, message.body)).join(' ');
    },
    signCompat(body, secrets, { encoding, prefix = '' }) {
      for (const secret of secrets) {
        const { scheme, key } = keyOf(secret);
        if (scheme === 'v1') return prefix + createHmac('sha256', key).update(body).digest(encoding);
      }
      return undefined;
    },
  };
  return signer;
}

function importKey(secret: string): CachedKey {
  const decoded = decodeSecret(secret);
  return decoded.scheme === 'v1'
    ? { scheme: 'v1', key: createSecretKey(decoded.key) }
    : { scheme: 'v1a', key: ed25519PrivateKey(decoded.seed, decoded.publicKey) };
}

function signature({ scheme, key }: CachedKey, head: string, body: Buffer | string): string {
  if (scheme === 'v1') return `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`;
  const content = Buffer.concat([Buffer.from(head), Buffer.from(body)]);
  return `v1a,${signEd25519(null, content, key).toString('base64')}`;
}
