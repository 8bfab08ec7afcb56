import { parseArgs } from 'node:util';
import type { Bench, BenchFindings } from './bench.js';
import { BENCHES } from './benches/index.js';
import { watchSignals } from './interruption.js';
import { describeMachine, processorTime, stolenPercent, type ProcessorTime } from './report/machine.js';
import { Stage } from './stage.js';

/** A wrong command line; its message is for the person at the terminal. */
class UsageError extends Error {}

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

/**
 * Runs one bench by its name. Figures never make it fail; a broken promise (an event lost, a signature wrong) does.
 * @returns the exit code: 0, 1 after a failure, 2 for a wrong command line, 130 after Ctrl-C.
 */
export async function runBench(args: string[]): Promise<number> {
  try {
    const command = readCommand(args);
    if (command === 'help') {
      process.stdout.write(`${usage()}\n`);
      return 0;
    }
    return await perform(command);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`bench: ${error.message}\n\n${usage()}\n`);
    return 2;
  }
}

interface Command {
  bench: Bench;
  values: Record<string, number | string>;
  json: boolean;
}

async function perform({ bench, values, json }: Command): Promise<number> {
  const interruption = watchSignals();
  const begun = processorTime();
  let stage: Stage | undefined;
  const work = async (): Promise<BenchFindings> => {
    const open = await Stage.open(say, process.env, (kept) => (stage = kept));
    const findings = await bench.run(open, values);
    const restarted = open.instance.restarted();
    if (restarted.length > 0) findings.faults.push(`ended and was started again: ${restarted.join(', ')}`);
    return findings;
  };
  try {
    const working = work();
    // What fails because it was interrupted needs no report.
    working.catch(() => undefined);
    const findings = await Promise.race([working, interruption.happened]);
    if (findings === 'interrupted') {
      say('interrupted; stopping what runs');
      return 130;
    }
    report(bench, values, findings, begun, json);
    return findings.faults.length > 0 ? 1 : 0;
  } finally {
    await stage?.close();
    interruption.done();
  }
}

function report(
  bench: Bench,
  settings: Record<string, number | string>,
  findings: BenchFindings,
  begun: ProcessorTime,
  json: boolean,
): void {
  const { faults, ...figures } = findings;
  for (const fault of faults) say(`FAULT: ${fault}`);
  const machine = { ...describeMachine(), stolen_percent: stolenPercent(begun, processorTime()) };
  const whole = { bench: bench.name, machine, settings, ...figures, faults };
  process.stdout.write(`${json ? JSON.stringify(whole) : JSON.stringify(whole, undefined, 2)}\n`);
}

function readCommand(args: string[]): Command | 'help' {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === 'help') return 'help';
  const bench = BENCHES.find((one) => one.name === name);
  if (!bench) throw new UsageError(`there is no bench "${name}"`);
  const given = parseOptions(bench, rest);
  const values = Object.fromEntries(
    Object.keys(bench.options).map((option) => [option, readValue(bench, option, given[option])]),
  );
  return { bench, values, json: given['json'] === true };
}

function parseOptions(bench: Bench, args: string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(
    Object.keys(bench.options).map((option) => [option, { type: 'string' as const }]),
  );
  try {
    return parseArgs({ args, options: { ...options, json: { type: 'boolean' } }, strict: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readValue(bench: Bench, option: string, text: string | boolean | undefined): number | string {
  const spec = bench.options[option];
  if (!spec) throw new UsageError(`${bench.name} has no option --${option}`);
  if (text === undefined) return spec.default;
  if ('choices' in spec) {
    if (typeof text === 'string' && spec.choices.includes(text)) return text;
    throw new UsageError(`--${option} must be one of ${spec.choices.join(', ')}`);
  }
  const value = Number(text);
  if (!Number.isInteger(value) || value < spec.min || value > spec.max)
    throw new UsageError(`--${option} must be a whole number from ${spec.min} to ${spec.max}`);
  return value;
}

function usage(): string {
  const lines = ['usage: npm run bench -- NAME [--json] [options]', ''];
  for (const { name, summary, options } of BENCHES) {
    lines.push(`  ${name}: ${summary}`);
    for (const [option, spec] of Object.entries(options)) {
      const value = 'choices' in spec ? spec.choices.join('|') : 'N';
      lines.push(`      --${option} ${value}  ${spec.doc} (${spec.default})`);
    }
  }
  lines.push('', '--json prints the result on one line, the last of standard output.');
  return lines.join('\n');
}
