import { createHash } from 'node:crypto';
import { DomainError } from '@hookstream/domain';
import type { IdempotencyClaim } from '@hookstream/persistence';

const MAX_LENGTH = 255;
const PRINTABLE = /^[\x20-\x7e]+$/;

/**
 * Reads the `Idempotency-Key` header.
 * @throws DomainError `validation_failed` naming the header
 */
export function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && header.length <= MAX_LENGTH && PRINTABLE.test(header)) return header;
  throw new DomainError('validation_failed', 'One field is not valid.', [
    { field: 'Idempotency-Key', message: `must be 1 to ${MAX_LENGTH} printable ASCII characters` },
  ]);
}

/**
 * @param requestText what must be the same for a request to count as the same: its body, byte for byte
 * @param index position in a batch; each item of a batch is remembered by itself
 */
export function idempotencyClaim(
  key: string | undefined,
  requestText: string,
  ttlMs: number,
  index?: number,
): IdempotencyClaim | undefined {
  if (key === undefined) return undefined;
  return {
    // a line break cannot be in a header, so no single event's key can be a batch item's
    key: index === undefined ? key : `${key}\n${index}`,
    requestHash: createHash('sha256').update(requestText).digest(),
    expiresAt: new Date(Date.now() + ttlMs),
  };
}
