import pg from 'pg';

/**
 * Runs a script as psql does, as far as ours go: statements that end at a line's end, `\getenv name VARIABLE`, and `:'name'` for a quoted
 * value. @throws Error for any other command of psql, or what Postgres answers
 */
export async function runPsqlScript(
  script: string,
  url: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const values = new Map<string, string>();
  const sql: string[] = [];
  for (const line of script.split('\n').filter((text) => !text.startsWith('--'))) {
    const command = /^\\getenv (\w+) (\w+)$/.exec(line);
    if (command) values.set(command[1] ?? '', env[command[2] ?? ''] ?? '');
    else if (line.startsWith('\\')) throw new Error(`not understood: ${line}`);
    else sql.push(line);
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of sql.join('\n').split(/;$/m)) {
      if (statement.trim() === '') continue;
      await client.query(
        statement.replace(/:'(\w+)'/g, (_, name: string) => pg.escapeLiteral(values.get(name) ?? '')),
      );
    }
  } finally {
    await client.end();
  }
}
