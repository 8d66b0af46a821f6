/** How commands are called where this process runs: texts are written for a clone. */
export interface LocalCommands {
  /** What stands before a command's name, such as `npm run foyer --`. */
  foyer: string;
  /** What starts Foyer. */
  start: string;
}

/** Says how commands are called, from the program that was called: a clone, the package, a unit or the image. */
export function localCommands(where: {
  program: string;
  isStartedByNpm: boolean;
  isInContainer: boolean;
}): LocalCommands {
  const { program } = where;
  if (where.isStartedByNpm) return clone;
  if (program.startsWith('/opt/foyer/')) return { foyer: 'foyer', start: 'systemctl start foyer' };
  if (/(?:^|\/)(?:bin\.js|slack-foyer)$/.test(program))
    return { foyer: 'npx slack-foyer', start: 'as you start your app' };
  if (where.isInContainer || program === '/app/src/cli.ts') {
    const name = program.replace(/^\/app\//, '');
    return { foyer: `node ${name}`, start: 'docker start or docker compose up -d, on the host' };
  }
  return clone;
}

const clone: LocalCommands = { foyer: 'npm run foyer --', start: 'npm start' };

/** A text with its commands as they are called here. */
export function inLocalCommands(text: string, { foyer, start }: LocalCommands = clone): string {
  return text.replaceAll(clone.foyer, () => foyer).replaceAll(/\bnpm start\b/g, () => start);
}
