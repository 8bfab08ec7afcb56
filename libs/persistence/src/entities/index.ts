import { ApiKeyEntity } from './api-key.entity.js';
import { EndpointSecretEntity } from './endpoint-secret.entity.js';
import { EndpointEntity } from './endpoint.entity.js';
import { EventTypeEntity } from './event-type.entity.js';
import { TenantEntity } from './tenant.entity.js';

/** What TypeORM maps. Events, deliveries, attempts and the outbox are written by hand. */
export const ENTITIES = [TenantEntity, ApiKeyEntity, EndpointEntity, EndpointSecretEntity, EventTypeEntity];
