import { z } from 'zod';
import { ALL_SCOPES, SCOPES } from '@hookstream/domain';
import {
  answeredId,
  answeredTime,
  exampleId,
  pageOf,
  pageQuery,
  text,
  timestamp,
} from '../../http/fields.dto.js';

const scope = z.enum([ALL_SCOPES, ...SCOPES]);

const expiresAt = timestamp
  .refine((value) => value.getTime() > Date.now(), 'must be in the future')
  .nullable()
  .default(null);

export const CreateApiKeySchema = z
  .strictObject({
    name: text(200)
      .min(1)
      .meta({ description: 'For people.', examples: ['Order service'] }),
    scopes: z
      .array(scope)
      .min(1)
      .max(SCOPES.length + 1)
      .default([ALL_SCOPES])
      .meta({
        description: 'What it may do; `*` is everything. At most what the key that asks may do itself.',
      }),
    expires_at: expiresAt.meta({ description: 'When it stops working; null: never.' }),
    mode: z
      .enum(['live', 'test'])
      .default('live')
      .meta({ description: 'Shown in the key itself, `hs_live_…` or `hs_test_…`; it changes nothing else.' }),
  })
  .meta({ id: 'CreateApiKeyRequest', examples: [{ name: 'Order service', scopes: ['events:write'] }] });
export type CreateApiKey = z.output<typeof CreateApiKeySchema>;

export const RotateApiKeySchema = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(86_400)
      .meta({ description: 'How long the key before goes on working beside the new one.' }),
    expires_at: expiresAt.meta({ description: 'When the new key stops working; null: never.' }),
  })
  .meta({ id: 'RotateApiKeyRequest', examples: [{ overlap_seconds: 3600 }] });
export type RotateApiKey = z.output<typeof RotateApiKeySchema>;

export const ListApiKeysSchema = z.strictObject(pageQuery('apiKey'));
export type ListApiKeys = z.output<typeof ListApiKeysSchema>;

const apiKey = {
  id: answeredId('apiKey'),
  name: z.string(),
  prefix: z.string().meta({ description: 'The first characters of the key.' }),
  scopes: z.array(scope),
  expires_at: answeredTime.nullable(),
  last_used_at: answeredTime.nullable().meta({ description: 'To the minute.' }),
  created_at: answeredTime,
};
const example = {
  id: exampleId('apiKey'),
  name: 'Order service',
  prefix: 'hs_live_9fK2xQ',
  scopes: ['events:write'],
  expires_at: null,
  last_used_at: null,
  created_at: '2026-01-31T09:30:00.000Z',
};

export const ApiKeySchema = z.object(apiKey).meta({ id: 'ApiKey', examples: [example] });
export type ApiKeyAnswer = Omit<z.input<typeof ApiKeySchema>, 'scopes'> & { scopes: string[] };

export const CreatedApiKeySchema = z
  .object({ ...apiKey, key: z.string().meta({ description: 'The key. Shown only here.' }) })
  .meta({ id: 'CreatedApiKey', examples: [{ ...example, key: 'hs_live_…' }] });
export type CreatedApiKeyAnswer = ApiKeyAnswer & { key: string };

export const RotatedApiKeySchema = z
  .object({
    ...apiKey,
    key: z.string().meta({ description: 'The new key. Shown only here.' }),
    previous_key_id: answeredId('apiKey'),
    previous_key_expires_at: answeredTime.meta({ description: 'Until then the key before works as well.' }),
  })
  .meta({
    id: 'RotatedApiKey',
    examples: [
      {
        ...example,
        key: 'hs_live_…',
        previous_key_id: 'key_01k5b7m3x8e4s9t2v6w0yzqrcc',
        previous_key_expires_at: '2026-02-01T09:30:00.000Z',
      },
    ],
  });
export type RotatedApiKeyAnswer = CreatedApiKeyAnswer & {
  previous_key_id: string;
  previous_key_expires_at: string;
};

export const ApiKeyPageSchema = pageOf(ApiKeySchema, 'ApiKeyPage');
