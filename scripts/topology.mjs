// npm run topology: docker-compose.yml as processes on this machine, with Temporal's production server on Postgres. `-- --help`.
// The first run builds Temporal's server with Go, which takes many minutes; then it is in the user's cache directory.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool, TOOLS } from './external-tools.mjs';
import { main, PlainError, prepare, runNode } from './prepare.mjs';

const INTERRUPTED = 130;

await main(async () => {
  prepare('all');
  const [temporalServer, temporalSqlTool] = ['temporal-server', 'temporal-sql-tool'].map((name) => {
    const tool = findTool(name);
    if (tool.missing) {
      const { go, version } = TOOLS[name];
      throw new PlainError(
        `${name} ${version} cannot be had: ${tool.missing}. It is built from ${go}@${version}.`,
      );
    }
    return tool.path;
  });
  const image = mkdtempSync(join(tmpdir(), 'hookstream-image-'));
  try {
    const status = runNode([join('deploy', 'docker', 'assemble.mjs'), image]);
    if (status !== 0) throw new PlainError('the image could not be put together: the message is above');
    const { runTopology } = await import('../test/dist/topology/main.js');
    const code = await runTopology(process.argv.slice(2), { temporalServer, temporalSqlTool, image });
    if (code === INTERRUPTED) process.exitCode = code;
    return code;
  } finally {
    rmSync(image, { recursive: true, force: true });
  }
});
