import { z } from 'zod';
import { whole, rate } from './readers.js';
import { inGroup, setting } from './setting.js';

export const ACCEPTING_EVENTS_GROUP = inGroup('Accepting events', {
  HOOKSTREAM_MAX_BODY_BYTES: setting(whole(1_024, 64 * 1024 * 1024), {
    default: String(1024 * 1024),
    doc: 'Largest request body of the API in bytes; beyond it 413.',
  }),
  HOOKSTREAM_ACCEPT_BATCH_SIZE: setting(whole(1, 2_000), {
    default: '200',
    doc: 'Most concurrent requests that share one transaction.',
  }),
  HOOKSTREAM_ACCEPT_QUEUE_LIMIT: setting(whole(1, 1_000_000), {
    default: '10000',
    doc: 'Most events that may wait for a transaction in one API process; beyond it 503 with Retry-After.',
  }),
  HOOKSTREAM_MAX_DELIVER_AHEAD_DAYS: setting(whole(0, 365), {
    default: '7',
    doc: 'How far ahead `deliver_at` may lie, in days. Must be less than the retention.',
  }),
  HOOKSTREAM_IDEMPOTENCY_TTL_HOURS: setting(whole(1, 24 * 365), {
    default: '24',
    doc: 'How long an `Idempotency-Key` is remembered, in hours.',
  }),
  HOOKSTREAM_TENANT_EVENTS_PER_SECOND: setting(rate, {
    default: '0',
    doc: 'Events that a tenant may post in a second, on average, unless it has a limit of its own; may be fractional, 0 is no limit.',
  }),
  HOOKSTREAM_TENANT_BURST: setting(whole(0, 1_000_000), {
    default: '0',
    doc: "Events that such a tenant may post at once after a pause; 0 is one second's worth.",
  }),
  HOOKSTREAM_TENANT_MAX_PENDING: setting(whole(0, 1_000_000_000), {
    default: '0',
    doc: 'Unfinished deliveries with which a tenant may post no more events, unless it has a limit of its own; 0 is no limit.',
  }),
  HOOKSTREAM_PENDING_COUNT_INTERVAL_MS: setting(whole(100, 600_000), {
    default: '2000',
    doc: 'How often the unfinished deliveries are counted for that limit, in milliseconds; less often where counting takes long.',
  }),
  HOOKSTREAM_DEFAULT_LANE: setting(
    z.enum(['durable', 'express', 'auto'], 'must be durable, express or auto'),
    {
      default: 'auto',
      doc: 'Lane of endpoints that are made without one: `durable`, `express` or `auto`.',
    },
  ),
});
