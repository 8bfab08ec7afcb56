import { MAX_SCHEMA_LENGTH, SCHEMA_VALIDATIONS, type JsonSchema } from '@hookstream/domain';
import { z } from 'zod';
import { answeredTime, eventType, limitQuery, pageOf, text } from '../../http/fields.dto.js';

const description = text(1_000).meta({ description: 'For people.' });
/** Read by the compiler, which tells what is wrong with it. */
const schema = z.custom<JsonSchema>().meta({
  type: 'object',
  description: `JSON Schema, draft 2020-12, for \`data\` of the event. At most ${MAX_SCHEMA_LENGTH} characters, not recursive, no remote references.`,
  examples: [{ type: 'object', required: ['order_id'], properties: { order_id: { type: 'string' } } }],
});
const validation = z.enum(SCHEMA_VALIDATIONS).meta({
  description:
    'What becomes of an event that the schema does not allow: `off` nothing, `warn` it is accepted and flagged with `schema_errors`, `reject` it is refused.',
});

export const CreateEventTypeSchema = z
  .strictObject({
    name: eventType,
    description: description.default(''),
    schema: schema.nullable().default(null),
    validation: validation.default('warn'),
  })
  .meta({
    id: 'CreateEventTypeRequest',
    examples: [
      {
        name: 'order.paid',
        description: 'An order was paid in full',
        schema: {
          type: 'object',
          required: ['order_id', 'amount'],
          properties: {
            order_id: { type: 'string', pattern: '^o-[0-9]+$' },
            amount: { type: 'integer', minimum: 0 },
          },
        },
        validation: 'reject',
      },
    ],
  });
export type CreateEventType = z.output<typeof CreateEventTypeSchema>;

export const UpdateEventTypeSchema = z
  .strictObject({
    description: description.optional(),
    schema: schema.nullable().optional().meta({ description: 'Replaces the schema; null removes it.' }),
    validation: validation.optional(),
  })
  .meta({ id: 'UpdateEventTypeRequest', examples: [{ validation: 'warn' }] });
export type UpdateEventType = z.output<typeof UpdateEventTypeSchema>;

export const ListEventTypesSchema = z.strictObject({
  limit: limitQuery,
  cursor: eventType.optional().meta({ description: 'The `next_cursor` of the page before.' }),
});
export type ListEventTypes = z.output<typeof ListEventTypesSchema>;

export const EventTypeSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    schema: schema.nullable(),
    validation,
    created_at: answeredTime,
    updated_at: answeredTime,
  })
  .meta({
    id: 'EventType',
    examples: [
      {
        name: 'order.paid',
        description: 'An order was paid in full',
        schema: { type: 'object', required: ['order_id'] },
        validation: 'warn',
        created_at: '2026-01-31T09:30:00.000Z',
        updated_at: '2026-01-31T09:30:00.000Z',
      },
    ],
  });
export type EventTypeAnswer = z.input<typeof EventTypeSchema>;

export const EventTypePageSchema = pageOf(EventTypeSchema, 'EventTypePage');
