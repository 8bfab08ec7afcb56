import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRESS_MS = 20_000;

/** Builds the program from source and puts it at `target`. Minutes when Go's caches are empty, seconds when not. */
export async function buildWithGo(
  version: string,
  target: string,
  env: NodeJS.ProcessEnv,
  notice: (line: string) => void,
): Promise<void> {
  const go = spawnSync('go', ['version'], { encoding: 'utf8', env });
  if (go.status !== 0) throw new Error('Go is not installed');
  notice(
    `building the Temporal server ${version} with ${go.stdout.trim()}; the first time this takes some minutes`,
  );
  const aside = mkdtempSync(join(dirname(target), 'build-'));
  try {
    await goInstall(
      `github.com/temporalio/cli/cmd/temporal@v${version}`,
      { ...env, GOBIN: aside, GOFLAGS: '-mod=mod' },
      notice,
    );
    chmodSync(join(aside, 'temporal'), 0o755);
    renameSync(join(aside, 'temporal'), target);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function goInstall(module: string, env: NodeJS.ProcessEnv, notice: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const child = spawn('go', ['install', '-v', module], {
      env,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
    const progress = setInterval(() => {
      const seconds = Math.round((Date.now() - started) / 1000);
      notice(`still building the Temporal server: ${lines.length} packages in ${seconds} s`);
    }, PROGRESS_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(progress);
      if (code === 0) resolve();
      else reject(new Error(`go install ${module} failed:\n${lines.slice(-10).join('\n')}`));
    });
  });
}
