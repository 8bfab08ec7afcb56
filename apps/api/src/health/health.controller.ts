import { Controller, Get, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { HealthCheckResult } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import { Operation } from '../http/operation.decorator.js';
import { HealthSchema } from './dto/health.dto.js';
import { HealthService } from './health.service.js';

const NotReady = ApiResponse({
  status: 503,
  description: 'Not ready; `error` says why.',
  standardSchema: HealthSchema,
});

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get()
  @NotReady
  @Operation({ summary: 'Health of everything', access: 'public', status: 200, answer: HealthSchema })
  getHealth(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthCheckResult> {
    return this.answer(reply);
  }

  @Get('live')
  @Operation({
    summary: 'Whether the process answers',
    description: 'Asks nothing of others: a restart would not help them.',
    access: 'public',
    status: 200,
    answer: HealthSchema,
  })
  getLiveness(): HealthCheckResult {
    return { status: 'ok', info: {}, error: {}, details: {} };
  }

  @Get('ready')
  @NotReady
  @Operation({
    summary: 'Whether events are accepted and delivered',
    description: 'Postgres, its schema, Temporal, a live worker, and that what is due goes out.',
    access: 'public',
    status: 200,
    answer: HealthSchema,
  })
  getReadiness(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthCheckResult> {
    return this.answer(reply);
  }

  private async answer(reply: FastifyReply): Promise<HealthCheckResult> {
    const result = await this.health.check();
    void reply.code(result.status === 'ok' || result.status === 'degraded' ? 200 : 503);
    return result;
  }
}
