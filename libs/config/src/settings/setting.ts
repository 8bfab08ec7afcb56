import type { z } from 'zod';

/** One setting: how its text is read, what stands when it is absent, and what the reference page says of it. */
export interface Setting<T = unknown> {
  schema: z.ZodType<T, string>;
  /** Text that stands for an absent value. Absent here too: the setting is required unless `optional`. */
  default?: string;
  optional?: true;
  secret?: true;
  group: SettingGroup;
  doc: string;
}

export type SettingGroup =
  | 'Connections'
  | 'API'
  | 'Secrets'
  | 'Accepting events'
  | 'Outgoing requests'
  | 'Worker'
  | 'Retention'
  | 'Logs'
  | 'Metrics'
  | 'Traces'
  | 'Standalone';

/** Keeps the type of what the text is read as, and whether it may be absent, beside the rest. */
export function setting<T, const S extends Omit<Setting<T>, 'schema' | 'group'>>(
  schema: z.ZodType<T, string>,
  rest: S,
): S & { schema: z.ZodType<T, string> } {
  return { schema, ...rest };
}

/** Puts settings under a heading of the reference page. */
export function inGroup<const S extends Record<string, Omit<Setting, 'group'>>>(
  group: SettingGroup,
  settings: S,
): { [Name in keyof S]: S[Name] & { group: SettingGroup } } {
  return Object.fromEntries(Object.entries(settings).map(([name, one]) => [name, { ...one, group }])) as {
    [Name in keyof S]: S[Name] & { group: SettingGroup };
  };
}
