import { Argument, Command } from 'commander';
import type { OperatorDeps } from '../operator-deps.ts';
import { operatorCommand } from './command-help.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/**
 * `completion SHELL`, and the hidden command `complete`, which the shell calls each time the user presses Tab.
 * `createProgram` creates the commands that `complete` offers. Only these two commands load the completion library.
 */
export function completionCommands(
  deps: OperatorDeps,
  createProgram: () => Promise<Command>,
): [Command, Command] {
  const completion = operatorCommand('completion', {
    summary: 'print a script that completes these commands in your shell',
    description:
      'Prints a script for your shell that completes commands and options when you press Tab. In a clone it also ' +
      'defines the command foyer, which stands for `npm run foyer --` and works in any folder.',
    examples: [
      ['completion bash >> ~/.bashrc', 'run this once for bash; needs the package bash-completion'],
      ['completion zsh >> ~/.zshrc', 'run this once for zsh; .zshrc must call compinit before the script'],
      ['completion fish > ~/.config/fish/conf.d/foyer.fish', 'run this once for fish'],
    ],
  })
    .addArgument(new Argument('<shell>', 'your shell').choices(shells))
    .action(async (shell: Shell) => {
      const { RootCommand } = await import('@bomb.sh/tab');
      const { name, call, isShorthand } = invocation(deps);
      if (isShorthand) deps.output.print(shorthand(shell, name, call));
      // The library's `setup` prints the script to stdout.
      new RootCommand().setup(name, call, shell);
    });
  const complete = new Command('complete').argument('[words...]').action(async (words: string[]) => {
    const { default: tab } = await import('@bomb.sh/tab/commander');
    const program = await createProgram();
    shorten(program);
    tab(program, { completionCommandName: 'completion' }).parse(words);
  });
  return [completion, complete];
}

/** Replaces each command's description with its shorter summary: shells show the description next to the command. */
function shorten(command: Command): void {
  for (const each of command.commands) {
    if (each.summary()) each.description(each.summary());
    shorten(each);
  }
}

/**
 * Returns the command with which the shell calls Foyer. In a clone, it names the clone's folder, so that it works from
 * any folder.
 */
function invocation({ commands, folder }: OperatorDeps): {
  name: string;
  call: string;
  isShorthand: boolean;
} {
  const call = commands?.foyer ?? 'npm run foyer --';
  if (call === 'foyer') return { name: call, call, isShorthand: false };
  if (call === 'npx slack-foyer') return { name: 'slack-foyer', call, isShorthand: false };
  const quoted = `'${folder.replaceAll("'", `'\\''`)}'`;
  const fromAnywhere = call.replace(/^npm run foyer/, () => `npm --prefix ${quoted} run --silent foyer`);
  return { name: 'foyer', call: fromAnywhere, isShorthand: true };
}

function shorthand(shell: Shell, name: string, call: string): string {
  return shell === 'fish' ? `function ${name}; ${call} $argv; end` : `${name}() { ${call} "$@"; }`;
}
