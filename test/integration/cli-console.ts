import { runCli } from '@hookstream/cli';

export interface CliRun {
  code: number;
  /** Lines of the answer. */
  printed: string[];
  /** Lines beside it. */
  told: string[];
}

/** Runs a command in this process, as the program does. */
export async function runCommand(
  args: readonly string[],
  env: Record<string, string>,
  { stopping = new AbortController().signal, onTold = (_: string): void => undefined } = {},
): Promise<CliRun> {
  const printed: string[] = [];
  const told: string[] = [];
  const code = await runCli(args, {
    env,
    print: (text) => printed.push(...text.split('\n')),
    tell: (text) => {
      told.push(...text.split('\n'));
      onTold(text);
    },
    stopping,
  });
  return { code, printed, told };
}
