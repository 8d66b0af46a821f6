import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { counted } from '../../config/counted.ts';
import type { Database } from '../../database/database.ts';
import { type InstallRecord, registeredTeamId } from '../../database/install-record.ts';
import {
  beginOwnRevocation,
  finishOwnRevocation,
  giveUpOwnRevocation,
  revokedByOperator,
} from '../../installations/own-revocation.ts';
import { refreshPaused } from '../../installations/refresh-tokens.ts';
import { KeyMissingError, SealBrokenError } from '../../installations/sealer.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { findTeam } from '../find-team.ts';
import { listTokenHolders } from '../installation-lists.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { readInstallations } from '../read-installations.ts';
import { type Disconnected, noteReconnectLinks, withReconnectLink } from '../reconnect-link.ts';
import { openRevocation, type Revocation, renewExpiredTokens, revokeTokens } from '../revoke-tokens.ts';
import { type Column, createTable } from '../terminal/table.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

interface RevokeOptions {
  all?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** `revoke TEAM`, `revoke --all`: revokes tokens at Slack, erases them in Foyer's database, and keeps the records. */
export function revokeCommand(deps: OperatorDeps): Command {
  return operatorCommand('revoke', {
    summary: 'revoke the tokens of a team (or --all), and keep the record',
    description:
      'For tokens that leaked. Revokes every token of a team at Slack, then erases them here and marks the installation ' +
      'as broken. People, runs, history and the connection stay: when an admin installs the app again, the same ' +
      'installation continues. If Slack does not revoke every token of a team, Foyer keeps all of them, so you can run ' +
      'this again. The uninstall pipeline does not run, although Slack reports an app without tokens as uninstalled. ' +
      'You need not stop Foyer. The app cannot do anything in a team until an admin installs it there again.',
    examples: [
      ['revoke T0123ABCD', 'the token of one team leaked'],
      [
        'revoke --all --yes --json',
        'the database and its key leaked: revoke every token, and print a link to install again for each team',
      ],
    ],
  })
    .argument('[team]', 'a team’s id (T…), or an enterprise’s (E…) for an org-wide install')
    .option('--all', 'revoke the tokens of every team')
    .option('-y, --yes', 'do not ask')
    .action((team: string | undefined, options: RevokeOptions) => revoke(deps, team, options));
}

interface RevokedTeam extends Disconnected, Revocation {
  /**
   * revoked: Slack revoked the tokens, and Foyer erased them. kept: Slack did not revoke every token, or a token cannot
   * be decrypted, so Foyer erased none. changed: Slack revoked the tokens, but in the meantime the app was uninstalled,
   * or newer tokens were stored; those stay. nothing: the installation has no token.
   */
  outcome: 'revoked' | 'kept' | 'changed' | 'nothing';
}

async function revoke(deps: OperatorDeps, team: string | undefined, options: RevokeOptions): Promise<void> {
  const { confirm, output } = deps;
  if ((team === undefined) === !options.all) {
    throw new UsageError('Give either the id of one team, or --all. --help shows examples.');
  }
  if (!options.yes && !confirm) {
    throw new UsageError(
      'revoke asks for confirmation, and there is no terminal to ask on. Add --yes to skip the question.',
    );
  }
  await withDatabase(deps, async (config, database) => {
    const { queries } = database;
    const record = team === undefined ? undefined : await findTeam(queries, config.slack.clientId, team);
    if (record?.status === 'uninstalled') {
      throw new CommandError(`The app is not installed for ${team} anymore: there is no token to revoke.`);
    }
    const whose = record ? registeredTeamId(record) : 'every team';
    if (
      !options.yes &&
      !(await confirm?.(
        `The app stops working until an admin installs it again. Revoke the tokens of ${whose}?`,
      ))
    ) {
      throw new CommandError('Nothing was changed.');
    }
    const records = record ? [[record]] : readInstallations(queries, { clientId: config.slack.clientId });
    const revoker = await createRevoker(deps, config, database);
    const done: RevokedTeam[] = [];
    if (options.json) await output.printJsonList(keep(revoker.revokeAll(records), done));
    else {
      const lines = createTable(output, columns);
      for await (const page of keep(revoker.revokeAll(records), done)) output.print(lines(page));
    }
    await database.scrub();
    noteReconnectLinks(
      output,
      done.filter(({ outcome }) => outcome === 'revoked'),
    );
    if (record && done.every(({ outcome }) => outcome === 'nothing'))
      output.note(
        record.brokenReason === revokedByOperator
          ? `Nothing to revoke: an earlier revoke has already revoked all tokens of ${whose} at Slack and erased them here.`
          : `Nothing to revoke: Foyer holds no token of ${whose}.`,
      );
    const kept = done.filter(({ outcome }) => outcome === 'kept');
    const changed = done.filter(({ outcome }) => outcome === 'changed');
    if (kept.length + changed.length > 0 || revoker.isStopped())
      throw incomplete(kept, changed.length, revoker.isStopped());
  });
}

async function* keep(
  pages: AsyncIterable<RevokedTeam[]>,
  done: RevokedTeam[],
): AsyncGenerator<RevokedTeam[]> {
  for await (const page of pages) {
    done.push(...page);
    yield page;
  }
}

function incomplete(kept: readonly RevokedTeam[], changed: number, isStopped: boolean): CommandError {
  const sentences: string[] = [];
  if (isStopped)
    sentences.push(
      `For ${mostRefused} teams in a row, Slack did not revoke a token or did not answer, so the other teams were not tried.`,
    );
  if (kept.length > 0) {
    const isPaused = kept.some(({ notRevoked }) => notRevoked.some(({ error }) => error === refreshPaused));
    const again = isPaused
      ? `Run this again in a minute. “${refreshPaused}” means: an expired token must be renewed before it can be revoked, ` +
        'and its last renewal failed less than a minute ago. The log of Foyer, or the previous output of this command, ' +
        'says why that failed.'
      : 'Run this again.';
    sentences.push(
      `The tokens of ${counted(kept.length, 'team')} were not revoked (see above), so Foyer keeps them. ${again} If the key of ` +
        'an installation is lost, `keys forget` erases its tokens here; they stay valid at Slack until the app is ' +
        'removed there.',
    );
  }
  if (changed > 0)
    sentences.push(
      `The tokens of ${counted(changed, 'team')} changed while this command ran (see above): the app was uninstalled, or ` +
        'newer tokens were stored. Slack revoked only the tokens that were stored when the command started. To revoke ' +
        'newer tokens too, run this again.',
    );
  return new CommandError(sentences.join(' '));
}

const atOnce = 8;
/** If Slack did not revoke a token for this many teams in a row, the command stops: the next teams would fail too. */
const mostRefused = 16;

async function createRevoker(deps: OperatorDeps, config: Config, database: Database) {
  const revoking = await openRevocation(deps, config, database);
  const { queries, store } = revoking;
  let refused = 0;

  async function* revokeAll(
    pages: Iterable<InstallRecord[]> | AsyncIterable<InstallRecord[]>,
  ): AsyncGenerator<RevokedTeam[]> {
    for await (const page of pages) {
      const installed = page.filter(({ status }) => status !== 'uninstalled');
      for (let index = 0; index < installed.length; index += atOnce) {
        const done = await Promise.all(installed.slice(index, index + atOnce).map(revokeOne));
        for (const { notRevoked } of done)
          refused = notRevoked.some(({ error }) => error !== undecryptable) ? refused + 1 : 0;
        yield done;
        if (refused >= mostRefused) return;
      }
    }
  }

  async function revokeOne({ id, teamId, enterpriseId }: InstallRecord): Promise<RevokedTeam> {
    const team = withReconnectLink(config, { teamId, enterpriseId });
    const before = await readHeld(id);
    if (before === 'nothing') return { ...team, outcome: 'nothing', revoked: 0, notRevoked: [] };
    if (before === undecryptable) {
      return { ...team, outcome: 'kept', revoked: 0, notRevoked: [{ of: 'bot', error: undecryptable }] };
    }
    // Reads the clock after the renewal and before the revocation: tokens stored after `beganAt` belong to a newer
    // install.
    const notRenewed = await renewExpiredTokens(revoking, id);
    const beganAt = deps.now();
    const version = (await store.readInstallation(id))?.version ?? before.version;
    await database.write((tx) => beginOwnRevocation(tx, id, beganAt));
    const revocation = await revokeTokens(revoking, id, { notRenewed });
    if (revocation.notRevoked.length > 0) {
      await database.write((tx) => giveUpOwnRevocation(tx, id, deps.now()));
      return { ...team, outcome: 'kept', ...revocation };
    }
    const revoked = { installationId: id, version, beganAt, now: deps.now() };
    const isErased = await database.write((tx) => finishOwnRevocation(tx, revoked));
    return { ...team, outcome: isErased ? 'revoked' : 'changed', ...revocation };
  }

  /**
   * Returns the version of the stored installation if it has tokens and Foyer can decrypt all of them; else the reason
   * why there is nothing to revoke.
   */
  async function readHeld(id: string): Promise<{ version: number } | 'nothing' | typeof undecryptable> {
    try {
      const people = await listTokenHolders(queries, id);
      const stored = await store.readInstallation(id);
      for (const userId of people) await store.readInstallation(id, userId);
      if (!stored || (!stored.installation.bot && people.length === 0)) return 'nothing';
      return { version: stored.version };
    } catch (error) {
      if (error instanceof KeyMissingError || error instanceof SealBrokenError) return undecryptable;
      throw error;
    }
  }

  return { revokeAll, isStopped: () => refused >= mostRefused };
}

const undecryptable = 'cannot_decrypt';

const columns: Column<RevokedTeam>[] = [
  { title: 'TEAM', value: ({ teamId, enterpriseId }) => teamId ?? enterpriseId },
  {
    title: 'OUTCOME',
    value: ({ outcome }) => outcome,
    style: ({ outcome }) => (outcome === 'kept' || outcome === 'changed' ? 'red' : undefined),
  },
  { title: 'REVOKED', value: ({ revoked }) => revoked },
  {
    title: 'NOT REVOKED',
    value: ({ notRevoked }) => notRevoked.map(({ of, error }) => `${of}: ${error}`).join(', '),
  },
];
