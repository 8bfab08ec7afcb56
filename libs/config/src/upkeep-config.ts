import { DATABASE_SETTINGS, databaseConfig, type DatabaseConfig } from './database-config.js';
import { readSettings } from './load-config.js';
import { RETENTION_SETTINGS, retentionConfig, type RetentionConfig } from './retention-config.js';

export interface UpkeepConfig {
  database: DatabaseConfig;
  encryptionKeys: string[];
  retention: RetentionConfig;
}

/** What upkeep of the database needs. @throws ConfigError with every problem at once. */
export function loadUpkeepConfig(env: NodeJS.ProcessEnv = process.env): UpkeepConfig {
  const s = readSettings(env, [...DATABASE_SETTINGS, 'HOOKSTREAM_ENCRYPTION_KEY', ...RETENTION_SETTINGS]);
  return {
    database: databaseConfig(s),
    encryptionKeys: s.HOOKSTREAM_ENCRYPTION_KEY,
    retention: retentionConfig(s),
  };
}
