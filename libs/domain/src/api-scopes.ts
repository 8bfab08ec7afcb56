/** What an API key can be allowed. `*` is all of it. */
export const SCOPES = [
  'events:write',
  'events:read',
  'event-types:write',
  'event-types:read',
  'endpoints:write',
  'endpoints:read',
  'deliveries:write',
  'deliveries:read',
  'api-keys:write',
  'api-keys:read',
  'audit-log:read',
] as const;
export type Scope = (typeof SCOPES)[number];

export const ALL_SCOPES = '*';
