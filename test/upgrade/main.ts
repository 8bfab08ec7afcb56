import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { THIS_VERSION } from '../e2e/installation.js';
import { watchSignals } from '../load/interruption.js';
import { describeMachine } from '../load/report/machine.js';
import { upgradeSummary } from './upgrade-report.js';
import { UpgradeRun } from './upgrade-run.js';
import type { Version } from './upgrade-site.js';

const SECONDS = { default: 60, min: 20 };
/** As other programs say that they did nothing because something was missing. */
const SKIPPED = 77;

const USAGE = `usage: npm run upgrade [-- --from REF --seconds N --keep --json]

  --from REF   the version to upgrade from, as git calls it. Default: the release before this one; where there is none, the
               commit at which this branch left main, or the one before
  --seconds N  how long there is load (${SECONDS.default}); building, starting and settling come on top
  --keep       leaves data and logs behind, and says where
  --json       prints the result on one line, the last of standard output

Exit code 1: a promise was broken; each is told in a line of its own. ${SKIPPED}: there is no earlier version to begin with.`;

const say = (line: string): void => void process.stderr.write(`upgrade: ${line}\n`);

/** Checks out and builds a version below a directory. `missing` says why there is none. */
export type BuildEarlier = (
  ref: string | undefined,
  directory: string,
) => Version | { missing: string } | Promise<Version | { missing: string }>;

/** @returns the exit code: 0, 1 after a broken promise, 2 for a wrong command line, 77 without an earlier version, 130 after Ctrl-C. */
export async function runUpgrade(args: string[], buildEarlier: BuildEarlier): Promise<number> {
  const command = readCommand(args);
  if (typeof command === 'number') return command;
  const directory = mkdtempSync(join(tmpdir(), 'hookstream-upgrade-'));
  // As root, Postgres runs as another user, who has to get through to its own directory below.
  chmodSync(directory, 0o711);
  let passed = false;
  try {
    const earlier = await buildEarlier(command.from, directory);
    if ('missing' in earlier) {
      say(`SKIPPED: ${earlier.missing}`);
      passed = true;
      return SKIPPED;
    }
    const code = await perform(earlier, directory, command);
    passed = code === 0;
    return code;
  } finally {
    if (command.keep || !passed) say(`data and logs: ${join(directory, 'site')}`);
    if (passed && !command.keep) rmSync(directory, { recursive: true, force: true });
    else rmSync(join(directory, 'earlier'), { recursive: true, force: true });
  }
}

interface Command {
  from: string | undefined;
  seconds: number;
  keep: boolean;
  json: boolean;
}

async function perform(
  earlier: Version,
  directory: string,
  { seconds, json }: Pick<Command, 'seconds' | 'json'>,
): Promise<number> {
  const interruption = watchSignals();
  const versions = { old: earlier, new: { home: THIS_VERSION, name: 'the new version' } };
  const run = new UpgradeRun({ versions, seconds, directory: join(directory, 'site'), say });
  try {
    const working = run.run();
    // What fails because it was interrupted needs no report.
    working.catch(() => undefined);
    const findings = await Promise.race([working, interruption.happened]);
    if (findings === 'interrupted') return 130;
    const from = earlier.name;
    if (json)
      process.stdout.write(`${JSON.stringify({ machine: describeMachine(), from, seconds, ...findings })}\n`);
    else process.stdout.write(`${upgradeSummary(findings)}\n`);
    for (const broken of findings.broken) say(`BROKEN: ${broken}`);
    if (findings.broken.length === 0) say(`passed: from ${from} and back without loss`);
    return findings.broken.length === 0 ? 0 : 1;
  } catch (error) {
    say(`FAILED: ${(error as Error).message}`);
    return 1;
  } finally {
    await run.close();
    interruption.done();
  }
}

/** @returns an exit code where there is nothing to run */
function readCommand(args: string[]): Command | number {
  const wrong = (message: string): number => {
    process.stderr.write(`upgrade: ${message}\n\n${USAGE}\n`);
    return 2;
  };
  const text = { type: 'string' as const };
  const flag = { type: 'boolean' as const };
  try {
    const options = { from: text, seconds: text, keep: flag, json: flag, help: flag };
    const { from, seconds = String(SECONDS.default), keep, json, help } = parseArgs({ args, options }).values;
    if (help) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const load = Number(seconds);
    if (!Number.isInteger(load) || load < SECONDS.min)
      return wrong(`--seconds must be a whole number from ${SECONDS.min}`);
    return { from, seconds: load, keep: keep === true, json: json === true };
  } catch (error) {
    return wrong((error as Error).message);
  }
}
