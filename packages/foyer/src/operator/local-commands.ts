/**
 * What an operator types to call Foyer's commands on this machine. Messages in the code name the commands as they are
 * called in a clone of the repository; `inLocalCommands` replaces them with the local commands.
 */
export interface LocalCommands {
  /** What to type before a command's name, such as `npm run foyer --`. */
  foyer: string;
  /** The command that starts Foyer. */
  start: string;
}

/** Returns how to call the commands: in a clone, from the npm package, under systemd, or in the container image. */
export function localCommands({
  program,
  isStartedByNpm,
}: {
  program: string;
  isStartedByNpm: boolean;
}): LocalCommands {
  // Checked before `isStartedByNpm`: npx sets the variables of an npm script too.
  if (/(?:^|\/)(?:bin\.js|slack-foyer)$/.test(program)) return packageCommands;
  if (isStartedByNpm) return clone;
  if (program.startsWith('/opt/foyer/')) return { foyer: 'foyer', start: 'systemctl start foyer' };
  if (/^\/app\/src\/(?:cli|main)\.ts$/.test(program))
    return { foyer: 'node src/cli.ts', start: 'docker start or docker compose up -d, on the host' };
  return clone;
}

/** How to call the commands in an app that has added the npm package. */
export const packageCommands: LocalCommands = {
  foyer: 'npx slack-foyer',
  start: 'with your app’s own start command',
};

const clone: LocalCommands = { foyer: 'npm run foyer --', start: 'npm start' };

/** In a text, replaces each command of a clone with the command that works where this process runs. */
export function inLocalCommands(text: string, { foyer, start }: LocalCommands = clone): string {
  return text.replaceAll(clone.foyer, () => foyer).replaceAll(/\bnpm start\b/g, () => start);
}
