import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { Database } from '../../database/database.ts';
import { countInstallationRows } from '../../database/erase-installation.ts';
import { type InstallRecord, type RunRecord, registeredTeamId } from '../../database/install-record.ts';
import { countMembers } from '../../database/people/member-lists.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { findTeam } from '../find-team.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { readOwnTables } from '../own-tables.ts';
import { isKeyFault, openRevocation, type Revocation, revokeTokens } from '../revoke-tokens.ts';
import { settleUninstall } from '../settle-uninstall.ts';
import { fieldLines } from '../terminal/table.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

const uninstallWaitMs = 15_000;

interface PurgeOptions {
  yes?: boolean;
  revoke: boolean;
  wait: boolean;
  json?: boolean;
}

/** `purge TEAM`: erases a team. */
export function purgeCommand(deps: OperatorDeps): Command {
  return operatorCommand('purge', {
    summary: 'erase a team: tokens, people, runs, history',
    description:
      'Revokes a team’s tokens at Slack, if Slack answers, then erases everything that Foyer stores about the team, ' +
      'from the database’s files too. It shows what it will erase and asks for confirmation first. Only a backup can ' +
      'bring it back. Rows of your own tables are erased if they refer to the installation with ON DELETE CASCADE. ' +
      'The others stay, and their tables are listed: erase them in the uninstall pipeline of your definition. Purge ' +
      'starts that pipeline and waits up to 15 seconds for it to end.',
    examples: [
      ['purge T0123ABCD', 'the team asked for its data to be erased'],
      ['purge T0123ABCD --yes --json', 'for a script: skip the confirmation and print JSON'],
    ],
  })
    .argument('<team>', 'a team’s id (T…), or an enterprise’s (E…) for an org-wide install')
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--no-revoke', 'erase without revoking the tokens at Slack, if their encryption key is lost')
    .option('--no-wait', 'erase immediately, without running the remaining steps of the uninstall pipeline')
    .action((team: string, options: PurgeOptions) => purge(deps, team, options));
}

async function purge(deps: OperatorDeps, team: string, options: PurgeOptions): Promise<void> {
  const { confirm } = deps;
  if (!options.yes && !confirm) {
    throw new UsageError(
      'purge asks for confirmation, and there is no terminal to ask on. Add --yes to skip the question.',
    );
  }
  await withDatabase(deps, async (config, database) => {
    const record = await findTeam(database.queries, config.slack.clientId, team);
    const erased = await describe(database, record);
    if (!options.yes) {
      deps.output.note(
        `This will be erased, and only a backup can bring it back:\n${erasedLines(record, erased)}`,
      );
      const sure = await confirm?.(`Erase ${registeredTeamId(record)}?`);
      if (!sure) throw new CommandError('Nothing was erased.');
    }
    const mayWork = options.revoke && record.status !== 'uninstalled';
    const tokens = mayWork ? await giveBack(deps, config, database, record) : { revoked: 0, notRevoked: [] };
    const eraser = deps.openEraser(config, database);
    const { teamId, enterpriseId, isEnterpriseInstall } = record;
    if (options.wait) {
      await eraser.deleteInstallation({ teamId, enterpriseId, isEnterpriseInstall }, { reason: 'purge' });
      const left = await settleUninstall(database.queries, record.id, uninstallWaitMs);
      if (left) throw stillUninstalling(team, left);
    }
    const gone = await eraser.purgeInstallation(record.id).catch((error: unknown) => {
      throw isReferredTo(error) ? stillReferredTo(team, erased.ownTables.left, error) : error;
    });
    if (!gone) throw new CommandError(`Another process has erased ${team} in the meantime.`);
    if (erased.ownTables.left.length > 0) {
      deps.output.note(
        `Foyer does not erase rows of your own tables ${erased.ownTables.left.join(', ')}: it does not know which rows ` +
          `are about ${team}. Erase them in the uninstall pipeline of your definition.`,
      );
    }
    if (!options.json) return deps.output.print(`Erased:\n${erasedLines(record, erased)}`);
    const { teamName } = record;
    const { ownTables, ...counts } = erased;
    deps.output.printJson({
      teamId,
      teamName,
      enterpriseId,
      isEnterpriseInstall,
      erased: counts,
      ownTables,
      tokens,
    });
  });
}

function stillUninstalling(team: string, run: RunRecord): CommandError {
  const state =
    run.status === 'failed'
      ? `failed (to retry it, run: npm run foyer -- retry ${run.id})`
      : 'has not ended (if no Foyer is running, start one: it continues the run)';
  return new CommandError(
    `${team} is uninstalled and its tokens are erased, but its records are kept for now, because its uninstall run ` +
      `${run.id} ${state}. Run purge again once that run has succeeded. Or add --no-wait, which erases the team without ` +
      'running the remaining steps.',
  );
}

/**
 * Returns whether a constraint of the database prevented the erasure, for example because a row of another table still
 * refers to a row of the team.
 */
function isReferredTo(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(?:23503|SQLITE_CONSTRAINT)/.test(String(error.code));
}

function stillReferredTo(team: string, left: readonly string[], cause: unknown): CommandError {
  return new CommandError(
    `The records of ${team} were not erased: rows of your own tables (${left.join(', ')}) still refer to them. Erase ` +
      'those rows first, or let a migration make the reference ON DELETE CASCADE. The app may already be uninstalled ' +
      'there, and the tokens revoked and erased.',
    { cause },
  );
}

type Erased = Awaited<ReturnType<typeof describe>>;

async function describe({ queries }: Database, record: InstallRecord) {
  return {
    users: await countMembers(queries, record),
    ...(await countInstallationRows(queries, record.id)),
    ownTables: await readOwnTables(queries),
  };
}

function erasedLines(record: InstallRecord, erased: Erased): string {
  const name = record.isEnterpriseInstall ? record.enterpriseName : record.teamName;
  return fieldLines([
    ['team', `${name ?? 'unnamed'} (${registeredTeamId(record)}), ${record.status}`],
    ['people', String(erased.users)],
    ['people’s own tokens', String(erased.userTokens)],
    ['runs', String(erased.runs)],
    ['lines of history', String(erased.history)],
    ['rows of your own tables', erased.ownTables.erased.join(', ') || null],
  ]);
}

/**
 * Revokes the team's tokens at Slack. If Slack does not revoke a token, reports that token, and the purge continues. If
 * a token cannot be decrypted with the keys, throws a CommandError, which ends the purge: only the operator may choose
 * to erase without revoking (--no-revoke).
 */
async function giveBack(
  deps: OperatorDeps,
  config: Config,
  database: Database,
  record: InstallRecord,
): Promise<Revocation> {
  try {
    const revocation = await revokeTokens(await openRevocation(deps, config, database), record.id);
    for (const { of, error } of revocation.notRevoked) {
      const whose = of === 'bot' ? 'The bot’s token' : `The token of ${of}`;
      deps.output.note(
        `${whose} could not be revoked at Slack (${error}): it stays valid there until the app is removed.`,
      );
    }
    return revocation;
  } catch (error) {
    if (!isKeyFault(error)) throw error;
    const choice = 'Nothing was erased. If the key is lost, --no-revoke erases without revoking the tokens.';
    throw new CommandError(`${error.message}\n${choice}`, { cause: error });
  }
}
