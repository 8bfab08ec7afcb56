import { list, text } from './readers.js';
import { inGroup, setting } from './setting.js';

export const SECRETS_GROUP = inGroup('Secrets', {
  HOOKSTREAM_ADMIN_TOKEN: setting(text(16), {
    secret: true,
    doc: "The operator's bearer token, for `/tenants`. At least 16 characters.",
  }),
  HOOKSTREAM_ENCRYPTION_KEY: setting(
    list.refine((keys) => keys.length > 0 && keys.every((key) => Buffer.from(key, 'base64').length === 32), {
      error:
        'must be one or more base64 keys of 32 bytes, separated by commas (make one: openssl rand -base64 32)',
    }),
    {
      secret: true,
      doc: 'Encrypts endpoint secrets and headers in the database. Base64 of 32 bytes; `openssl rand -base64 32` makes one. A comma list while rotating: the first encrypts, all decrypt.',
    },
  ),
});
