import { Controller, Get, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentKey, TenantId, type KeyActor } from '../auth/actor.js';
import { Operation } from '../http/operation.decorator.js';
import { CircuitsService } from './circuits.service.js';
import { CircuitSchema, type CircuitAnswer } from './dto/circuit.dto.js';

@ApiTags('endpoints')
@Controller('endpoints')
export class CircuitsController {
  constructor(private readonly circuits: CircuitsService) {}

  @Get(':id/circuit')
  @Operation({
    summary: 'Get the state of the circuit breaker',
    access: 'endpoints:read',
    status: 200,
    answer: CircuitSchema,
    failures: [404],
  })
  getCircuit(@TenantId() tenantId: string, @Param('id') id: string): Promise<CircuitAnswer> {
    return this.circuits.get(tenantId, id);
  }

  @Post(':id/circuit/reset')
  @Operation({
    summary: 'Close the circuit now',
    description:
      'What waits goes out at once, without a probe, and old failures count no more. A circuit whose endpoint still fails opens again.',
    access: 'endpoints:write',
    status: 200,
    answer: CircuitSchema,
    failures: [404, 503],
  })
  resetCircuit(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<CircuitAnswer> {
    return this.circuits.reset(actor, id);
  }
}
