import { AUDIT_ACTIONS, AUDIT_ACTOR_KINDS } from '@hookstream/domain';
import { z } from 'zod';
import {
  answeredId,
  answeredTime,
  exampleId,
  pageOf,
  pageQuery,
  text,
  timestamp,
} from '../../http/fields.dto.js';

export const ListAuditEntriesSchema = z.strictObject({
  ...pageQuery('auditEntry'),
  action: z.enum(AUDIT_ACTIONS).optional(),
  object_id: text(256)
    .min(1)
    .optional()
    .meta({ description: 'The id of what was changed.', examples: [exampleId('endpoint')] }),
  since: timestamp.optional().meta({ description: 'Made at or after.' }),
  until: timestamp.optional().meta({ description: 'Made before.' }),
});
export type ListAuditEntries = z.output<typeof ListAuditEntriesSchema>;

const AuditEntrySchema = z
  .object({
    id: answeredId('auditEntry'),
    action: z.string().meta({ examples: ['endpoint.updated'] }),
    actor: z.object({
      kind: z.enum(AUDIT_ACTOR_KINDS).meta({
        description: 'An API key, the operator, or `system`: Hookstream itself.',
      }),
      id: answeredId('apiKey').nullable(),
      name: z.string().nullable().meta({ description: "The key's name at the time." }),
      prefix: z.string().nullable().meta({ description: 'The first characters of the key.' }),
    }),
    object_kind: z.string().meta({ examples: ['endpoint'] }),
    object_id: z.string(),
    reason: z.string().nullable(),
    changes: z
      .record(z.string(), z.object({ from: z.unknown().optional(), to: z.unknown().optional() }))
      .nullable()
      .meta({
        description:
          'Fields by name with what they were and are; either is absent where there was or is nothing. Secrets are `[redacted]`.',
      }),
    created_at: answeredTime,
  })
  .meta({
    id: 'AuditEntry',
    examples: [
      {
        id: exampleId('auditEntry'),
        action: 'endpoint.updated',
        actor: {
          kind: 'key',
          id: exampleId('apiKey'),
          name: 'Order service',
          prefix: 'hs_live_9fK2xQ',
        },
        object_kind: 'endpoint',
        object_id: exampleId('endpoint'),
        reason: null,
        changes: { timeout_ms: { from: 15000, to: 5000 } },
        created_at: '2026-01-31T09:30:00.000Z',
      },
    ],
  });
export type AuditEntryAnswer = z.input<typeof AuditEntrySchema>;

export const AuditEntryPageSchema = pageOf(AuditEntrySchema, 'AuditEntryPage');
