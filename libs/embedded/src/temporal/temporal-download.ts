import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ANSWER_TIMEOUT_MS = 8_000;
const TRANSFER_TIMEOUT_MS = 10 * 60_000;
const SYSTEMS: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'darwin' };
const MACHINES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Puts the official release's program at `target`, checked against the release's checksums where it has them.
 * @throws Error within seconds when the network does not answer.
 */
export async function downloadRelease(
  version: string,
  target: string,
  notice: (line: string) => void,
): Promise<void> {
  const [system, machine] = [SYSTEMS[process.platform], MACHINES[process.arch]];
  if (!system || !machine) throw new Error(`there is no release for ${process.platform}-${process.arch}`);
  const asset = `temporal_cli_${version}_${system}_${machine}.tar.gz`;
  const release = `https://github.com/temporalio/cli/releases/download/v${version}`;
  notice(`downloading the Temporal server ${version} from ${release}/${asset}`);
  const archive = await download(`${release}/${asset}`);
  await verify(archive, asset, `${release}/checksums.txt`);
  const aside = mkdtempSync(join(dirname(target), 'download-'));
  try {
    const file = join(aside, asset);
    writeFileSync(file, archive);
    const unpacked = spawnSync('tar', ['-xzf', file, '-C', aside, 'temporal'], { encoding: 'utf8' });
    if (unpacked.status !== 0)
      throw new Error(`cannot unpack ${asset}: ${unpacked.error?.message ?? unpacked.stderr}`);
    chmodSync(join(aside, 'temporal'), 0o755);
    renameSync(join(aside, 'temporal'), target);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

async function download(url: string): Promise<Buffer> {
  const abort = new AbortController();
  // The first bound is for an answer at all; a large file then has its time.
  let timer = setTimeout(() => abort.abort(new Error('no answer')), ANSWER_TIMEOUT_MS);
  try {
    const answer = await fetch(url, { signal: abort.signal });
    clearTimeout(timer);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    timer = setTimeout(() => abort.abort(new Error('too slow')), TRANSFER_TIMEOUT_MS);
    return Buffer.from(await answer.arrayBuffer());
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? `${message} (${cause.message})` : message;
    throw new Error(`download of ${url} failed: ${reason}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function verify(archive: Buffer, asset: string, checksumsUrl: string): Promise<void> {
  const checksums = await download(checksumsUrl).catch(() => undefined);
  const line = checksums
    ?.toString('utf8')
    .split('\n')
    .find((entry) => entry.trim().endsWith(asset));
  if (!line) return;
  const expected = line.trim().split(/\s+/)[0];
  if (createHash('sha256').update(archive).digest('hex') !== expected)
    throw new Error(`${asset} does not match its checksum`);
}
