import { Body, Controller, Delete, Get, Param, Patch, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { CurrentKey, TenantId, type KeyActor } from '../auth/actor.js';
import { AttemptSchema, type AttemptAnswer } from '../deliveries/dto/delivery.dto.js';
import type { Listed } from '../http/fields.dto.js';
import { Operation } from '../http/operation.decorator.js';
import { VerificationSchema, type VerificationAnswer } from './dto/endpoint-probe.dto.js';
import {
  CreatedEndpointSchema,
  CreateEndpointSchema,
  EndpointPageSchema,
  EndpointSchema,
  ListEndpointsSchema,
  RotatedEndpointSchema,
  RotateSecretSchema,
  UpdateEndpointSchema,
  type CreatedEndpointAnswer,
  type CreateEndpoint,
  type EndpointAnswer,
  type ListEndpoints,
  type RotatedEndpointAnswer,
  type RotateSecret,
  type UpdateEndpoint,
} from './dto/endpoint.dto.js';
import {
  FilterTestSchema,
  TestFilterSchema,
  type FilterTestAnswer,
  type TestFilter,
} from './dto/filter.dto.js';
import { EndpointFiltersService } from './endpoint-filters.service.js';
import { EndpointProbesService } from './endpoint-probes.service.js';
import { EndpointsService } from './endpoints.service.js';

@ApiTags('endpoints')
@Controller('endpoints')
export class EndpointsController {
  constructor(
    private readonly endpoints: EndpointsService,
    private readonly probes: EndpointProbesService,
    private readonly filters: EndpointFiltersService,
  ) {}

  @Post()
  @Operation({
    summary: 'Create an endpoint',
    access: 'endpoints:write',
    status: 201,
    answer: CreatedEndpointSchema,
    failures: [400, 413, 415, 422],
  })
  createEndpoint(
    @CurrentKey() actor: KeyActor,
    @Body({ schema: CreateEndpointSchema }) body: CreateEndpoint,
  ): Promise<CreatedEndpointAnswer> {
    return this.endpoints.create(actor, body);
  }

  @Get()
  @Operation({
    summary: 'List endpoints',
    access: 'endpoints:read',
    status: 200,
    answer: EndpointPageSchema,
    failures: [422],
  })
  listEndpoints(
    @TenantId() tenantId: string,
    @Query({ schema: ListEndpointsSchema }) query: ListEndpoints,
  ): Promise<Listed<EndpointAnswer>> {
    return this.endpoints.list(tenantId, query);
  }

  @Get(':id')
  @Operation({
    summary: 'Get an endpoint',
    access: 'endpoints:read',
    status: 200,
    answer: EndpointSchema,
    failures: [404],
  })
  getEndpoint(@TenantId() tenantId: string, @Param('id') id: string): Promise<EndpointAnswer> {
    return this.endpoints.get(tenantId, id);
  }

  @Patch(':id')
  @Operation({
    summary: 'Change an endpoint',
    access: 'endpoints:write',
    status: 200,
    answer: EndpointSchema,
    failures: [400, 404, 413, 415, 422],
  })
  updateEndpoint(
    @CurrentKey() actor: KeyActor,
    @Param('id') id: string,
    @Body({ schema: UpdateEndpointSchema }) body: UpdateEndpoint,
  ): Promise<EndpointAnswer> {
    return this.endpoints.update(actor, id, body);
  }

  @Delete(':id')
  @Operation({
    summary: 'Delete an endpoint',
    description: 'What has not been delivered to it is cancelled.',
    access: 'endpoints:write',
    status: 204,
    failures: [404],
  })
  deleteEndpoint(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<void> {
    return this.endpoints.delete(actor, id);
  }

  @Post(':id/pause')
  @Operation({
    summary: 'Hold deliveries',
    description:
      'Events are still accepted for it; nothing is sent and no schedule is used up until it is resumed.',
    access: 'endpoints:write',
    status: 200,
    answer: EndpointSchema,
    failures: [404],
  })
  pauseEndpoint(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<EndpointAnswer> {
    return this.endpoints.setStatus(actor, id, 'paused');
  }

  @Post(':id/resume')
  @Operation({
    summary: 'Release held deliveries',
    description: 'Also enables an endpoint that is disabled.',
    access: 'endpoints:write',
    status: 200,
    answer: EndpointSchema,
    failures: [404],
  })
  resumeEndpoint(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<EndpointAnswer> {
    return this.endpoints.setStatus(actor, id, 'enabled');
  }

  @Post(':id/rotate-secret')
  @Operation({
    summary: 'Replace the signing secret',
    description: 'Both secrets sign until the overlap ends.',
    access: 'endpoints:write',
    status: 200,
    answer: RotatedEndpointSchema,
    failures: [400, 404, 413, 415, 422],
  })
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/RotateSecretRequest' } })
  rotateEndpointSecret(
    @CurrentKey() actor: KeyActor,
    @Param('id') id: string,
    @Body({ schema: RotateSecretSchema.prefault({}) }) body: RotateSecret,
  ): Promise<RotatedEndpointAnswer> {
    return this.endpoints.rotateSecret(actor, id, body);
  }

  @Post(':id/test')
  @Operation({
    summary: 'Send a test event now',
    description: 'One attempt, also when the endpoint is paused or disabled; the answer is that attempt.',
    access: 'endpoints:write',
    status: 200,
    answer: AttemptSchema,
    failures: [404, 503],
  })
  testEndpoint(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<AttemptAnswer> {
    return this.probes.test(actor, id);
  }

  @Post(':id/filter/test')
  @Operation({
    summary: 'Try a filter on an event',
    description:
      'Says whether the endpoint would get such an event, and which conditions decide against it. Nothing is stored or sent.',
    access: 'endpoints:read',
    status: 200,
    answer: FilterTestSchema,
    failures: [400, 404, 413, 415, 422],
  })
  testEndpointFilter(
    @TenantId() tenantId: string,
    @Param('id') id: string,
    @Body({ schema: TestFilterSchema }) body: TestFilter,
    @Req() request: FastifyRequest,
  ): Promise<FilterTestAnswer> {
    return this.filters.test(tenantId, id, body, request.bodyText);
  }

  @Post(':id/verify')
  @Operation({
    summary: 'Let an endpoint prove control of its URL',
    description:
      'Sends `{"type":"endpoint.verification","challenge":…}`; a 2xx answer with the challenge, as plain text or as `{"challenge":…}`, proves it.',
    access: 'endpoints:write',
    status: 200,
    answer: VerificationSchema,
    failures: [404, 503],
  })
  verifyEndpoint(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<VerificationAnswer> {
    return this.probes.verify(actor, id);
  }
}
