import { idToUuid, ID_PREFIX, isEventType, EVENT_TYPE_RULE, type IdKind } from '@hookstream/domain';
import { z } from 'zod';

/** Text that Postgres can store: no NUL and no half of a surrogate pair. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !/[\0\p{Surrogate}]/u.test(value), 'must be well-formed text without NUL');

const EXAMPLE_SUFFIX = '01k5b7m3x8e4s9t2v6w0yzqrcd';

function isId(kind: IdKind, value: string): boolean {
  try {
    idToUuid(kind, value);
    return true;
  } catch {
    return false;
  }
}

/** An example of a public id, for the documentation. */
export const exampleId = (kind: IdKind): string => `${ID_PREFIX[kind]}_${EXAMPLE_SUFFIX}`;

/** A public id in a request. */
export const id = (kind: IdKind) =>
  z
    .string()
    .refine((value) => isId(kind, value), `must be an id that begins with "${ID_PREFIX[kind]}_"`)
    .meta({ examples: [exampleId(kind)] });

/** A public id in an answer. */
export const answeredId = (kind: IdKind) =>
  z
    .string()
    .regex(new RegExp(`^${ID_PREFIX[kind]}_[0-9a-z]{26}$`))
    .meta({ examples: [exampleId(kind)] });

/** RFC 3339 with any offset in a request. */
export const timestamp = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-01-31T09:30:00Z' })
  .transform((value) => new Date(value));

/** RFC 3339 UTC with milliseconds, in an answer. */
export const answeredTime = z.iso.datetime({ precision: 3 }).meta({ examples: ['2026-01-31T09:30:00.000Z'] });

export const eventType = z
  .string()
  .refine(isEventType, `must be ${EVENT_TYPE_RULE}`)
  .meta({ description: EVENT_TYPE_RULE, examples: ['order.paid'] });

/** Labels of the caller's own. */
export const metadata = z
  .record(text(64).min(1), text(512))
  .refine((value) => Object.keys(value).length <= 50, 'must have at most 50 entries')
  .meta({ description: 'Up to 50 labels of your own.', examples: [{ team: 'billing' }] });

export const limitQuery = z.coerce
  .number<string>()
  .int()
  .min(1)
  .max(200)
  .default(50)
  .meta({ description: 'How many at most.', examples: [50] });

/** `limit` and `cursor` of a list by id. */
export const pageQuery = (kind: IdKind) => ({
  limit: limitQuery,
  cursor: id(kind).optional().meta({ description: 'The `next_cursor` of the page before.' }),
});

/** A page of a list, newest first. */
export const pageOf = <T extends z.ZodType>(item: T, name: string) =>
  z
    .object({
      data: z.array(item),
      next_cursor: z
        .string()
        .nullable()
        .meta({ description: 'Pass as `cursor` for the next page; null on the last.' }),
    })
    .meta({ id: name });

export interface Listed<T> {
  data: T[];
  next_cursor: string | null;
}

/** A repository's page as it is answered. */
export function listed<R, T>(
  page: { data: R[]; nextCursor: string | null },
  present: (record: R) => T,
): Listed<T> {
  return { data: page.data.map(present), next_cursor: page.nextCursor };
}
