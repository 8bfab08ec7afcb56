import { whole } from './readers.js';
import { inGroup, setting } from './setting.js';

export const RETENTION_GROUP = inGroup('Retention', {
  HOOKSTREAM_RETENTION_DAYS: setting(whole(1, 3_650), {
    default: '30',
    doc: 'How long events, deliveries and attempts are kept, in days.',
  }),
  HOOKSTREAM_AUDIT_RETENTION_DAYS: setting(whole(1, 3_650), {
    default: '365',
    doc: 'How long entries of the audit log are kept, in days.',
  }),
  HOOKSTREAM_PARTITIONS_AHEAD_DAYS: setting(whole(2, 90), {
    default: '14',
    doc: 'How many days of partitions are made ahead.',
  }),
  HOOKSTREAM_MAINTENANCE_INTERVAL_MS: setting(whole(1_000, 86_400_000), {
    default: '3600000',
    doc: 'How often partitions are made and dropped and expired rows deleted, in milliseconds.',
  }),
});
