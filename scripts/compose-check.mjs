// npm run compose:check: docker-compose.yml, .env.example and the Dockerfile, without a Docker engine.
//   --no-fetch   use only programs that are on this machine already
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool } from './external-tools.mjs';
import { main, prepare, root } from './prepare.mjs';

const fetch = !process.argv.includes('--no-fetch');

await main(async () => {
  prepare('all');
  const results = [await ownRules(), await specification(), dockerfile()];
  const failed = results.filter((result) => result === false).length;
  const skipped = results.filter((result) => result === undefined).length;
  console.log(
    `compose:check: ${results.length - failed - skipped} passed, ${failed} failed, ${skipped} SKIPPED`,
  );
  return failed === 0 ? 0 : 1;
});

/** What an operator would stumble over; Node alone. */
async function ownRules() {
  const { composeProblems } = await import('../test/dist/topology/compose-rules.js');
  const { SETTINGS } = await import('../libs/config/dist/index.js');
  const problems = composeProblems({
    compose: readFileSync(join(root, 'docker-compose.yml'), 'utf8'),
    example: readFileSync(join(root, '.env.example'), 'utf8'),
    settings: Object.keys(SETTINGS),
    exists: (path) => existsSync(join(root, path)),
  });
  return tell('rules of our own', problems.length === 0, problems.join('\n'));
}

/** As `docker compose config` reads it: by Docker where it is installed, else by the loader that Docker itself uses. */
async function specification() {
  const env = { ...process.env, ...madeUpEnvironment() };
  const docker = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' });
  if (docker.status === 0) {
    const args = ['compose', '--env-file', '/dev/null', '--profile', 'demo', 'config', '--quiet'];
    const result = spawnSync('docker', args, { cwd: root, encoding: 'utf8', env });
    return tell('docker compose config', result.status === 0, result.stderr);
  }
  const tool = findTool('compose-spec', { fetch });
  if (tool.missing)
    return skip('Compose specification', `Docker is not installed, and of its loader: ${tool.missing}`);
  // Filled in beforehand: this small program over the loader does not see the environment.
  const { resolveCompose } = await import('../test/dist/topology/compose-file.js');
  const directory = mkdtempSync(join(tmpdir(), 'hookstream-compose-'));
  try {
    const file = join(directory, 'docker-compose.json');
    writeFileSync(
      file,
      JSON.stringify(resolveCompose(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), env)),
    );
    const result = spawnSync(tool.path, ['-no-interpolation', file], { cwd: root, encoding: 'utf8' });
    const what = `Compose specification (loader of docker compose, ${tool.source})`;
    return tell(what, result.status === 0, `${result.stdout}${result.stderr}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function dockerfile() {
  const tool = findTool('hadolint', { fetch });
  if (tool.missing) return skip('Dockerfile lint (hadolint)', tool.missing);
  const file = join('deploy', 'docker', 'Dockerfile');
  const result = spawnSync(tool.path, [file], { cwd: root, encoding: 'utf8' });
  return tell(
    `Dockerfile lint (hadolint, ${tool.source})`,
    result.status === 0,
    `${result.stdout}${result.stderr}`,
  );
}

/** A value for each name in .env.example that has none. */
function madeUpEnvironment() {
  const names = [...readFileSync(join(root, '.env.example'), 'utf8').matchAll(/^([A-Z][A-Z0-9_]*)=$/gm)];
  return Object.fromEntries(names.map(([, name]) => [name, randomBytes(16).toString('hex')]));
}

function tell(what, passed, details) {
  console.log(`compose:check: ${what} ${passed ? 'passed' : `FAILED\n${details}`}`);
  return passed;
}

function skip(what, reason) {
  console.log(`compose:check: ${what} SKIPPED: ${reason}`);
  return undefined;
}
