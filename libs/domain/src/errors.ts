/** One code per meaning. The API maps each to a status, Temporal activities to an ApplicationFailure. */
export const ERROR_CODES = [
  'invalid_id',
  'invalid_request',
  'validation_failed',
  'schema_violated',
  'payload_too_large',
  'unauthorized',
  'forbidden',
  'not_found',
  'conflict',
  'idempotency_conflict',
  'temporal_unavailable',
  'database_unavailable',
  'overloaded',
  'rate_limited',
  'pending_quota_exceeded',
  'decryption_failed',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface FieldError {
  /** Dotted path of the field in the request, e.g. `retry.delays_ms.0`; header and query fields by their name. */
  field: string;
  message: string;
}

/** An expected failure. Its message is safe to show to a caller: it never carries secrets or other tenants' data. */
export class DomainError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly errors: readonly FieldError[] = [],
  ) {
    super(message);
    this.name = 'DomainError';
  }
}
