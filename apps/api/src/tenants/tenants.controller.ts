import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Listed } from '../http/fields.dto.js';
import { Operation } from '../http/operation.decorator.js';
import {
  CreatedTenantSchema,
  CreateTenantSchema,
  ListTenantsSchema,
  TenantPageSchema,
  TenantSchema,
  UpdateTenantSchema,
  type CreatedTenantAnswer,
  type CreateTenant,
  type ListTenants,
  type TenantAnswer,
  type UpdateTenant,
} from './dto/tenant.dto.js';
import { TenantsService } from './tenants.service.js';

@ApiTags('tenants')
@Controller('tenants')
export class TenantsController {
  constructor(private readonly tenants: TenantsService) {}

  @Post()
  @Operation({
    summary: 'Create a tenant and its first API key',
    access: 'operator',
    status: 201,
    answer: CreatedTenantSchema,
    failures: [400, 413, 415, 422],
  })
  createTenant(@Body({ schema: CreateTenantSchema }) body: CreateTenant): Promise<CreatedTenantAnswer> {
    return this.tenants.create(body);
  }

  @Get()
  @Operation({
    summary: 'List tenants',
    access: 'operator',
    status: 200,
    answer: TenantPageSchema,
    failures: [422],
  })
  listTenants(@Query({ schema: ListTenantsSchema }) query: ListTenants): Promise<Listed<TenantAnswer>> {
    return this.tenants.list(query);
  }

  @Get(':id')
  @Operation({
    summary: 'Get a tenant',
    access: 'operator',
    status: 200,
    answer: TenantSchema,
    failures: [404],
  })
  getTenant(@Param('id') id: string): Promise<TenantAnswer> {
    return this.tenants.get(id);
  }

  @Patch(':id')
  @Operation({
    summary: 'Change a tenant',
    access: 'operator',
    status: 200,
    answer: TenantSchema,
    failures: [400, 404, 413, 415, 422],
  })
  updateTenant(
    @Param('id') id: string,
    @Body({ schema: UpdateTenantSchema }) body: UpdateTenant,
  ): Promise<TenantAnswer> {
    return this.tenants.update(id, body);
  }

  @Delete(':id')
  @Operation({
    summary: 'Delete a tenant',
    description: 'Revokes its keys, deletes its endpoints and cancels what has not been delivered.',
    access: 'operator',
    status: 204,
    failures: [404],
  })
  deleteTenant(@Param('id') id: string): Promise<void> {
    return this.tenants.delete(id);
  }
}
