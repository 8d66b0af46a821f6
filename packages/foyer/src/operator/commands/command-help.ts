import { Option } from 'commander';

/** `--json`, the same for every command. */
export function jsonOption(): Option {
  return new Option(
    '--json',
    'print JSON alone on stdout; remarks, and why the command failed, go to stderr',
  );
}

/** The examples at the end of a command's help, each a command line and what it is for. */
export function exampleLines(examples: readonly (readonly [commandLine: string, purpose: string])[]): string {
  const lines = examples.map(([commandLine, purpose]) => `  # ${purpose}\n  npm run foyer -- ${commandLine}`);
  return `\nExamples:\n${lines.join('\n')}`;
}
