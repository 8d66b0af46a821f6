import { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { Database } from '../../database/database.ts';
import { countInstallationRows } from '../../database/erase-installation.ts';
import { type InstallRecord, registeredTeamId } from '../../database/install-record.ts';
import { readUsers } from '../../database/people.ts';
import { KeyringError } from '../../installations/keyring.ts';
import { KeyMissingError, SealBrokenError } from '../../installations/sealer.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { findTeam } from '../find-team.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type Revocation, revokeTokens } from '../revoke-tokens.ts';
import { fieldLines } from '../terminal/table.ts';
import { withDatabase } from '../with-database.ts';
import { exampleLines, jsonOption } from './command-help.ts';

interface PurgeOptions {
  yes?: boolean;
  revoke: boolean;
  json?: boolean;
}

/** `purge TEAM`: erases a team. */
export function purgeCommand(deps: OperatorDeps): Command {
  return new Command('purge')
    .summary('erase a team: tokens, people, runs, history')
    .description(
      'Erases everything stored of a team, out of the database’s files too, and gives its tokens back to Slack ' +
        'first, as far as Slack answers. It shows what will go and asks; there is no way back but a backup.',
    )
    .argument('<team>', 'a team’s id (T…), or an enterprise’s (E…) for an org-wide install')
    .option('-y, --yes', 'do not ask')
    .option('--no-revoke', 'leave the tokens valid at Slack: for tokens whose encryption key is lost')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      exampleLines([
        ['purge T0123ABCD', 'they asked to be forgotten'],
        ['purge T0123ABCD --yes --json', 'the same, from a script'],
      ]),
    )
    .action((team: string, options: PurgeOptions) => purge(deps, team, options));
}

async function purge(deps: OperatorDeps, team: string, options: PurgeOptions): Promise<void> {
  const { confirm } = deps;
  if (!options.yes && !confirm) {
    throw new UsageError(
      'purge asks before it erases, and nobody can answer here. Add --yes to go on without.',
    );
  }
  await withDatabase(deps, async (config, database) => {
    const record = await findTeam(database.queries, config.slack.clientId, team);
    const erased = await describe(database, record);
    if (!options.yes) {
      deps.output.note(`This erases, and only a backup brings back:\n${erasedLines(record, erased)}`);
      const sure = await confirm?.(`Erase ${registeredTeamId(record)}?`);
      if (!sure) throw new CommandError('Nothing was erased.');
    }
    const tokens = await giveBack(deps, config, database, record, options.revoke);
    const gone = await deps.purgeInstallation(config, database, record.id);
    if (!gone) throw new CommandError(`${team} was erased by somebody else in the meantime.`);
    if (!options.json) return deps.output.print(`Erased:\n${erasedLines(record, erased)}`);
    const { teamId, teamName, enterpriseId, isEnterpriseInstall } = record;
    deps.output.printJson({ teamId, teamName, enterpriseId, isEnterpriseInstall, erased, tokens });
  });
}

type Erased = Awaited<ReturnType<typeof describe>>;

async function describe({ queries }: Database, record: InstallRecord) {
  const users = await readUsers(queries, record);
  return { users: users.length, ...(await countInstallationRows(queries, record.id)) };
}

function erasedLines(record: InstallRecord, erased: Erased): string {
  const name = record.isEnterpriseInstall ? record.enterpriseName : record.teamName;
  return fieldLines([
    ['team', `${name ?? 'unnamed'} (${registeredTeamId(record)}), ${record.status}`],
    ['people', String(erased.users)],
    ['people’s own tokens', String(erased.userTokens)],
    ['runs', String(erased.runs)],
    ['lines of history', String(erased.history)],
  ]);
}

/** Revokes what may still work; a Slack that does not answer is told, and stops nothing. */
async function giveBack(
  deps: OperatorDeps,
  config: Config,
  database: Database,
  record: InstallRecord,
  wanted: boolean,
): Promise<Revocation> {
  if (!wanted || record.status === 'uninstalled') return { revoked: 0, notRevoked: [] };
  const revocation = await revoke(deps, config, database, record.id);
  for (const { of, error } of revocation.notRevoked) {
    const whose = of === 'bot' ? 'The bot’s token' : `The token of ${of}`;
    deps.output.note(
      `${whose} could not be revoked at Slack (${error}): it stays valid there until the app is removed.`,
    );
  }
  return revocation;
}

/** Without the right key nothing is erased either: that is a choice of the operator's own. */
async function revoke(
  deps: OperatorDeps,
  config: Config,
  database: Database,
  installationId: string,
): Promise<Revocation> {
  try {
    const store = deps.openStore(config, database);
    const slack = deps.slackClients(config);
    return await revokeTokens({ queries: database.queries, store, slack }, installationId);
  } catch (error) {
    const keyFault =
      error instanceof KeyringError || error instanceof SealBrokenError || error instanceof KeyMissingError;
    if (!keyFault) throw error;
    const choice =
      'Nothing was erased. If the key is lost, --no-revoke erases without giving the tokens back.';
    throw new CommandError(`${error.message}\n${choice}`, { cause: error });
  }
}
