// npm test: the whole suite against real Postgres and a real Temporal server. `npm test -- <arguments of jest>` runs part of it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { main, PlainError, prepare, runNode, say, seconds } from './prepare.mjs';

const passedOn = process.argv.slice(2);
const resultFile = process.env.HOOKSTREAM_TEST_RESULT_FILE;

// The suites that share the servers run side by side; the e2e suites start whole instances and measure times, so they
// have the machine to themselves.
const GROUPS = [
  {
    projects: ['unit', 'replay', 'integration', 'workflow'],
    workers: Math.max(2, availableParallelism() - 1),
  },
  { projects: ['e2e'], workers: 1 },
];

await main(async () => {
  const started = Date.now();
  prepare('all');
  const { resolveTemporalBinary } = await import('../libs/embedded/dist/index.js');
  const temporal = await resolveTemporalBinary({ env: process.env, notice: say }).catch((error) => {
    throw new PlainError(error.message);
  });
  say(`Temporal server: ${temporal.path} (${temporal.source})`);
  const groups = passedOn.includes('--selectProjects') ? [{ projects: [], workers: 1 }] : GROUPS;
  const results = groups.map(runJest);
  const total = { passed: sum(results, 'passed'), failed: sum(results, 'failed') };
  if (resultFile) writeFileSync(resultFile, JSON.stringify(total));
  say(`${total.passed} tests passed, ${total.failed} failed, in ${seconds(started)}`);
  return results.some((result) => result.status !== 0) ? 1 : 0;
});

function runJest({ projects, workers }) {
  const directory = mkdtempSync(join(tmpdir(), 'hookstream-jest-'));
  const outputFile = join(directory, 'result.json');
  const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  try {
    const status = runNode(
      [
        join('node_modules', 'jest', 'bin', 'jest.js'),
        '--passWithNoTests',
        `--maxWorkers=${workers}`,
        '--json',
        `--outputFile=${outputFile}`,
        ...(projects.length > 0 ? ['--selectProjects', ...projects] : []),
        ...passedOn,
      ],
      {
        env: {
          ...process.env,
          NODE_OPTIONS: [process.env.NODE_OPTIONS, ...options].filter(Boolean).join(' '),
        },
        // The JSON goes to the file and once more to standard output; people read standard error.
        stdio: ['inherit', 'ignore', 'inherit'],
      },
    );
    return { status, ...readCounts(outputFile, status) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readCounts(file, status) {
  try {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    // A file that cannot even be loaded has no tests to count, yet it failed.
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
    };
  } catch {
    return { passed: 0, failed: status === 0 ? 0 : 1 };
  }
}

function sum(results, key) {
  return results.reduce((total, result) => total + result[key], 0);
}
