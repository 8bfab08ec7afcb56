import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

export interface RunAs {
  name: string;
  uid: number;
  gid: number;
}

// Accounts that own no files of people and exist on common systems, best first.
const CANDIDATES = ['postgres', 'hookstream', 'nobody', 'daemon'];

/**
 * The user Postgres has to run as: undefined means "as we are". Postgres refuses to run as root, so root takes the
 * owner of an existing cluster, else an unprivileged account of the system (initdb needs one with an entry in passwd).
 */
export function chooseRunAs(existingCluster: string | undefined): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readAccounts();
  if (existingCluster !== undefined) {
    const { uid, gid } = statSync(existingCluster);
    if (uid !== 0) return accounts.find((account) => account.uid === uid) ?? { name: `uid ${uid}`, uid, gid };
  }
  for (const name of CANDIDATES) {
    const account = accounts.find((candidate) => candidate.name === name && candidate.uid !== 0);
    if (account) return account;
  }
  throw new Error(
    'Postgres refuses to run as root and this system has no unprivileged account to run it as. ' +
      `Add one (one of ${CANDIDATES.join(', ')}) or start as an ordinary user.`,
  );
}

/** Runs a short program to its end as the given user, in a directory everybody can reach. */
export function runCommandAs(
  command: string,
  args: string[],
  runAs: RunAs | undefined,
): { status: number | null; message: string } {
  const result = spawnSync(command, args, {
    cwd: '/',
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(runAs === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }),
  });
  const message = result.error?.message ?? `${result.stderr}${result.stdout}`.trim();
  return { status: result.error ? null : result.status, message };
}

/** Whether that user may enter the directory. */
export function canEnter(directory: string, runAs: RunAs): boolean {
  return runCommandAs('/bin/sh', ['-c', 'test -x "$1"', 'sh', directory], runAs).status === 0;
}

function readAccounts(): RunAs[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name, , uid, gid]) => ({ name: name as string, uid: Number(uid), gid: Number(gid) }));
}
