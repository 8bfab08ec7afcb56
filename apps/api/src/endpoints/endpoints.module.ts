import { Module } from '@nestjs/common';
import { CircuitNotices } from '../circuits/circuit-notices.js';
import { EndpointFiltersService } from './endpoint-filters.service.js';
import { EndpointProbesService } from './endpoint-probes.service.js';
import { EndpointSecrets } from './endpoint-secrets.js';
import { EndpointsController } from './endpoints.controller.js';
import { EndpointsService } from './endpoints.service.js';

@Module({
  controllers: [EndpointsController],
  providers: [
    EndpointsService,
    EndpointProbesService,
    EndpointFiltersService,
    EndpointSecrets,
    CircuitNotices,
  ],
  exports: [EndpointsService],
})
export class EndpointsModule {}
