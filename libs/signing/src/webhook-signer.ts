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

/** A secret, ready to sign with. */
export interface SigningKey {
  scheme: SignatureScheme;
  key: KeyObject;
}

export interface WebhookSigner {
  /**
   * What signs for these secrets, in their order.
   * @throws DomainError `invalid_request` for an unsound secret, without repeating it
   */
  keysOf(secrets: readonly string[]): SigningKey[];
  /** The `webhook-signature` value: one entry per key, in their order, each by its scheme. */
  sign(message: SignedMessage, keys: readonly SigningKey[]): string;
  /** All headers that a receiver verifies with: the three of the standard, and the compatible one where wanted. Names are in lower case. */
  headers(
    message: SignedMessage,
    keys: readonly SigningKey[],
    policy: SignaturePolicy,
  ): Record<string, string>;
  /**
   * The value of the compatible header: prefix and HMAC-SHA256 of the body alone. Such receivers know one value, so
   * only the first symmetric key signs; undefined when there is none (nothing to verify with a public key).
   */
  signCompat(
    body: Buffer | string,
    keys: readonly SigningKey[],
    compat: NonNullable<SignaturePolicy['compat']>,
  ): string | undefined;
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

/** Signs by Standard Webhooks 1.0.0. */
export function createWebhookSigner({ cachedKeys = DEFAULT_CACHED_KEYS } = {}): WebhookSigner {
  const cache = new Map<string, SigningKey>();
  const keyOf = (secret: string): SigningKey => {
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
  return { keysOf: (secrets) => secrets.map(keyOf), sign, headers, signCompat };
}

function headers(
  message: SignedMessage,
  keys: readonly SigningKey[],
  { compat }: SignaturePolicy,
): Record<string, string> {
  const signed: Record<string, string> = {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestamp),
    'webhook-signature': sign(message, keys),
  };
  const value = compat && signCompat(message.body, keys, compat);
  if (compat && value !== undefined) signed[compat.header.toLowerCase()] = value;
  return signed;
}

function sign(message: SignedMessage, keys: readonly SigningKey[]): string {
  const [first, ...others] = keys;
  if (first === undefined)
    throw new DomainError('invalid_request', 'an endpoint without a secret cannot be signed for');
  if (!Number.isSafeInteger(message.timestamp)) throw new RangeError('timestamp must be whole unix seconds');
  const head = `${message.id}.${message.timestamp}.`;
  let signatures = signature(first, head, message.body);
  for (const key of others) signatures += ` ${signature(key, head, message.body)}`;
  return signatures;
}

function signCompat(
  body: Buffer | string,
  keys: readonly SigningKey[],
  { encoding, prefix = '' }: NonNullable<SignaturePolicy['compat']>,
): string | undefined {
  const symmetric = keys.find(({ scheme }) => scheme === 'v1');
  return symmetric && prefix + createHmac('sha256', symmetric.key).update(body).digest(encoding);
}

function importKey(secret: string): SigningKey {
  const decoded = decodeSecret(secret);
  return decoded.scheme === 'v1'
    ? { scheme: 'v1', key: createSecretKey(decoded.key) }
    : { scheme: 'v1a', key: ed25519PrivateKey(decoded.seed, decoded.publicKey) };
}

function signature({ scheme, key }: SigningKey, head: string, body: Buffer | string): string {
  if (scheme === 'v1') return `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`;
  const content = Buffer.concat([Buffer.from(head), Buffer.from(body)]);
  return `v1a,${signEd25519(null, content, key).toString('base64')}`;
}
