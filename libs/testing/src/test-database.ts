import { openDatabase, type Database } from '@hookstream/persistence';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { POSTGRES_URL_VARIABLE, TEMPLATE_DATABASE, testVariable, urlOfDatabase } from './test-environment.js';

export interface TestDatabase {
  url: string;
  /** Opens it as a process of ours would. Closed by `drop`. */
  open(options?: { poolSize?: number; answerTimeoutMs?: number; lookUpsOnly?: boolean }): Promise<Database>;
  /** Closes what `open` opened, breaks all other connections and drops the database. */
  drop(): Promise<void>;
}

/** A fresh database with all migrations and today's partitions, for one test file. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const maintenanceUrl = testVariable(POSTGRES_URL_VARIABLE);
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = urlOfDatabase(maintenanceUrl, name);
  await administer(maintenanceUrl, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE}`);
  const opened: Database[] = [];
  return {
    url,
    open: async ({ poolSize = 5, ...rest } = {}) => {
      const database = await openDatabase({ url, poolSize, applicationName: 'hookstream-test', ...rest });
      opened.push(database);
      return database;
    },
    drop: async () => {
      await Promise.allSettled(opened.splice(0).map((database) => database.close()));
      await administer(maintenanceUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
