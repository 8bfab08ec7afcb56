import { z } from 'zod';
import { timeRangeQuery } from '../../deliveries/dto/delivery.dto.js';
import { eventType, id, pageQuery } from '../../http/fields.dto.js';

export const ListDeadLettersSchema = z.strictObject({
  ...pageQuery('delivery'),
  endpoint_id: id('endpoint').optional(),
  event_id: id('event').optional(),
  event_type: eventType.optional(),
  ...timeRangeQuery,
});
export type ListDeadLetters = z.output<typeof ListDeadLettersSchema>;
