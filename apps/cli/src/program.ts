import { Command, CommanderError } from 'commander';
import { ConfigError } from '@hookstream/config';
import { DomainError } from '@hookstream/domain';
import { CommandError, type CliContext } from './cli-context.js';
import { addDoctor } from './commands/doctor.command.js';
import { addKeyCommands } from './commands/key.command.js';
import { addListen } from './commands/listen.command.js';
import { addMigrate } from './commands/migrate.command.js';
import { addRetentionCommands } from './commands/retention.command.js';
import { addTenantCommands } from './commands/tenant.command.js';
import { postgresTrouble } from './postgres-trouble.js';

export type { CliContext };

const FAILED = 1;
const WRONG_USE = 2;

/**
 * Runs one command.
 * @param args without the program's own name
 * @returns the exit code: 0 done, 1 failed or something found, 2 called wrongly
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  let code = 0;
  const program = new Command('hookstream')
    .description(
      'Looks after a Hookstream installation. Settings come from the environment: docs/self-hosting/configuration.md.',
    )
    .configureOutput({
      writeOut: (text) => context.print(text.trimEnd()),
      writeErr: (text) => context.tell(text.trimEnd()),
    })
    .exitOverride()
    .showHelpAfterError('(--help tells how)');
  addMigrate(program, context);
  addTenantCommands(program, context);
  addKeyCommands(program, context);
  addRetentionCommands(program, context);
  addListen(program, context);
  addDoctor(program, context, () => (code = FAILED));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE;
    context.tell(`hookstream: ${whatWentWrong(error)}`);
    return FAILED;
  }
}

/** Without stack, and without any value of the settings. */
function whatWentWrong(error: unknown): string {
  if (error instanceof CommandError || error instanceof ConfigError || error instanceof DomainError)
    return error.message;
  return postgresTrouble(error)?.what ?? (error instanceof Error ? error.message : String(error));
}
