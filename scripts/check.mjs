// npm run check: what CI runs beside the tests. Every step runs; the end names those that failed and how to mend them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { main, prepare, root, runNode, seconds } from './prepare.mjs';

const bin = (name, file) => join('node_modules', name, file);

const STEPS = [
  {
    name: 'format',
    args: [bin('prettier', 'bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
    mend: 'npm run format',
  },
  {
    name: 'lint and boundaries',
    args: [bin('eslint', 'bin/eslint.js'), '--max-warnings=0', '.'],
    mend: 'the rule is named behind each finding; npx eslint --fix . mends some',
  },
  {
    name: 'dead code',
    args: [bin('knip', 'bin/knip.js'), '--no-progress', '--no-config-hints'],
    mend: 'delete what nothing uses, or say in knip.json why it stays',
  },
  {
    name: 'OpenAPI',
    args: [join('apps', 'api', 'dist', 'openapi', 'write-openapi.js'), '--check'],
    mend: 'node apps/api/dist/openapi/write-openapi.js writes it; look at the diff: clients rely on it',
  },
  {
    name: 'configuration reference',
    args: [join('libs', 'config', 'dist', 'write-reference.js'), '--check'],
    mend: 'node libs/config/dist/write-reference.js writes it',
  },
  {
    name: 'version',
    args: [join('scripts', 'check-versions.mjs')],
    mend: 'the version is raised in the root package.json; node scripts/check-versions.mjs --write, then npm install',
  },
  {
    name: 'migrations',
    args: [join('scripts', 'check-migrations.mjs')],
    mend: 'write a migration for the difference, or correct the entity; docs/self-hosting/upgrade.md has the rules',
  },
  {
    name: 'docker-compose.yml and Dockerfile',
    args: [join('scripts', 'compose-check.mjs'), '--no-fetch'],
    mend: 'npm run compose:check, which also fetches the programs that were skipped',
  },
  {
    name: 'Helm chart',
    args: [join('scripts', 'helm-check.mjs'), '--no-fetch'],
    mend: 'npm run helm:check, which also fetches the programs that were skipped',
  },
  {
    name: 'metrics and alert rules',
    args: [join('scripts', 'metrics-check.mjs'), '--no-fetch'],
    mend: 'npm run metrics:check, which also builds promtool where it was skipped',
  },
];

await main(() => {
  // Types are checked by the build itself.
  prepare('all');
  const failed = STEPS.filter((step) => !passes(step));
  if (failed.length === 0) {
    console.log(`check: all ${STEPS.length + 1} steps passed (types with the build)`);
    return 0;
  }
  console.log(`check: ${failed.length} of ${STEPS.length + 1} steps failed`);
  for (const { name, mend } of failed) console.log(`  ${name}: ${mend}`);
  return 1;
});

function passes({ name, args }) {
  const started = Date.now();
  const ok = existsSync(join(root, args[0])) ? runNode(args) === 0 : missing(args[0]);
  console.log(`check: ${name} ${ok ? 'passed' : 'FAILED'} in ${seconds(started)}`);
  return ok;
}

function missing(file) {
  console.error(`check: ${file} is missing`);
  return false;
}
