import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres, type PostgresServer } from '@hookstream/embedded';
import { eventually } from '@hookstream/testing';

// Real: the embedded Postgres on a directory of its own, real processes, a real zombie.

describe('embedded Postgres after a postmaster that was killed', () => {
  let directory: string;
  let running: PostgresServer | undefined;
  const others: ChildProcess[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hookstream-postgres-'));
    chmodSync(directory, 0o711);
  });

  afterEach(async () => {
    await running?.stop();
    running = undefined;
    for (const other of others.splice(0)) other.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  const start = async (): Promise<PostgresServer> =>
    (running = await startPostgres({
      dataDir: directory,
      logFile: join(directory, 'postgres.log'),
      durable: false,
    }));

  /** Kills the postmaster as a crash would and leaves its pid file saying that `holder` holds the cluster. */
  async function crashLeaving(
    holder: (owner: { uid: number; gid: number }) => Promise<number>,
  ): Promise<void> {
    const { process: postmaster, clusterDirectory } = await start();
    const file = join(clusterDirectory, 'postmaster.pid');
    const text = readFileSync(file, 'utf8');
    process.kill(postmaster.identity.pid, 'SIGKILL');
    await eventually(() => !postmaster.running);
    // Postgres believes only processes of its own user.
    const pid = await holder(statSync(clusterDirectory));
    writeFileSync(file, text.replace(/^\d+/, String(pid)));
  }

  it('starts although its id belongs to another program by now', async () => {
    await crashLeaving(async ({ uid, gid }) => {
      const other = spawn('sleep', ['60'], { uid, gid, cwd: '/' });
      others.push(other);
      return other.pid as number;
    });
    await expect(start()).resolves.toBeDefined();
    expect(others[0]?.exitCode).toBeNull();
  });

  it('starts although its id belongs to a zombie that nobody reaps', async () => {
    await crashLeaving(async ({ uid, gid }) => {
      // The shell's child ends after the shell has become `sleep`, which never waits for it.
      const parent = spawn('sh', ['-c', 'sh -c "kill -STOP \\$\\$" & echo $!; exec sleep 60'], {
        uid,
        gid,
        cwd: '/',
      });
      others.push(parent);
      const child = await new Promise<number>((resolve) =>
        parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))),
      );
      await eventually(
        () => stateOf(parent.pid as number).command === 'sleep' && stateOf(child).state === 'T',
      );
      process.kill(child, 'SIGKILL');
      await eventually(() => stateOf(child).state === 'Z');
      return child;
    });
    await expect(start()).resolves.toBeDefined();
  });
});

function stateOf(pid: number): { command: string; state: string } {
  const [, command = '', state = ''] = /\((.*)\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return { command, state };
}
