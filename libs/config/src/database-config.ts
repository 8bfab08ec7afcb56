import { readSettings, type SettingValues } from './load-config.js';

export interface DatabaseConfig {
  url: string;
  poolSize: number;
}

export const DATABASE_SETTINGS = ['DATABASE_URL', 'HOOKSTREAM_DATABASE_POOL_SIZE'] as const;

export function databaseConfig(s: Pick<SettingValues, (typeof DATABASE_SETTINGS)[number]>): DatabaseConfig {
  return { url: s.DATABASE_URL, poolSize: s.HOOKSTREAM_DATABASE_POOL_SIZE };
}

/** Only where Postgres is. @throws ConfigError with every problem at once. */
export function loadDatabaseConfig(env: NodeJS.ProcessEnv = process.env): DatabaseConfig {
  return databaseConfig(readSettings(env, DATABASE_SETTINGS));
}
