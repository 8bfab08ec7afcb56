import { SetMetadata } from '@nestjs/common';

/** What a key can be allowed. `*` is all of it. */
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

export const ACCESS = 'hookstream:access';

/** Who may call a route. A route that says nothing is refused to everybody. */
export const Access = (access: Scope | 'operator' | 'public') => SetMetadata(ACCESS, access);
