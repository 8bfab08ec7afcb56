import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { TenantId } from '../auth/actor.js';
import { Operation } from '../http/operation.decorator.js';
import { StatsQuerySchema, StatsSchema, type StatsAnswer, type StatsQuery } from './dto/stats.dto.js';
import { StatsService } from './stats.service.js';

const DESCRIPTION =
  'Attempts by outcome, deliveries by how they ended, success rates and percentiles: in all and by minute, hour or day. Tests and verifications are not counted. A few seconds behind; every attempt is counted exactly once.';

@ApiTags('stats')
@Controller()
export class StatsController {
  constructor(private readonly stats: StatsService) {}

  @Get('stats')
  @Operation({
    summary: 'Statistics of all endpoints',
    description: DESCRIPTION,
    access: 'deliveries:read',
    status: 200,
    answer: StatsSchema,
    failures: [422],
  })
  getStats(
    @TenantId() tenantId: string,
    @Query({ schema: StatsQuerySchema }) query: StatsQuery,
  ): Promise<StatsAnswer> {
    return this.stats.ofTenant(tenantId, query);
  }

  @Get('endpoints/:id/stats')
  @Operation({
    summary: 'Statistics of an endpoint',
    description: DESCRIPTION,
    access: 'deliveries:read',
    status: 200,
    answer: StatsSchema,
    failures: [404, 422],
  })
  getEndpointStats(
    @TenantId() tenantId: string,
    @Param('id') id: string,
    @Query({ schema: StatsQuerySchema }) query: StatsQuery,
  ): Promise<StatsAnswer> {
    return this.stats.ofEndpoint(tenantId, id, query);
  }
}
