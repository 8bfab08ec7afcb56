import { parseArgs } from 'node:util';
import { watchSignals } from '../load/interruption.js';
import { describeMachine } from '../load/report/machine.js';
import { ownEnvironment } from '../load/stage.js';
import { ChaosRun, type ChaosOptions } from './chaos-run.js';
import { FAULT_KINDS, type FaultKind } from './faults/fault-plan.js';
import type { ChaosFindings } from './judgement.js';
import { summary } from './report.js';

/** A wrong command line; its message is for the person at the terminal. */
class UsageError extends Error {}

const SECONDS = { default: 120, min: 20, max: 86_400 };
const MOST_PAUSE_SECONDS = 30;
/** A run shorter than this has shorter pauses, so that it has time for the other faults, too. */
const SECONDS_FOR_WHOLE_PAUSES = 120;

const USAGE = `usage: npm run chaos [-- --seconds N --seed S --faults a,b --pause N --rate P --json]

  --seconds N   how long there is load and faults (${SECONDS.default}); settling comes on top
  --seed S      the same faults at the same times as another run with this seed (random)
  --faults a,b  only these of: ${FAULT_KINDS.join(', ')} (all)
  --pause N     how many seconds a server stands still (${MOST_PAUSE_SECONDS}; a tenth of the run where that is short)
  --rate P      percent of the usual load of 27 deliveries a second (100)
  --json        prints the result on one line, the last of standard output

Exit code 1: a promise was broken; each is told in a line of its own.`;

const say = (line: string): void => void process.stderr.write(`chaos: ${line}\n`);

/** @returns the exit code: 0, 1 after a broken promise, 2 for a wrong command line, 130 after Ctrl-C. */
export async function runChaos(args: string[]): Promise<number> {
  try {
    const command = readCommand(args);
    if (command === 'help') {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    return await perform(command);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`chaos: ${error.message}\n\n${USAGE}\n`);
    return 2;
  }
}

interface Command {
  options: ChaosOptions;
  json: boolean;
}

async function perform({ options, json }: Command): Promise<number> {
  const interruption = watchSignals();
  const run = new ChaosRun(options);
  try {
    say(`seed ${options.seed}`);
    const working = run.run();
    // What fails because it was interrupted needs no report.
    working.catch(() => undefined);
    const findings = await Promise.race([working, interruption.happened]);
    if (findings === 'interrupted') {
      say('interrupted; stopping what runs');
      return 130;
    }
    report(options, findings, json);
    return findings.broken.length > 0 ? 1 : 0;
  } finally {
    await run.close();
    interruption.done();
  }
}

function report(
  { seed, seconds, pauseMs, kinds, ratePercent }: ChaosOptions,
  findings: ChaosFindings,
  json: boolean,
): void {
  const settings = {
    seed,
    seconds,
    pause_seconds: pauseMs / 1_000,
    rate_percent: ratePercent,
    faults: kinds,
  };
  if (json)
    process.stdout.write(`${JSON.stringify({ machine: describeMachine(), ...settings, ...findings })}\n`);
  else process.stdout.write(`${summary(findings)}\n`);
  for (const broken of findings.broken) say(`BROKEN: ${broken}`);
  say(
    findings.broken.length === 0 ? `every promise was kept (seed ${seed})` : `run again with --seed ${seed}`,
  );
}

function readCommand(args: string[]): Command | 'help' {
  const given = parseOptions(args);
  if (given.help) return 'help';
  const seconds = whole('seconds', given.seconds, SECONDS);
  const wholePause = seconds >= SECONDS_FOR_WHOLE_PAUSES;
  const pauseSeconds = wholePause ? MOST_PAUSE_SECONDS : Math.floor(seconds / 10);
  return {
    json: given.json === true,
    options: {
      seed: whole('seed', given.seed, { default: randomSeed(), min: 0, max: 2 ** 32 - 1 }),
      seconds,
      pauseMs: 1_000 * whole('pause', given.pause, { default: pauseSeconds, min: 1, max: 600 }),
      kinds: faultKinds(given.faults),
      ratePercent: whole('rate', given.rate, { default: 100, min: 1, max: 1_000 }),
      env: ownEnvironment(process.env),
      say,
    },
  };
}

function parseOptions(args: string[]) {
  const text = { type: 'string' as const };
  const flag = { type: 'boolean' as const };
  try {
    return parseArgs({
      args,
      options: { seconds: text, seed: text, faults: text, pause: text, rate: text, json: flag, help: flag },
      strict: true,
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function randomSeed(): number {
  return Math.floor(Math.random() * 100_000);
}

function whole(
  name: string,
  text: string | undefined,
  range: { default: number; min: number; max: number },
): number {
  if (text === undefined) return range.default;
  const value = Number(text);
  if (!Number.isInteger(value) || value < range.min || value > range.max)
    throw new UsageError(`--${name} must be a whole number from ${range.min} to ${range.max}`);
  return value;
}

function faultKinds(text: string | undefined): readonly FaultKind[] {
  if (text === undefined) return FAULT_KINDS;
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !(FAULT_KINDS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no fault "${unknown}"`);
  return names as FaultKind[];
}
