// What every command needs before it can run: a fitting Node, the packages of the lockfile, a build that is not stale.
// Plain Node without dependencies: this file works when nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const root = dirname(import.meta.dirname);

const INSTALLED = join(root, 'node_modules', '.package-lock.json');
const BUILD_STAMP = join(root, 'node_modules', '.hookstream-build.json');
const PRODUCT = ['apps/api', 'apps/worker', 'apps/standalone', 'apps/cli'];
const BUNDLE_SOURCES = ['libs/domain', 'libs/contracts', 'temporal/workflows'];

/** An error whose message is for the person at the terminal; its stack would not help. */
export class PlainError extends Error {}

export const say = (line) => console.log(`hookstream: ${line}`);

/** Runs a script's main function: plain errors are printed as one message and end it with code 1. */
export async function main(run) {
  try {
    const code = await run();
    if (typeof code === 'number') process.exitCode = code;
  } catch (error) {
    console.error(error instanceof PlainError ? `hookstream: ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** Runs a command, in the repository's root unless told otherwise, with the terminal attached and answers its exit code. */
export function run(command, args, { cwd = root, env = process.env, stdio = 'inherit' } = {}) {
  const result = spawnSync(command, args, { cwd, env, stdio });
  if (result.error) throw new PlainError(`cannot run ${command}: ${result.error.message}`);
  return result.status ?? 1;
}

export function runNode(args, options) {
  return run(process.execPath, args, options);
}

/** @param what `product`: all that runs. `all`: the tests too. */
export function prepare(what) {
  checkNode();
  install();
  build(what);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const fits =
    (major === 20 && minor >= 19) ||
    (major === 22 && minor >= 13) ||
    (major === 24 && minor >= 11) ||
    major > 24;
  if (!fits) {
    throw new PlainError(
      `Node ${process.versions.node} is not supported. Use Node 20.19 or later, 22.13 or later, or 24.11 or later (https://nodejs.org).`,
    );
  }
}

function install() {
  const missing = firstDifference();
  if (missing === undefined) return;
  say(`installing packages (${missing})`);
  const started = Date.now();
  // With the development packages even under NODE_ENV=production: the compiler is one of them.
  const status = npm([
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  if (status !== 0) {
    throw new PlainError(
      `npm ci failed (exit code ${status}; its message is above). Is the npm registry reachable (npm ping)? ` +
        'If package-lock.json and the package.json files differ, run npm install once.',
    );
  }
  say(`packages installed in ${seconds(started)}`);
}

/** What differs between the lockfile and node_modules; undefined when nothing does. npm writes its record last. */
function firstDifference() {
  if (!existsSync(INSTALLED)) return 'none are there yet';
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const there = JSON.parse(readFileSync(INSTALLED, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) continue;
    const installed = there[path];
    if (installed === undefined && (entry.optional || entry.devOptional || entry.peer)) continue;
    if (
      installed === undefined ||
      installed.version !== entry.version ||
      // npm install notes it here also where the lockfile, made without, does not say it
      (entry.resolved !== undefined && installed.resolved !== entry.resolved)
    ) {
      return `${path.replace(/^.*node_modules\//, '')} is missing or another version`;
    }
  }
  return undefined;
}

export function npm(args, options) {
  // Under `npm run`, the same npm again; else the one beside Node or on PATH.
  const path = process.env.npm_execpath;
  if (path && /npm-cli\.js$/.test(path)) return runNode([path, ...args], options);
  return run('npm', args, options);
}

/** Compiles what changed since the last build, and the workflow bundle. Quick when nothing did. */
export function build(what) {
  const projects = what === 'product' ? PRODUCT : [];
  const stamp = readStamp();
  const sources = fingerprint(
    what === 'product' ? ['libs', 'temporal', 'apps'] : ['libs', 'temporal', 'apps', 'test'],
  );
  const upToDate =
    stamp[what] === sources && PRODUCT.every((app) => existsSync(join(root, app, 'dist', 'main.js')));
  if (!upToDate) {
    say('building');
    const started = Date.now();
    removeStaleOutput();
    const status = runNode([join('node_modules', 'typescript', 'bin', 'tsc'), '-b', ...projects]);
    if (status !== 0) throw new PlainError('the build failed: the errors are above');
    stamp[what] = sources;
    // A build of everything is one of the product, too.
    if (what === 'all') stamp.product = fingerprint(['libs', 'temporal', 'apps']);
    buildBundle(stamp);
    writeFileSync(BUILD_STAMP, JSON.stringify(stamp));
    say(`built in ${seconds(started)}`);
  }
}

function buildBundle(stamp) {
  const sources = fingerprint(BUNDLE_SOURCES);
  if (stamp.bundle === sources && existsSync(join(root, stamp.bundleFile ?? 'missing'))) return;
  const directory = join('temporal', 'workflows', 'dist');
  const status = runNode([join(directory, 'build-bundle.js')], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new PlainError('building the workflow bundle failed: the errors are above');
  stamp.bundle = sources;
  stamp.bundleFile = join(directory, 'workflow-bundle.js');
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(BUILD_STAMP, 'utf8'));
  } catch {
    return {};
  }
}

/** Of path, size and time of every file that the build reads. */
function fingerprint(directories) {
  const hash = createHash('sha256');
  const files = [
    join(root, 'tsconfig.base.json'),
    join(root, 'tsconfig.json'),
    join(root, 'package-lock.json'),
  ];
  for (const directory of directories) collect(join(root, directory), files);
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${relative(root, file)}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function collect(directory, files) {
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) collect(path, files);
    else if (/\.ts$|^(package|tsconfig)\.json$/.test(entry.name)) files.push(path);
  }
}

/** Output of sources that are gone: the compiler leaves it, and the test runner would go on running it. */
function removeStaleOutput() {
  for (const group of ['libs', 'temporal', 'apps']) {
    for (const name of readdirSync(join(root, group))) {
      const home = join(root, group, name);
      removeOrphans(join(home, 'dist'), join(home, 'dist'), join(home, 'src'));
    }
  }
  removeOrphans(join(root, 'test', 'dist'), join(root, 'test', 'dist'), join(root, 'test'));
}

function removeOrphans(directory, output, source) {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      removeOrphans(path, output, source);
    } else if (entry.name.endsWith('.d.ts')) {
      const stem = path.slice(0, -'.d.ts'.length);
      if (existsSync(`${join(source, relative(output, stem))}.ts`)) continue;
      for (const ending of ['.d.ts', '.d.ts.map', '.js', '.js.map']) rmSync(stem + ending, { force: true });
      // The compiler's own record says that the output is there.
      rmSync(join(output, '.tsbuildinfo'), { force: true });
    }
  }
}

export function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
