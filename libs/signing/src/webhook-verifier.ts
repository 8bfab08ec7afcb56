import { createHmac, timingSafeEqual, verify as verifyEd25519 } from 'node:crypto';
import { ed25519PublicKey } from './ed25519-keys.js';
import { decodeBase64, decodeSecret, SECRET_PREFIX } from './secret-format.js';

/** The headers of a received message, as they came. */
export interface VerifiedHeaders {
  'webhook-id'?: string | undefined;
  'webhook-timestamp'?: string | undefined;
  'webhook-signature'?: string | undefined;
}

/** How far the clock of the sender may be off. Standard Webhooks 1.0.0 leaves it to the receiver; its libraries take five minutes. */
const TOLERANCE_SECONDS = 300;

/**
 * Verifies a received message by Standard Webhooks 1.0.0, as a receiver does.
 * @param secret `whsec_…`, or for ed25519 the public key `whpk_…` or the private one `whsk_…`
 * @param now unix milliseconds
 * @returns in words why it does not verify; undefined when it does
 * @throws DomainError `invalid_request` when the secret is none; never repeats it
 */
export function verifyWebhook(
  body: Buffer,
  headers: VerifiedHeaders,
  secret: string,
  now = Date.now(),
): string | undefined {
  const check = checkOf(secret);
  const missing = (['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const).filter(
    (name) => !headers[name],
  );
  if (missing.length > 0) return `it has no ${missing.join(', no ')}`;
  const timestamp = headers['webhook-timestamp'] ?? '';
  const age = now / 1_000 - Number(timestamp);
  if (!(Math.abs(age) <= TOLERANCE_SECONDS)) {
    return `its webhook-timestamp is ${Math.round(age)} s from this machine's clock; ${TOLERANCE_SECONDS} s are allowed`;
  }
  const content = Buffer.concat([Buffer.from(`${headers['webhook-id']}.${timestamp}.`), body]);
  const entries = (headers['webhook-signature'] ?? '').split(' ').map((entry) => entry.split(','));
  const ofScheme = entries.filter(([version]) => version === check.scheme);
  if (ofScheme.length === 0) {
    return `it is signed with ${entries.map(([version]) => version).join(' and ')}, the secret is for ${check.scheme}`;
  }
  const matches = ofScheme.some(([, value = '']) => {
    const given = decodeBase64(value);
    return given !== undefined && check.matches(content, given);
  });
  return matches ? undefined : 'its signature is not that of this secret over these bytes';
}

interface SignatureCheck {
  scheme: string;
  matches: (content: Buffer, given: Buffer) => boolean;
}

function checkOf(secret: string): SignatureCheck {
  const publicKey = secret.startsWith(SECRET_PREFIX.publicKey)
    ? decodeBase64(secret.slice(SECRET_PREFIX.publicKey.length))
    : undefined;
  if (publicKey?.length === 32) return ed25519Check(publicKey);
  const decoded = decodeSecret(secret);
  if (decoded.scheme === 'v1a') return ed25519Check(decoded.publicKey);
  return {
    scheme: 'v1',
    matches: (content, given) => {
      const expected = createHmac('sha256', decoded.key).update(content).digest();
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}

function ed25519Check(publicKey: Buffer): SignatureCheck {
  const key = ed25519PublicKey(publicKey);
  return { scheme: 'v1a', matches: (content, given) => verifyEd25519(null, content, key, given) };
}
