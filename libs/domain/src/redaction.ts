export const REDACTED = '[redacted]';

const SENSITIVE = /auth|cookie|token|secret|key|password|passwd|signature|credential|session/i;

/** A signature proves possession of a secret without being one; a person needs it to debug a receiver. */
const SHOWN: ReadonlySet<string> = new Set(['webhook-signature', 'x-hookstream-signature']);

/** Whether a header of this name may carry a secret, so that its value is never shown or logged. */
export function isSensitiveHeader(name: string): boolean {
  return SENSITIVE.test(name) && !SHOWN.has(name.toLowerCase());
}

/** The headers with the values of sensitive ones replaced by `[redacted]`. The given object is not changed. */
export function redactHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const redacted: Record<string, string> = {};
  for (const name in headers) redacted[name] = isSensitiveHeader(name) ? REDACTED : (headers[name] as string);
  return redacted;
}
