import { STATUS_CODES } from 'node:http';
import type { ErrorCode, FieldError } from '@hookstream/domain';

/** An error answer, RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  code: string;
  errors?: readonly FieldError[];
  request_id: string;
}

/** Failures that only HTTP knows, beside those of the domain. */
const HTTP_CODES: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'payload_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  422: 'validation_failed',
  429: 'rate_limited',
  431: 'headers_too_large',
  503: 'unavailable',
};

/** The status of every domain error. A malformed id reaches this from a path only: elsewhere its schema names the field. */
const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  invalid_id: 404,
  invalid_request: 400,
  validation_failed: 422,
  schema_violated: 422,
  payload_too_large: 413,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  idempotency_conflict: 409,
  temporal_unavailable: 503,
  database_unavailable: 503,
  overloaded: 503,
  rate_limited: 429,
  pending_quota_exceeded: 429,
  decryption_failed: 500,
};

/** Seconds after which a caller that got a 503 may try again. */
export const RETRY_AFTER_SECONDS = 1;

export function statusOf(code: ErrorCode): number {
  return STATUS_OF[code];
}

/** The code of a failure that came from Fastify or Nest with a status alone. */
export function codeOf(status: number): string {
  return HTTP_CODES[status] ?? (status >= 500 ? 'internal_error' : 'invalid_request');
}

export function problem(
  status: number,
  code: string,
  requestId: string,
  detail?: string,
  errors?: readonly FieldError[],
): Problem {
  return {
    type: `urn:hookstream:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    ...(detail === undefined ? {} : { detail }),
    code,
    ...(errors === undefined || errors.length === 0 ? {} : { errors }),
    request_id: requestId,
  };
}
