import { DomainError } from '@hookstream/domain';
import { isGrpcServiceError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const GRPC = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  internal: 13,
  unavailable: 14,
} as const;

/** Codes that say "not now", never "not like this". */
const PASSING: readonly number[] = [
  GRPC.cancelled,
  GRPC.deadlineExceeded,
  GRPC.resourceExhausted,
  GRPC.aborted,
  GRPC.internal,
  GRPC.unavailable,
];

/** The gRPC status of an error of either connection kind, also where the SDK has wrapped it. */
export function grpcCode(error: unknown): number | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (isGrpcServiceError(cause)) return cause.code;
  }
  return undefined;
}

/** Whether the call may work when tried again: the server is away, overloaded, or still preparing the namespace. */
export function isTemporalUnavailable(error: unknown): boolean {
  if (error instanceof DomainError) return error.code === 'temporal_unavailable';
  if (error instanceof NamespaceNotFoundError) return true;
  // The native connection's own failures, before any gRPC status exists.
  if (error instanceof Error && error.name === 'TransportError') return true;
  const code = grpcCode(error);
  return code !== undefined && PASSING.includes(code);
}

/** DomainError `temporal_unavailable` for a passing failure of Temporal; anything else as it came. */
export function temporalError(error: unknown): unknown {
  if (error instanceof DomainError || !isTemporalUnavailable(error)) return error;
  const unavailable = new DomainError('temporal_unavailable', 'Temporal cannot be reached at the moment.');
  unavailable.cause = error;
  return unavailable;
}

/**
 * Runs a call to Temporal and gives its passing failures one name.
 * @throws DomainError `temporal_unavailable`; anything else as it came
 */
export async function callTemporal<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw temporalError(error);
  }
}

/** The native connection reports a deadline that passed as "cancelled". */
export function ranOutOfTime(error: unknown): boolean {
  const code = grpcCode(error);
  return code === GRPC.deadlineExceeded || code === GRPC.cancelled;
}

/** A query that no worker has answered. */
export function isNoAnswer(error: unknown): boolean {
  // The server answers "failed precondition" when it has seen no worker poll the queue of late.
  return ranOutOfTime(error) || grpcCode(error) === GRPC.failedPrecondition;
}
