import { Module } from '@nestjs/common';
import { EndpointFiltersService } from './endpoint-filters.service.js';
import { EndpointProbesService } from './endpoint-probes.service.js';
import { EndpointSecrets } from './endpoint-secrets.js';
import { EndpointsController } from './endpoints.controller.js';
import { EndpointsService } from './endpoints.service.js';

@Module({
  controllers: [EndpointsController],
  providers: [EndpointsService, EndpointProbesService, EndpointFiltersService, EndpointSecrets],
})
export class EndpointsModule {}
