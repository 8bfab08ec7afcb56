import { whole } from './readers.js';
import { inGroup, setting } from './setting.js';

export const WORKER_GROUP = inGroup('Worker', {
  HOOKSTREAM_WORKER_PORT: setting(whole(0, 65_535), {
    optional: true,
    doc: 'Port on which a worker answers `GET /health/live`, `GET /health/ready` and `GET /metrics`; 0 picks a free one. Absent: none. It listens on `HOOKSTREAM_HOST`.',
  }),
  HOOKSTREAM_MAX_CONCURRENT_ATTEMPTS: setting(whole(2, 10_000), {
    default: '500',
    doc: 'Attempts one worker process makes at once in the durable lane.',
  }),
  HOOKSTREAM_EXPRESS_MAX_ATTEMPTS: setting(whole(2, 10_000), {
    default: '500',
    doc: 'Attempts one worker process makes at once in the express lane.',
  }),
  HOOKSTREAM_AUTO_MAX_LAG_MS: setting(whole(10, 600_000), {
    default: '250',
    doc: 'A worker takes deliveries of the lane `auto` by the express lane while one that could go has waited longer than this, in milliseconds, or Temporal is away.',
  }),
  HOOKSTREAM_DISPATCH_BATCH_SIZE: setting(whole(1, 5_000), {
    default: '200',
    doc: 'Deliveries claimed from the outbox at once.',
  }),
  HOOKSTREAM_DISPATCH_CONCURRENCY: setting(whole(1, 1_000), {
    default: '32',
    doc: 'Workflows that one worker process starts at once.',
  }),
  HOOKSTREAM_DISPATCH_POLL_MS: setting(whole(50, 60_000), {
    default: '1000',
    doc: 'How often the outbox is looked at when no notification arrives, in milliseconds.',
  }),
  HOOKSTREAM_DISPATCH_LEASE_MS: setting(whole(1_000, 600_000), {
    default: '10000',
    doc: 'How long a claim holds before another worker may take the delivery over, in milliseconds. Shorter than the seven seconds after which a start that Temporal does not take is given up, what `auto` took for a workflow waits for Temporal.',
  }),
  HOOKSTREAM_DISPATCH_SLOW_ANSWER_MS: setting(whole(100, 600_000), {
    default: '1000',
    doc: 'An endpoint whose answers take this long on average, in milliseconds, is not sent all it may have at once: its attempts start evenly, as fast as it answers.',
  }),
  HOOKSTREAM_DISPATCH_UNTIMED_IN_FLIGHT: setting(whole(1, 10_000), {
    default: '10',
    doc: 'Attempts that one worker process has under way to an endpoint until its first answer shows how long they take.',
  }),
  HOOKSTREAM_RECONCILE_AFTER_MS: setting(whole(1_000, 86_400_000), {
    default: '300000',
    doc: 'An unfinished delivery that nothing has moved for this long past its due time is dispatched again, in milliseconds.',
  }),
  HOOKSTREAM_REPLAY_PAGE_SIZE: setting(whole(1, 5_000), {
    default: '200',
    doc: 'Deliveries that a replay of many queues at a time.',
  }),
  HOOKSTREAM_REPLAY_WAITING_MAX: setting(whole(1, 1_000_000), {
    default: '500',
    doc: 'Replayed deliveries of one tenant that may wait for their turn; its replays queue more as these go out. What a tenant accepts meanwhile waits behind this many at most.',
  }),
  HOOKSTREAM_SHUTDOWN_GRACE_MS: setting(whole(0, 600_000), {
    default: '10000',
    doc: 'How long a stopping process lets work under way finish before it hands it back, in milliseconds.',
  }),
});
