import type { FoyerDefinition } from './define-foyer.ts';

/**
 * Runs one command of the operator and resolves to its exit code: 0 done, 1 failed, 2 wrong usage. With `--json`,
 * stdout contains only JSON; everything else goes to stderr.
 *
 * Why a dynamic import: a server never runs a command, and loading the commands' modules would take a tenth of the
 * server's start time.
 * @example process.exitCode = await runCommand(definition, process.argv.slice(2))
 */
export async function runCommand<MyTables>(
  definition: FoyerDefinition<MyTables>,
  argv: readonly string[],
): Promise<0 | 1 | 2> {
  const { runCommandLine } = await import('./command-line.ts');
  return runCommandLine(definition, argv);
}
