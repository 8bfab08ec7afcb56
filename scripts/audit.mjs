// npm run audit: known holes of severity high or critical in the packages that production runs. SECURITY.md says how exceptions are made;
// they stand in scripts/audit-exceptions.json, each with the reason and the day on which it ends.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { main, PlainError, root } from './prepare.mjs';

const SEVERE = ['high', 'critical'];
const EXCEPTIONS = join('scripts', 'audit-exceptions.json');

await main(() => {
  const today = new Date().toISOString().slice(0, 10);
  const exceptions = readExceptions();
  const found = advisories(audit());
  const faults = [
    ...found
      .filter(({ id }) => !exceptions.some((exception) => exception.advisory === id))
      .map(({ id, name, title }) => `${name}: ${title} (${id})`),
    ...exceptions
      .filter(({ until }) => until < today)
      .map(({ advisory, until }) => `${EXCEPTIONS}: the exception for ${advisory} ended on ${until}`),
    ...exceptions
      .filter(({ advisory }) => !found.some(({ id }) => id === advisory))
      .map(({ advisory }) => `${EXCEPTIONS}: ${advisory} is found no more; delete its exception`),
  ];
  for (const fault of faults) console.error(`audit: ${fault}`);
  console.log(
    `audit: ${found.length} severe, ${exceptions.length} of them excepted, ${faults.length} to mend`,
  );
  return faults.length === 0 ? 0 : 1;
});

function audit() {
  const args = ['audit', '--omit=dev', '--audit-level=high', '--json'];
  const { stdout, error } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (error) throw new PlainError(`cannot run npm: ${error.message}`);
  const report = parse(stdout);
  // It ends with code 1 for a finding as for a registry that does not answer.
  if (!report?.vulnerabilities)
    throw new PlainError(`npm audit did not work: ${report?.message ?? 'no report'}`);
  return report;
}

/** One entry per advisory; a package that only depends on a vulnerable one names it, and is none itself. */
function advisories({ vulnerabilities }) {
  const all = Object.values(vulnerabilities)
    .flatMap(({ via }) => via)
    .filter((via) => typeof via === 'object' && SEVERE.includes(via.severity))
    .map(({ url, name, title }) => [url.split('/').pop(), { id: url.split('/').pop(), name, title }]);
  return [...new Map(all).values()];
}

function readExceptions() {
  const exceptions = parse(readFileSync(join(root, EXCEPTIONS), 'utf8'));
  const sound =
    Array.isArray(exceptions) &&
    exceptions.every(
      ({ advisory, reason, until }) => advisory && reason && /^\d{4}-\d{2}-\d{2}$/.test(until ?? ''),
    );
  if (!sound)
    throw new PlainError(
      `${EXCEPTIONS} is a list of {"advisory": "GHSA-…", "reason": "…", "until": "2026-12-31"}`,
    );
  return exceptions;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
