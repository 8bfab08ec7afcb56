import { Injectable } from '@nestjs/common';
import {
  compileFilter,
  explainFilter,
  jsonObjectMembers,
  jsonText,
  matchesEventType,
  matchesFilter,
} from '@hookstream/domain';
import type { FilterTestAnswer, TestFilter } from './dto/filter.dto.js';
import { EndpointsService } from './endpoints.service.js';

/** Tells why an endpoint would get an event or not, with the code that decides when one is accepted. */
@Injectable()
export class EndpointFiltersService {
  constructor(private readonly endpoints: EndpointsService) {}

  /** @param bodyText the request as it was sent: numbers beyond 2^53 are compared by their text */
  async test(tenantId: string, id: string, input: TestFilter, bodyText: string): Promise<FilterTestAnswer> {
    const endpoint = await this.endpoints.find(tenantId, id);
    const { type, data } = input.event;
    const filter = input.filter === undefined ? endpoint.filter : input.filter;
    const payload = { type, timestamp: new Date().toISOString(), data, dataText: dataTextOf(bodyText) };
    const node = filter === null ? null : compileFilter(filter);
    const typeMatches = matchesEventType(endpoint.eventTypes, type);
    const filterMatches = node === null || matchesFilter(node, payload);
    return {
      matches: typeMatches && filterMatches,
      event_type_matches: typeMatches,
      filter_matches: filterMatches,
      failed: node === null ? [] : explainFilter(node, payload),
    };
  }
}

function dataTextOf(bodyText: string): string {
  const event = jsonObjectMembers(bodyText).get('event');
  const data = event && jsonObjectMembers(bodyText, event).get('data');
  if (data === undefined) throw new Error('The text of a request lacks the data that its value has');
  return jsonText(bodyText, data);
}
