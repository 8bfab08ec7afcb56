// Reads the migrations for what the version before could not bear, then runs them on an empty Postgres and asks TypeORM what the entities
// would still change: no column may differ.
// Keys, checks, indexes, defaults and comments belong to the migrations alone: the entities do not repeat them.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../libs/embedded/dist/index.js';
import { openDatabase, runMigrations } from '../libs/persistence/dist/index.js';
import { brokenRules } from './migration-rules.mjs';
import { main, root } from './prepare.mjs';

const MIGRATIONS = join(root, 'libs', 'persistence', 'src', 'migrations');
const MIGRATIONS_OWN = /DROP (CONSTRAINT|INDEX|DEFAULT)|COMMENT ON/;

await main(async () => {
  const broken = rulesBroken();
  for (const problem of broken) console.error(problem);
  const directory = mkdtempSync(join(tmpdir(), 'hookstream-migrations-'));
  chmodSync(directory, 0o711);
  const postgres = await startPostgres({
    dataDir: directory,
    logFile: join(directory, 'postgres.log'),
    durable: false,
  });
  try {
    const database = await openDatabase({
      url: postgres.url,
      poolSize: 2,
      applicationName: 'hookstream-check',
    });
    try {
      return (await differences(database)) || Math.min(broken.length, 1);
    } finally {
      await database.close();
    }
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

function rulesBroken() {
  return readdirSync(MIGRATIONS)
    .filter((file) => /^\d+-.*\.ts$/.test(file))
    .flatMap((file) =>
      brokenRules(readFileSync(join(MIGRATIONS, file), 'utf8')).map((told) => `${file} ${told}`),
    );
}

async function differences(database) {
  await runMigrations(database);
  const { upQueries } = await database.dataSource.driver.createSchemaBuilder().log();
  const differing = upQueries.map(({ query }) => query).filter((query) => !MIGRATIONS_OWN.test(query));
  for (const query of differing) console.error(`the entities ask for: ${query}`);
  return differing.length === 0 ? 0 : 1;
}
