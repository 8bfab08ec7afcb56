import { whole, text } from './readers.js';
import { inGroup, setting } from './setting.js';

export const METRICS_GROUP = inGroup('Metrics', {
  HOOKSTREAM_METRICS_TOKEN: setting(text(16), {
    optional: true,
    secret: true,
    doc: 'Bearer token that `GET /metrics` asks for, at least 16 characters. Absent: anybody who reaches the port may read, ids of tenants included.',
  }),
  HOOKSTREAM_METRICS_MAX_SERIES: setting(whole(1, 100_000), {
    default: '1000',
    doc: 'Most pairs of tenant and event type, most tenants and most endpoints that a metric of one process tells apart; the rest is counted as `other`.',
  }),
});
