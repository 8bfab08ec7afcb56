import { z } from 'zod';
import { inGroup, setting } from './setting.js';

export const LOGS_GROUP = inGroup('Logs', {
  HOOKSTREAM_LOG_LEVEL: setting(
    z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error'),
    {
      default: 'info',
      doc: '`debug`, `info`, `warn` or `error`.',
    },
  ),
});
