import { loadDatabaseConfig } from '@hookstream/config';
import { openDatabase, type Database } from '@hookstream/persistence';

/** What a command works with. */
export interface CliContext {
  env: NodeJS.ProcessEnv;
  /** The answer, for people and programs: standard output. */
  print: (text: string) => void;
  /** Whatever is said beside it: standard error. */
  tell: (text: string) => void;
  /** Ends what would go on for ever. */
  stopping: AbortSignal;
}

/** A failure whose message is all that the person at the terminal needs. */
export class CommandError extends Error {}

const POOL_SIZE = 2;

/** Opens the database of the settings for one command. @throws ConfigError; what Postgres answers */
export async function withDatabase<T>(
  { env }: Pick<CliContext, 'env'>,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { url } = loadDatabaseConfig(env);
  const database = await openDatabase({ url, poolSize: POOL_SIZE, applicationName: 'hookstream-cli' });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
