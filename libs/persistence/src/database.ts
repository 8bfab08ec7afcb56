import 'reflect-metadata';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { ENTITIES } from './entities/index.js';
import { MIGRATIONS } from './migrations/index.js';

/** Connections that ordinary CRUD may hold in one process, beside the hot path's pool. */
const CRUD_POOL_SIZE = 5;

export interface DatabaseOptions {
  /** `postgres://…` */
  url: string;
  /** Most connections of the hot path. */
  poolSize: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** A pooled connection broke while idle. Nothing to do but tell: the pool replaces it. */
  onIdleError?: (error: Error) => void;
}

/**
 * One process' access to Postgres: `pool` for the hand-written SQL of accept, dispatch and record, `dataSource`
 * (TypeORM) for entities and ordinary CRUD. Both recover by themselves when Postgres comes back.
 */
export interface Database {
  readonly pool: pg.Pool;
  readonly dataSource: DataSource;
  /** For LISTEN, which needs a connection of its own. */
  readonly url: string;
  close(): Promise<void>;
}

/** Opens both pools and connects once. @throws when Postgres cannot be reached; call again. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  const dataSource = new DataSource({
    type: 'postgres',
    url: options.url,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    synchronize: false,
    poolSize: CRUD_POOL_SIZE,
    applicationName: options.applicationName,
    connectTimeoutMS: 5_000,
    poolErrorHandler: (error: Error) => options.onIdleError?.(error),
    logging: false,
  });
  try {
    await pool.query('SELECT 1');
    await dataSource.initialize();
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    pool,
    dataSource,
    url: options.url,
    close: async () => {
      await Promise.all([pool.end(), dataSource.isInitialized ? dataSource.destroy() : undefined]);
    },
  };
}

/** Runs what is given in one transaction on one connection; rolls back on any error and throws it on. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
