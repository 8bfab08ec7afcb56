import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentKey, TenantId, type KeyActor } from '../auth/actor.js';
import type { Listed } from '../http/fields.dto.js';
import { Operation } from '../http/operation.decorator.js';
import { ApiKeysService } from './api-keys.service.js';
import {
  ApiKeyPageSchema,
  ApiKeySchema,
  CreateApiKeySchema,
  CreatedApiKeySchema,
  ListApiKeysSchema,
  type ApiKeyAnswer,
  type CreateApiKey,
  type CreatedApiKeyAnswer,
  type ListApiKeys,
} from './dto/api-key.dto.js';

@ApiTags('api-keys')
@Controller('api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Post()
  @Operation({
    summary: 'Create an API key',
    access: 'api-keys:write',
    status: 201,
    answer: CreatedApiKeySchema,
    failures: [400, 413, 415, 422],
  })
  createApiKey(
    @CurrentKey() actor: KeyActor,
    @Body({ schema: CreateApiKeySchema }) body: CreateApiKey,
  ): Promise<CreatedApiKeyAnswer> {
    return this.keys.create(actor, body);
  }

  @Get()
  @Operation({
    summary: 'List API keys',
    access: 'api-keys:read',
    status: 200,
    answer: ApiKeyPageSchema,
    failures: [422],
  })
  listApiKeys(
    @TenantId() tenantId: string,
    @Query({ schema: ListApiKeysSchema }) query: ListApiKeys,
  ): Promise<Listed<ApiKeyAnswer>> {
    return this.keys.list(tenantId, query);
  }

  @Get(':id')
  @Operation({
    summary: 'Get an API key',
    access: 'api-keys:read',
    status: 200,
    answer: ApiKeySchema,
    failures: [404],
  })
  getApiKey(@TenantId() tenantId: string, @Param('id') id: string): Promise<ApiKeyAnswer> {
    return this.keys.get(tenantId, id);
  }

  @Delete(':id')
  @Operation({
    summary: 'Revoke an API key',
    description: 'It stops working within a second.',
    access: 'api-keys:write',
    status: 204,
    failures: [404],
  })
  revokeApiKey(@TenantId() tenantId: string, @Param('id') id: string): Promise<void> {
    return this.keys.revoke(tenantId, id);
  }
}
