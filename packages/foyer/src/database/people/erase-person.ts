import { sql } from 'kysely';
import type { Tx } from '../database.ts';
import { eraseUserTokens } from '../erase-installation.ts';
import type { Tables } from '../records.ts';
import { cancelRuns } from '../runs.ts';
import { isOperatorOf } from '../sessions.ts';
import { type PersonKey, personColumns } from './people.ts';

/** Replaces a person's user id in rows that stay after the person was erased. */
export const erasedUserId = 'erased';

/** How many rows about a person were deleted or anonymized, and what had to stay. */
export interface ErasedPerson {
  profiles: number;
  sessions: number;
  ownTokens: number;
  homeViews: number;
  welcomes: number;
  installRequests: number;
  runs: number;
  answers: number;
  history: number;
  notices: number;
  /** The ids of the person's runs that the erasure canceled: all runs that had not ended, except uninstall runs. */
  cancelledRuns: string[];
  kept: { what: string; why: string }[];
}

/**
 * Erases a person: deletes the rows that are only about them, and removes their id from the rows about an installation.
 * `kept` in the result lists what stays. The same user id in another team is another person, whose data stays too.
 */
export async function erasePerson(tx: Tx, person: PersonKey & { now: number }): Promise<ErasedPerson> {
  const { clientId, teamId, userId } = person;
  const erased: ErasedPerson = {
    ...{ profiles: 0, sessions: 0, ownTokens: 0, homeViews: 0, welcomes: 0, installRequests: 0 },
    ...{ runs: 0, answers: 0, history: 0, notices: 0, cancelledRuns: [], kept: [] },
  };
  const installations = await tx
    .selectFrom('installations')
    .select(['id', 'status', 'life', 'installer_user_id', 'team_name', 'enterprise_name'])
    .where('client_id', '=', clientId)
    .where('tenant', 'in', [`team:${teamId}`, `enterprise:${teamId}`])
    .orderBy('id')
    .forUpdate()
    .execute();
  for (const installation of installations) await eraseFrom(tx, installation, person, erased);
  const requests = await tx
    .updateTable('install_requests')
    .set({ user_id: null })
    .where('client_id', '=', clientId)
    .where('user_id', '=', userId)
    .where((eb) => eb.or([eb('team_id', '=', teamId), eb('enterprise_id', '=', teamId)]))
    // Skips requests in progress, and those whose tokens Foyer must still revoke (invariant 1).
    .where('outcome', '!=', 'started')
    .where('sealed_tokens', 'is', null)
    .executeTakeFirst();
  erased.installRequests += Number(requests.numUpdatedRows);
  const sessions = await tx
    .deleteFrom('sessions')
    .where('client_id', '=', clientId)
    .where('user_id', '=', userId)
    // For a member of an org-wide install, `registered_team_id` is the id of the enterprise, and `team_id` is the id of
    // the workspace.
    .where((eb) =>
      eb.or([eb('registered_team_id', '=', teamId), eb('team_id', '=', teamId), isOperatorOf(teamId)(eb)]),
    )
    .executeTakeFirst();
  erased.sessions = Number(sessions.numDeletedRows);
  for (const table of ['memberships', 'users'] as const) {
    const deleted = await tx
      .deleteFrom(table)
      .where((eb) => eb.and(personColumns(person)))
      .executeTakeFirst();
    if (table === 'users') erased.profiles += Number(deleted.numDeletedRows);
  }
  const external = await tx
    .deleteFrom('external_members')
    .where('client_id', '=', clientId)
    .where('home_team_id', '=', teamId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  erased.profiles += Number(external.numDeletedRows);
  return erased;
}

const unfinished = ['queued', 'running', 'waiting'] as const;

async function eraseFrom(
  tx: Tx,
  installation: Pick<
    Tables['installations'],
    'status' | 'life' | 'installer_user_id' | 'team_name' | 'enterprise_name'
  > & { id: string },
  { userId, teamId, now }: PersonKey & { now: number },
  erased: ErasedPerson,
): Promise<void> {
  const { id: installationId, life } = installation;
  const isInstaller = installation.installer_user_id === userId;
  const isNeeded = isInstaller && installation.status !== 'uninstalled';
  const place = `${installation.team_name ?? installation.enterprise_name ?? 'unnamed'} (${teamId})`;
  const reason = 'the person was erased';
  erased.cancelledRuns.push(...(await cancelRuns(tx, { installationId, userId, reason, now })));
  await eraseRunContents(tx, { installationId, userId });
  erased.answers += await eraseAnswers(tx, { installationId, userId });
  const tokens = await eraseUserTokens(tx, { installationId, userIds: [userId] });
  erased.ownTokens += tokens.length;
  const theirs = { installation_id: installationId, user_id: userId };
  const views = await tx
    .deleteFrom('home_views')
    .where((eb) => eb.and(theirs))
    .executeTakeFirst();
  erased.homeViews += Number(views.numDeletedRows);
  const welcomes = await tx
    .deleteFrom('welcomes')
    .where((eb) => eb.and(theirs))
    .$if(isNeeded, (query) => query.where('life', '!=', life))
    .executeTakeFirst();
  erased.welcomes += Number(welcomes.numDeletedRows);
  // Deletes the notices about the person's dead token. Without the person's id, such a notice would seem to be about
  // the bot's token. From other notices, only the id is removed.
  const ofTheirToken = await tx
    .deleteFrom('operator_notices')
    .where((eb) => eb.and({ ...theirs, kind: 'token_died' }))
    .executeTakeFirst();
  const notices = await tx
    .updateTable('operator_notices')
    .set({ user_id: null })
    .where((eb) => eb.and(theirs))
    .executeTakeFirst();
  erased.notices += Number(ofTheirToken.numDeletedRows) + Number(notices.numUpdatedRows);
  erased.history += await eraseHistory(tx, { installationId, userId });
  const runs = await tx
    .updateTable('runs')
    .set({ user_id: erasedUserId })
    .where((eb) => eb.and(theirs))
    .where('status', 'not in', unfinished)
    .$if(isNeeded, (query) => query.where('life', '!=', life))
    .executeTakeFirst();
  erased.runs += Number(runs.numUpdatedRows);
  const left = await tx
    .selectFrom('runs')
    .select('id')
    .where((eb) => eb.and(theirs))
    .where('status', 'in', unfinished)
    .execute();
  for (const { id } of left) {
    erased.kept.push({
      what: `the person’s user id in the uninstall run ${id} of ${place}`,
      why: 'the run has not ended: erase the person again once it has ended',
    });
  }
  if (isNeeded) {
    erased.kept.push({
      what: `the person’s user id as the installer of ${place}, and the runs and the welcome of this install`,
      why: 'while the app is installed, Foyer needs the installer’s id, for example so that it does not send another welcome. To erase the id too, purge the team, or run erase again after the app is uninstalled',
    });
  } else if (isInstaller && left.length === 0) {
    await tx
      .updateTable('installations')
      .set({ installer_user_id: erasedUserId })
      .where('id', '=', installationId)
      .execute();
  }
}

/** A pattern that finds a user id (letters and digits) in a text, but not inside a longer id that contains it. */
export function userIdIn(userId: string): RegExp {
  return new RegExp(`(?<![A-Z0-9])${userId}(?![A-Z0-9])`, 'g');
}

async function eraseHistory(tx: Tx, of: { installationId: string; userId: string }): Promise<number> {
  const { installationId, userId } = of;
  const lines = await tx
    .selectFrom('history')
    .select(['id', 'user_id', 'detail'])
    .where('installation_id', '=', installationId)
    .where((eb) => eb.or([eb('user_id', '=', userId), eb('detail', 'like', `%${userId}%`)]))
    .execute();
  let erased = 0;
  for (const line of lines) {
    const detail = line.detail?.replace(userIdIn(userId), erasedUserId) ?? null;
    if (line.user_id !== userId && detail === line.detail) continue;
    const user_id = line.user_id === userId ? null : line.user_id;
    await tx.updateTable('history').set({ user_id, detail }).where('id', '=', line.id).execute();
    erased += 1;
  }
  return erased;
}

/**
 * Erases what a person's ended runs store about them: a step's output may contain their profile, and an error message
 * may contain their answer. An uninstall run that has not ended keeps its contents.
 */
async function eraseRunContents(tx: Tx, of: { installationId: string; userId: string }): Promise<void> {
  const theirRuns = tx
    .selectFrom('runs')
    .select('id')
    .where((eb) => eb.and({ installation_id: of.installationId, user_id: of.userId }))
    .where('status', 'not in', unfinished);
  await tx
    .updateTable('steps')
    .set({ output: null, error_message: null })
    .where('run_id', 'in', theirRuns)
    .execute();
  await tx
    .updateTable('step_attempts')
    .set({ error_message: null })
    .where('run_id', 'in', theirRuns)
    .execute();
  await tx.deleteFrom('questions').where('run_id', 'in', theirRuns).execute();
  // In an `opened` run, the column `moment` contains the tab that the person opened, and the id of their conversation
  // with the app. The rows of the messages that the run posted contain that id too.
  const opened = theirRuns.where('pipeline', '=', sql.lit('opened'));
  await tx
    .deleteFrom('posts')
    .where('installation_id', '=', of.installationId)
    .where('run_id', 'in', opened)
    .execute();
  await tx.updateTable('runs').set({ moment: null }).where('id', 'in', opened).execute();
}

/**
 * Erases a person's answers. In an unfinished run, erases only the person's id, because a step may still need the
 * answer.
 */
async function eraseAnswers(tx: Tx, of: { installationId: string; userId: string }): Promise<number> {
  const runs = tx.selectFrom('runs').select('id').where('installation_id', '=', of.installationId);
  const theirs = tx.updateTable('questions').where('answered_by', '=', of.userId).where('run_id', 'in', runs);
  await theirs
    .set({ answer: null })
    .where('run_id', 'in', runs.where('status', 'not in', unfinished))
    .execute();
  const { numUpdatedRows } = await theirs.set({ answered_by: null }).executeTakeFirst();
  return Number(numUpdatedRows);
}
