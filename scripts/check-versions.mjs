// The version stands in the root's package.json. Everything that repeats it has to say the same.
//   --write       brings what repeats it in line (the lockfile by npm install afterwards)
//   --tag v1.2.3  moreover, a release of that tag may be made: the tag is the version and CHANGELOG.md has a section for it
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { main, PlainError, root } from './prepare.mjs';
import { releaseNotes } from './release-notes.mjs';

const CHART = 'deploy/helm/Chart.yaml';
const CHART_KEY = /^(version|appVersion): (.+)$/gm;
const DEPENDENCIES = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];

await main(() => {
  const { version } = readJson('package.json');
  if (process.argv.includes('--write')) write(version);
  const wrong = [...manifests().flatMap(copiesInManifest), ...copiesInLockfile(), ...copiesInChart()]
    .filter(({ says }) => says !== version)
    .map(({ where, says }) => `${where} says ${says}`);
  const problems = [...wrong, ...problemsOfTag(version)];
  for (const problem of problems) console.error(`version: ${problem}`);
  if (wrong.length > 0)
    console.error(
      `version: package.json says ${version}: node scripts/check-versions.mjs --write, npm install`,
    );
  else if (problems.length === 0) console.log(`version: ${version} everywhere`);
  return problems.length === 0 ? 0 : 1;
});

/** Paths of the workspaces' package.json files. */
function manifests() {
  return readJson('package.json')
    .workspaces.flatMap((pattern) =>
      pattern.endsWith('/*')
        ? readdirSync(join(root, dirname(pattern))).map((name) => `${dirname(pattern)}/${name}`)
        : [pattern],
    )
    .map((path) => `${path}/package.json`)
    .filter((path) => existsSync(join(root, path)));
}

function copiesInManifest(path) {
  return copiesIn(path, readJson(path));
}

/** npm notes the workspaces' versions in the lockfile, and what they ask of each other. */
function copiesInLockfile() {
  const { version, packages } = readJson('package-lock.json');
  const own = Object.entries(packages).filter(
    ([path, entry]) => !path.split('/').includes('node_modules') && entry.version,
  );
  return [
    { where: 'package-lock.json', says: version },
    ...own.flatMap(([path, entry]) => copiesIn(`package-lock.json, ${path || 'root'}`, entry)),
  ];
}

function copiesIn(where, manifest) {
  const dependencies = DEPENDENCIES.flatMap((kind) => Object.entries(manifest[kind] ?? {}));
  return [
    { where, says: manifest.version },
    ...dependencies
      .filter(([name]) => name.startsWith('@hookstream/'))
      .map(([name, says]) => ({ where: `${where}, ${name}`, says })),
  ];
}

/** The chart's own version, and its appVersion: the tag of the image where the values name none. */
function copiesInChart() {
  const found = Object.fromEntries(
    [...readFileSync(join(root, CHART), 'utf8').matchAll(CHART_KEY)].map(([, key, says]) => [key, says]),
  );
  return ['version', 'appVersion'].map((key) => ({ where: `${CHART}, ${key}`, says: found[key] }));
}

function problemsOfTag(version) {
  const at = process.argv.indexOf('--tag');
  if (at < 0) return [];
  const tag = process.argv[at + 1];
  if (!tag) throw new PlainError('usage: node scripts/check-versions.mjs --tag v1.2.3');
  const notes = releaseNotes(version);
  return [
    ...(tag === `v${version}`
      ? []
      : [`the tag is ${tag}, and package.json says ${version}: it has to be v${version}`]),
    ...(notes.problem ? [notes.problem] : []),
  ];
}

function write(version) {
  for (const path of manifests()) {
    replace(path, (text) =>
      text.replace(/^( *"(?:version|@hookstream\/[a-z-]+)": )"[^"]+"/gm, `$1"${version}"`),
    );
  }
  replace(CHART, (text) => text.replace(CHART_KEY, `$1: ${version}`));
}

function replace(path, change) {
  const file = join(root, path);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}
