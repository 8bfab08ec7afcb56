// An earlier version of this repository, checked out and built beside it.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { PlainError, root, run, runNode, say, seconds } from './prepare.mjs';

const MAIN = ['main', 'origin/main'];
const PACKAGES = ['libs', 'temporal', 'apps'];
/** Records of a build, written over in place: linked, they would be ours as well. */
const NOT_LINKED = ['.hookstream-build.json', '.cache'];
const BUILD = "const { prepare } = await import('./scripts/prepare.mjs'); prepare('product');";

/**
 * Below the directory. Its packages are ours where the lockfile is the same, else npm ci installs them from npm's cache.
 * @param ref what git calls it; absent: the release before this version, else where this branch left main, else the commit before
 * @returns where it was built and what to call it, or why there is none. @throws PlainError
 */
export function buildEarlier(ref, directory) {
  const found = ref === undefined ? findEarlier() : named(ref);
  if (found.missing) return found;
  const { commit, name } = found;
  const started = Date.now();
  const home = join(directory, 'earlier');
  say(`building ${name}`);
  checkOut(commit, home);
  const linked = readsTheSame('package-lock.json', home) && linkPackages(home);
  seedBuild(home);
  // Compiling and installing are that version's own business.
  const stdio = ['ignore', 'ignore', 'inherit'];
  if (runNode(['--input-type=module', '--eval', BUILD], { cwd: home, stdio }) !== 0)
    throw new PlainError(`${name} could not be built: the message is above`);
  say(`built in ${seconds(started)}, on packages ${linked ? 'that are here already' : 'of its own'}`);
  return { home, name };
}

function named(ref) {
  const commit = git('rev-parse', '--verify', '--quiet', `${ref}^{commit}`);
  if (commit === undefined) throw new PlainError(`git does not know ${ref}`);
  return describe(commit, ref);
}

function findEarlier() {
  const head = git('rev-parse', '--verify', '--quiet', 'HEAD^{commit}');
  if (head === undefined)
    return { missing: 'this is no git repository, so there is no earlier version in it' };
  const release = git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*', 'HEAD^');
  if (release !== undefined) return named(release);
  for (const main of MAIN) {
    const left = git('merge-base', main, 'HEAD');
    if (left !== undefined && left !== head) return describe(left, `where this left ${main}`);
  }
  const before = git('rev-parse', '--verify', '--quiet', 'HEAD^^{commit}');
  if (before !== undefined) return describe(before, 'the commit before');
  return git('rev-parse', '--is-shallow-repository') === 'true'
    ? { missing: 'this clone does not have the commit before this one (git fetch --unshallow gets it)' }
    : { missing: 'this is the first commit' };
}

function describe(commit, ref) {
  const short = commit.slice(0, 7);
  return { commit, name: ref.startsWith(short) ? short : `${short} (${ref})` };
}

function checkOut(commit, home) {
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  const done =
    run('git', ['clone', '--quiet', '--shared', '--no-checkout', root, home], quiet) === 0 &&
    run('git', ['-C', home, 'checkout', '--quiet', '--detach', commit], quiet) === 0;
  if (!done) throw new PlainError('git could not check it out: the message is above');
}

/** @returns what it answers; undefined when it fails */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

function readsTheSame(file, home) {
  return readFileSync(join(root, file), 'utf8') === readFileSync(join(home, file), 'utf8');
}

/** The same files once more, without copying them. @returns whether that was possible */
function linkPackages(home) {
  const places = ['.', ...workspaces()].map((place) => join(place, 'node_modules'));
  const here = places.filter((place) => existsSync(join(root, place)));
  try {
    for (const place of here) linkTree(join(root, place), join(home, place));
    return true;
  } catch {
    // Another file system, or none that can link: npm ci then, from nothing.
    for (const place of here) rmSync(join(home, place), { recursive: true, force: true });
    return false;
  }
}

function linkTree(from, to) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (NOT_LINKED.includes(entry.name)) continue;
    if (entry.isDirectory()) linkTree(source, target);
    // Packages of ours are links that lead from one folder of a checkout to another.
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkSync(source, target);
  }
}

/** Our build, so that only what differs is compiled anew: the compiler goes by the contents of the sources. */
function seedBuild(home) {
  for (const place of workspaces()) {
    const [from, to] = [join(root, place, 'dist'), join(home, place)];
    if (existsSync(from) && existsSync(to))
      cpSync(from, join(to, 'dist'), { recursive: true, preserveTimestamps: true });
  }
}

function workspaces() {
  return PACKAGES.flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name)));
}
