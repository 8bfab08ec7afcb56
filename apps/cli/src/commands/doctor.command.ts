import { Option, type Command } from 'commander';
import type { CliContext } from '../cli-context.js';
import { examine, type ProcessKind } from '../doctor/examine.js';
import { reportLines } from '../doctor/report.js';

interface DoctorOptions {
  process: ProcessKind | 'all';
  json?: true;
}

export function addDoctor(program: Command, context: CliContext, onFailed: () => void): void {
  program
    .command('doctor')
    .description(
      'examine settings, Postgres, Temporal, keys, egress and workers, and say how to mend what is wrong',
    )
    .addOption(
      new Option('--process <process>', 'whose settings the environment should hold')
        .choices(['all', 'api', 'worker'])
        .default('all'),
    )
    .option('--json', 'answer as JSON')
    .action(async ({ process, json }: DoctorOptions) => {
      const findings = await examine({
        env: context.env,
        processes: process === 'all' ? ['api', 'worker'] : [process],
      });
      if (json) context.print(JSON.stringify({ findings }));
      else for (const line of reportLines(findings)) context.print(line);
      if (findings.some(({ state }) => state === 'failed')) onFailed();
    });
}
