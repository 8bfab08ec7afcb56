import { ACCEPTING_EVENTS_GROUP } from './accepting-events.js';
import { API_GROUP } from './api.js';
import { CONNECTIONS_GROUP } from './connections.js';
import { LOGS_GROUP } from './logs.js';
import { METRICS_GROUP } from './metrics.js';
import { OUTGOING_REQUESTS_GROUP } from './outgoing-requests.js';
import { RETENTION_GROUP } from './retention.js';
import { SECRETS_GROUP } from './secrets.js';
import { STANDALONE_GROUP } from './standalone.js';
import { TRACES_GROUP } from './traces.js';
import { WORKER_GROUP } from './worker.js';

export type { Setting, SettingGroup } from './setting.js';
export type { TraceSampler } from './traces.js';

/** Every setting, by its name in the environment. The reference page is generated from this, in this order. */
export const SETTINGS = {
  ...CONNECTIONS_GROUP,
  ...API_GROUP,
  ...SECRETS_GROUP,
  ...ACCEPTING_EVENTS_GROUP,
  ...OUTGOING_REQUESTS_GROUP,
  ...WORKER_GROUP,
  ...RETENTION_GROUP,
  ...LOGS_GROUP,
  ...METRICS_GROUP,
  ...TRACES_GROUP,
  ...STANDALONE_GROUP,
};

export type SettingName = keyof typeof SETTINGS;
