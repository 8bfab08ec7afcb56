const REDACTED = '[redacted]';
/** Deeper than anything that is logged on purpose. */
const MAX_DEPTH = 6;

/** Lower-case names of fields that hold secrets, or what tenants send. */
const NEVER_LOGGED: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'headers',
  'secret',
  'secrets',
  'password',
  'token',
  'admin_token',
  'admintoken',
  'api_key',
  'apikey',
  'encryptionkey',
  'encryptionkeys',
  'payload',
  'body',
  'data',
  'parameters',
]);

/** The fields as they may be logged. What has nothing to hide is handed back as it is: this runs for every line. */
export function withoutSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  return cleaned(fields, 0) as Record<string, unknown>;
}

function cleaned(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error || value instanceof Date)
    return value;
  if (depth === MAX_DEPTH) return REDACTED;
  let copy: Record<string, unknown> | undefined;
  for (const name in value) {
    const field = (value as Record<string, unknown>)[name];
    const shown = NEVER_LOGGED.has(name.toLowerCase()) ? REDACTED : cleaned(field, depth + 1);
    if (shown === field) continue;
    copy ??= { ...(value as Record<string, unknown>) };
    copy[name] = shown;
  }
  if (copy === undefined) return value;
  return Array.isArray(value) ? Object.values(copy) : copy;
}
