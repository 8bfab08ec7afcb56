import {
  FILTER_OPS,
  filterProblems,
  MAX_FILTER_CONDITIONS,
  MAX_FILTER_DEPTH,
  MAX_FILTER_LIST,
  MAX_FILTER_TEXT_LENGTH,
  MAX_PAYLOAD_PATH_LENGTH,
  type Filter,
} from '@hookstream/domain';
import { z } from 'zod';
import { eventType } from '../../http/fields.dto.js';

const scalar = z.union([z.string().max(MAX_FILTER_TEXT_LENGTH), z.number(), z.boolean(), z.null()]);

/** For the documentation: a filter is read by the domain's own rules, which know how deep it may go. */
export const FilterConditionSchema = z
  .strictObject({
    path: z
      .string()
      .max(MAX_PAYLOAD_PATH_LENGTH)
      .meta({
        description: 'Into the delivered payload: `type`, `timestamp`, or `data` and what is in it.',
        examples: ['data.items.0.sku'],
      }),
    op: z.enum(FILTER_OPS),
    value: z
      .union([scalar, z.array(scalar).min(1).max(MAX_FILTER_LIST)])
      .optional()
      .meta({
        description:
          'A list for `in`, a boolean for `exists` (default true), else one value. Whole numbers beyond 2^53 as text.',
      }),
  })
  .meta({ id: 'FilterCondition', examples: [{ path: 'data.amount', op: 'gte', value: 1000 }] });

const reference = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const group = (name: string, inner: object): object => ({
  type: 'object',
  properties: { [name]: inner },
  required: [name],
  additionalProperties: false,
});
const list = { type: 'array', minItems: 1, items: reference('Filter') };

export const FilterSchema = z
  .custom<Filter>()
  .superRefine((value, context) => {
    for (const { field, message } of filterProblems(value)) {
      context.addIssue({ code: 'custom', path: field.split('.').slice(1), message });
    }
  })
  .meta({
    id: 'Filter',
    description: `Which payloads are delivered: a condition, or groups of them, at most ${MAX_FILTER_DEPTH} deep and with at most ${MAX_FILTER_CONDITIONS} conditions.`,
    anyOf: [
      group('all', list),
      group('any', list),
      group('not', reference('Filter')),
      reference('FilterCondition'),
    ],
    examples: [
      {
        all: [
          { path: 'data.amount', op: 'gte', value: 1000 },
          { not: { path: 'data.currency', op: 'in', value: ['EUR', 'CHF'] } },
        ],
      },
    ],
  });

export const TestFilterSchema = z
  .strictObject({
    filter: FilterSchema.nullable()
      .optional()
      .meta({ description: 'To try instead of the one the endpoint has; null: none.' }),
    event: z.strictObject({
      type: eventType,
      data: z.unknown().refine((value) => value !== undefined, 'is required'),
    }),
  })
  .meta({
    id: 'TestFilterRequest',
    examples: [
      {
        filter: { path: 'data.amount', op: 'gte', value: 1000 },
        event: { type: 'order.paid', data: { amount: 50 } },
      },
    ],
  });
export type TestFilter = z.output<typeof TestFilterSchema>;

export const FilterTestSchema = z
  .object({
    matches: z.boolean().meta({ description: 'Whether the endpoint would get such an event.' }),
    event_type_matches: z.boolean().meta({ description: 'Whether it asks for the event type.' }),
    filter_matches: z.boolean(),
    failed: z
      .array(
        z.object({
          at: z.string().meta({ description: 'Where the condition stands, e.g. `filter.all.0`.' }),
          path: z.string(),
          op: z.enum(FILTER_OPS),
          value: z.unknown().meta({ description: 'As in the condition.' }),
          found: z.string().nullable().meta({
            description: 'The JSON text that the event has at the path, shortened; null: nothing is there.',
          }),
          message: z.string(),
        }),
      )
      .meta({ description: 'The conditions that decide against the event; empty when the filter matches.' }),
  })
  .meta({
    id: 'FilterTest',
    examples: [
      {
        matches: false,
        event_type_matches: true,
        filter_matches: false,
        failed: [
          {
            at: 'filter',
            path: 'data.amount',
            op: 'gte',
            value: 1000,
            found: '50',
            message: '"data.amount" must be: gte 1000; it is 50',
          },
        ],
      },
    ],
  });
export type FilterTestAnswer = z.input<typeof FilterTestSchema>;
