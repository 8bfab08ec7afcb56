import { REDACTED } from './redaction.js';

/** What the audit log tells of, as `<kind of object>.<what became of it>`. */
export const AUDIT_ACTIONS = [
  'tenant.created',
  'tenant.updated',
  'tenant.deleted',

  'api_key.created',
  'api_key.rotated',
  'api_key.revoked',

  'endpoint.created',
  'endpoint.updated',
  'endpoint.deleted',
  'endpoint.paused',
  'endpoint.resumed',
  'endpoint.disabled',
  'endpoint.circuit_reset',
  'endpoint.secret_rotated',
  'endpoint.tested',
  'endpoint.verified',

  'event_type.created',
  'event_type.updated',
  'event_type.deleted',

  'delivery.replayed',
  'delivery.retried_now',
  'delivery.cancelled',
  'dead_letter.discarded',

  'replay.created',
  'replay.paused',
  'replay.resumed',
  'replay.cancelled',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Who made a change: a tenant's API key, the operator, or Hookstream itself. */
export type AuditActor = { kind: 'key'; id: string } | { kind: 'operator' } | { kind: 'system' };
export const AUDIT_ACTOR_KINDS = [
  'key',
  'operator',
  'system',
] as const satisfies readonly AuditActor['kind'][];

/** What the system does by itself, such as disabling an endpoint after a 410. */
export const SYSTEM_ACTOR: AuditActor = { kind: 'system' };

/** Fields by their name in the API, with what they were and are. Either is absent where there was or is nothing. */
export type AuditChanges = Record<string, { from?: unknown; to?: unknown }>;

const MAX_VALUE_LENGTH = 2_000;
const TOO_LONG = '[too long]';

/**
 * The fields of `patch` (camelCase) that differ from `before`, as the audit log stores them (snake_case). Bytes are
 * ciphertext: that they were sent is told, never what they are. A value whose JSON is longer than 2,000 characters is left out.
 * @returns undefined when nothing differs.
 */
export function auditChanges<T extends object>(
  before: Partial<T>,
  patch: Partial<T>,
): AuditChanges | undefined {
  const changes = Object.entries(patch)
    .map(([field, to]) => ({ field, from: shown(before[field as keyof T]), to: shown(to) }))
    .filter(({ from, to }) => to === REDACTED || canonical(from) !== canonical(to))
    .map(
      ({ field, from, to }) => [snakeCase(field), { ...given('from', from), ...given('to', to) }] as const,
    );
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

function given(name: 'from' | 'to', value: unknown): { from?: unknown; to?: unknown } {
  return value === undefined || value === null ? {} : { [name]: value };
}

function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return REDACTED;
  if (value instanceof Date) return value.toISOString();
  return (JSON.stringify(value) ?? '').length > MAX_VALUE_LENGTH ? TOO_LONG : value;
}

/** JSON with sorted keys: Postgres does not keep the order that a caller sent. */
function canonical(value: unknown): string {
  const sorted = (_key: string, inner: unknown): unknown =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  return JSON.stringify(value ?? null, sorted);
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
