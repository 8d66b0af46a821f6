import { Argument, type Command } from 'commander';
import { beginMaintenance, endMaintenance, readMaintenance } from '../../database/maintenance.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { timeText } from '../terminal/time-text.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

type Wish = 'on' | 'off' | 'status';

/** `maintenance on|off|status`: pauses installs on every machine, accepts them again, or prints the current state. */
export function maintenanceCommand(deps: OperatorDeps): Command {
  return operatorCommand('maintenance', {
    summary: 'pause installs (on), accept them again (off), or show the current state (status)',
    description:
      'While maintenance is on, every machine answers installs with a page that asks people to come back later (503, ' +
      'Retry-After). Someone who comes back from Slack in this time gets the page too; they finish the install by ' +
      'reloading that page once maintenance is off. Events are still committed, runs continue, and installed teams notice ' +
      'nothing. Maintenance stays on until you turn it off, even after a restart. Running machines follow within a second.',
    examples: [
      ['maintenance on', 'run this before you change a service that new installs need'],
      ['maintenance off', 'run this when the change is done'],
      ['maintenance status --json', 'print whether maintenance is on, for a script'],
    ],
  })
    .addArgument(new Argument('<wish>', 'what to do').choices(['on', 'off', 'status']))
    .action((wish: Wish, options: { json?: boolean }) => maintain(deps, wish, options));
}

async function maintain(deps: OperatorDeps, wish: Wish, options: { json?: boolean }): Promise<void> {
  const { output, now } = deps;
  await withDatabase(deps, async (config, database) => {
    const { clientId } = config.slack;
    if (wish === 'on') await database.write((tx) => beginMaintenance(tx, { clientId, now: now() }));
    if (wish === 'off') await database.write((tx) => endMaintenance(tx, clientId));
    const began = await readMaintenance(database.queries, clientId);
    if (options.json) {
      const since = began === undefined ? null : new Date(began).toISOString();
      return output.printJson({ maintenance: began !== undefined, since });
    }
    output.print(
      began === undefined
        ? 'Maintenance is off: installs are accepted.'
        : `Maintenance has been on since ${timeText(began)}: installs are paused. \`npm run foyer -- maintenance off\` ends it.`,
    );
  });
}
