import type { Command } from 'commander';
import { connectByHand } from '../../connections/commit-connection.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { findTeam } from '../find-team.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

interface ConnectOptions {
  org: string;
  subject?: string;
  label?: string;
  move?: boolean;
  json?: boolean;
}

/** `connect TEAM --org ORG`: connects a workspace to one of the host's accounts. */
export function connectCommand(deps: OperatorDeps): Command {
  return operatorCommand('connect', {
    summary: 'connect a workspace to an account of your product',
    description:
      'Records which account of your product a workspace belongs to, as an install with a connect link does. Use it for ' +
      'workspaces that were installed before you set CONNECT_SECRET, and for support. Foyer never guesses the account.',
    examples: [
      ['connect T0123ABCD --org org_42', 'the workspace belongs to the account org_42'],
      ['connect T0123ABCD --org org_43 --move', 'the workspace now belongs to another account'],
    ],
  })
    .argument('<team>', 'a workspace’s id (T…), or an organization’s (E…) for an org-wide install')
    .requiredOption('--org <id>', 'the account’s id in your product')
    .option('--subject <id>', 'the id, in your product, of the person who asked for the connection')
    .option('--label <name>', 'the account’s name')
    .option('--move', 'if the workspace is connected to another account, move it to this one')
    .action((team: string, options: ConnectOptions) => connect(deps, team, options));
}

async function connect(deps: OperatorDeps, team: string, options: ConnectOptions): Promise<void> {
  const { org, subject: sub, label, move = false } = options;
  const { linkClaims } = await import('../../connections/link.ts');
  const checked = linkClaims.pick({ org: true, sub: true, label: true }).safeParse({ org, sub, label });
  if (!checked.success)
    throw new UsageError('--org, --subject or --label is empty, too long, or holds a control character.');
  await withDatabase(deps, async (config, database) => {
    const record = await findTeam(database.queries, config.slack.clientId, team);
    const wish = {
      installationId: record.id,
      account: { org, subject: sub ?? null, label: label ?? null },
      move,
      now: deps.now(),
    };
    const outcome = await database.write((transaction) => connectByHand(transaction, wish));
    if (outcome === 'other') {
      const known = record.connection?.org ?? 'another account';
      throw new CommandError(
        `${team} is connected to ${known}, and nothing was changed. --move connects it to ${org} instead; \`show ${team}\` shows the record.`,
      );
    }
    if (options.json) return deps.output.printJson({ installationId: record.id, org, outcome });
    const gone =
      record.status === 'uninstalled'
        ? ' The app is uninstalled there; the connection takes effect once the app is installed again.'
        : '';
    deps.output.print(`${team} is connected to ${org}.${gone}`);
  });
}
