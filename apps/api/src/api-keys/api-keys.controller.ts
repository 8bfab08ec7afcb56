import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
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
  RotateApiKeySchema,
  RotatedApiKeySchema,
  type ApiKeyAnswer,
  type CreateApiKey,
  type CreatedApiKeyAnswer,
  type ListApiKeys,
  type RotateApiKey,
  type RotatedApiKeyAnswer,
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

  @Post(':id/rotate')
  @Operation({
    summary: 'Replace an API key',
    description:
      'Makes a key with the same name and scopes. The one before goes on working until the overlap ends (one that ends sooner keeps its end); with an overlap of 0 it stops within a second.',
    access: 'api-keys:write',
    status: 201,
    answer: RotatedApiKeySchema,
    failures: [400, 404, 413, 415, 422],
  })
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/RotateApiKeyRequest' } })
  rotateApiKey(
    @CurrentKey() actor: KeyActor,
    @Param('id') id: string,
    @Body({ schema: RotateApiKeySchema.prefault({}) }) body: RotateApiKey,
  ): Promise<RotatedApiKeyAnswer> {
    return this.keys.rotate(actor, id, body);
  }

  @Delete(':id')
  @Operation({
    summary: 'Revoke an API key',
    description: 'It stops working within a second.',
    access: 'api-keys:write',
    status: 204,
    failures: [404],
  })
  revokeApiKey(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<void> {
    return this.keys.revoke(actor, id);
  }
}
