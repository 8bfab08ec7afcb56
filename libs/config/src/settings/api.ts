import { whole, text } from './readers.js';
import { inGroup, setting } from './setting.js';

export const API_GROUP = inGroup('API', {
  HOOKSTREAM_HOST: setting(text(), {
    default: '0.0.0.0',
    doc: 'Address the API listens on. The standalone instance listens on 127.0.0.1 unless this is set.',
  }),
  HOOKSTREAM_PORT: setting(whole(0, 65_535), {
    default: '3000',
    doc: 'Port of the API; 0 picks a free one.',
  }),
  HOOKSTREAM_READINESS_LAG_MS: setting(whole(1_000, 86_400_000), {
    default: '30000',
    doc: 'Not ready when the oldest delivery that could go has waited this long, in milliseconds, and nothing was dispatched meanwhile.',
  }),
});
