import type { z } from 'zod';
import { SETTINGS, type Setting, type SettingName } from './settings/settings.js';

type SettingValue<S> = S extends { schema: z.ZodType<infer T, string>; optional: true }
  ? T | undefined
  : S extends { schema: z.ZodType<infer T, string> }
    ? T
    : never;

/** The read value of every setting, by its name. */
export type SettingValues = { [K in SettingName]: SettingValue<(typeof SETTINGS)[K]> };

/** All that is wrong with the environment, by setting, never with the values themselves. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly { setting: string; message: string }[]) {
    super(
      [
        'The configuration is not usable:',
        ...problems.map((p) => `  ${p.setting}: ${p.message}`),
        'Every setting is described in docs/self-hosting/configuration.md.',
      ].join('\n'),
    );
    this.name = 'ConfigError';
  }
}

/**
 * Reads the settings an application needs from an environment.
 * @param names the settings to read; the others are neither read nor required.
 * @throws ConfigError with every problem at once.
 */
export function readSettings<N extends SettingName>(
  env: NodeJS.ProcessEnv,
  names: readonly N[],
): Pick<SettingValues, N> {
  const values: Partial<Record<SettingName, unknown>> = {};
  const problems: { setting: string; message: string }[] = [];
  for (const name of new Set(names)) {
    const definition: Setting = SETTINGS[name];
    const text = env[name] === undefined || env[name] === '' ? definition.default : env[name];
    if (text === undefined) {
      if (!definition.optional) problems.push({ setting: name, message: 'is required' });
      continue;
    }
    const parsed = definition.schema.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else
      problems.push({
        setting: name,
        message: [...new Set(parsed.error.issues.map((issue) => issue.message))].join('; '),
      });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return values as Pick<SettingValues, N>;
}
