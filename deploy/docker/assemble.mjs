// node deploy/docker/assemble.mjs TARGET: puts what an image holds into TARGET: the compiled applications, their own packages and
// the third-party packages they need in production, exactly as locked. The build has to be there (npm run build).
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { main, npm, PlainError, root, say } from '../../scripts/prepare.mjs';

/** What runs in containers. The standalone instance, with its embedded servers, does not. */
const APPS = ['apps/api', 'apps/worker', 'apps/cli'];
/** Small programs for the containers, beside the applications. */
const PROGRAMS = ['deploy/docker/healthcheck.mjs', 'deploy/docker/demo-receiver.mjs'];
/** Of the build, what no process reads: types and tests. Source maps stay, for stack traces that name the source's lines. */
const NOT_SHIPPED = /\.(d\.ts|d\.ts\.map|tsbuildinfo)$|\.spec\.js(\.map)?$/;

await main(() => {
  const target = process.argv[2];
  if (!target) throw new PlainError('usage: node deploy/docker/assemble.mjs TARGET');
  const directory = resolve(target);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const manifests = readManifests();
  const shipped = closure(manifests);
  copyManifests(directory, manifests);
  install(directory);
  for (const path of Object.keys(manifests)) {
    if (shipped.has(path)) copyBuild(path, directory);
    else rmSync(join(directory, path), { recursive: true, force: true });
  }
  for (const file of PROGRAMS) cpSync(join(root, file), join(directory, file));
  removeForeignBinaries(directory);
  writeFileSync(join(directory, 'package.json'), JSON.stringify(rootManifest(shipped), undefined, 2));
  for (const leftover of ['package-lock.json', '.npmrc', 'node_modules/.package-lock.json'])
    rmSync(join(directory, leftover), { force: true });
  say(`assembled ${[...shipped].join(', ')} in ${directory}`);
});

/** @returns the manifest of every workspace package by its path */
function readManifests() {
  const manifests = {};
  for (const pattern of readJson('package.json').workspaces) {
    const paths = pattern.endsWith('/*')
      ? readdirSync(join(root, dirname(pattern))).map((name) => `${dirname(pattern)}/${name}`)
      : [pattern];
    for (const path of paths)
      if (existsSync(join(root, path, 'package.json'))) manifests[path] = readJson(`${path}/package.json`);
  }
  return manifests;
}

/** @returns the paths of the applications and of every package of ours that they import, directly or not */
function closure(manifests) {
  const pathOf = new Map(Object.entries(manifests).map(([path, { name }]) => [name, path]));
  const found = new Set(APPS);
  for (const path of found) {
    for (const name of Object.keys(manifests[path].dependencies ?? {})) {
      if (pathOf.has(name)) found.add(pathOf.get(name));
    }
  }
  return found;
}

function copyManifests(directory, manifests) {
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(root, file), join(directory, file));
  for (const path of Object.keys(manifests)) {
    mkdirSync(join(directory, path), { recursive: true });
    cpSync(join(root, path, 'package.json'), join(directory, path, 'package.json'));
  }
}

/** Nothing of what the applications need has an install script; none is run. */
function install(directory) {
  const status = npm(
    [
      'ci',
      '--omit=dev',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...APPS.map((path) => `--workspace=${path}`),
    ],
    { cwd: directory },
  );
  if (status !== 0) throw new PlainError(`npm ci failed with exit code ${status}; its message is above`);
}

function copyBuild(path, directory) {
  const dist = join(root, path, 'dist');
  if (!existsSync(dist)) throw new PlainError(`${path} is not built: npm run build`);
  cpSync(dist, join(directory, path, 'dist'), {
    recursive: true,
    filter: (file) => !NOT_SHIPPED.test(basename(file)),
  });
}

/** Temporal's core comes compiled for every platform: 30 MB each. */
function removeForeignBinaries(directory) {
  const releases = join(directory, 'node_modules', '@temporalio', 'core-bridge', 'releases');
  const own = { x64: 'x86_64', arm64: 'aarch64' }[process.arch];
  const platform = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform];
  const names = readdirSync(releases);
  const kept = names.filter((name) => name.startsWith(`${own}-`) && name.includes(platform));
  if (kept.length === 0)
    throw new PlainError(`Temporal's core is not built for ${process.platform} on ${process.arch}`);
  for (const name of names) if (!kept.includes(name)) rmSync(join(releases, name), { recursive: true });
}

function rootManifest(shipped) {
  const { name, version, license, type, engines } = readJson('package.json');
  return { name, version, private: true, license, type, engines, workspaces: [...shipped] };
}

function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}
