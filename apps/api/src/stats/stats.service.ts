import { Inject, Injectable } from '@nestjs/common';
import type { ApiConfig } from '@hookstream/config';
import { StatsRepository } from '@hookstream/persistence';
import { EndpointsService } from '../endpoints/endpoints.service.js';
import { API_CONFIG } from '../platform/tokens.js';
import type { StatsAnswer, StatsQuery } from './dto/stats.dto.js';
import { statsRange } from './stats-range.js';
import { presentStats } from './stats.presenter.js';

@Injectable()
export class StatsService {
  constructor(
    private readonly stats: StatsRepository,
    private readonly endpoints: EndpointsService,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  async ofTenant(tenantId: string, query: StatsQuery): Promise<StatsAnswer> {
    const range = statsRange(query, Date.now(), this.config.retentionMs);
    return presentStats(range, await this.stats.ofTenant(tenantId, range.window, range.since, range.until));
  }

  async ofEndpoint(tenantId: string, id: string, query: StatsQuery): Promise<StatsAnswer> {
    const endpoint = await this.endpoints.find(tenantId, id);
    const range = statsRange(query, Date.now(), this.config.retentionMs);
    return presentStats(
      range,
      await this.stats.ofEndpoint(endpoint.id, range.window, range.since, range.until),
    );
  }
}
