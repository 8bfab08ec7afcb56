const MAX_CAUSES = 5;

/**
 * An error as it is logged. What drivers hang on theirs (statements, parameters, the row that was refused) is left out: it holds what tenants
 * sent.
 */
export function describeError(error: unknown, depth = 0): unknown {
  if (!isError(error)) return error;
  const { code, cause } = error as Error & { code?: unknown };
  return {
    type: error.name === 'Error' ? (error.constructor?.name ?? 'Error') : error.name,
    message: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(isError(cause) && depth < MAX_CAUSES ? { cause: describeError(cause, depth + 1) } : {}),
  };
}

/** Also one of another realm, such as a test runner's. */
function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && 'stack' in value;
}
