/**
 * Errors that say "not now", never "not like this": SQLSTATE classes 08 (connection) and 57P (shutdown, crash, starting), 53 (out of
 * resources), and what the socket and the pool say themselves. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE_CODE =
  /^(?:08...|57P0[1-5]|53...|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENOENT)$/;
const UNAVAILABLE_MESSAGE =
  /^(?:Connection terminated|Query read timeout$|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after)/;

/** Whether Postgres could not be reached, so that the same call may work later. */
export function isPostgresUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isPostgresUnavailable);
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return (typeof code === 'string' && UNAVAILABLE_CODE.test(code)) || UNAVAILABLE_MESSAGE.test(error.message);
}

/** Whether a statement got no answer within the time that its process allows. */
export function isAnswerTimeout(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** Whether Postgres refused the data itself (SQLSTATE classes 22 and 23, or a limit, 54): trying again is of no use. */
export function isPostgresDataError(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^(?:22|23|54)...$/.test(code);
}
