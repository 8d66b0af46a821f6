import type { Queries } from '../database.ts';
import { isOperatorOf } from '../sessions.ts';
import { userIdIn } from './erase-person.ts';
import { type PersonKey, personColumns } from './people.ts';

/**
 * Reads everything that is stored about a person, without secrets: the rows of each table, with its column names.
 * `installation_id` says to which installation a row belongs.
 */
export async function readPersonData(queries: Queries, person: PersonKey) {
  const { clientId, teamId, userId } = person;
  const installations = await queries
    .selectFrom('installations')
    .select(['id', 'team_id', 'enterprise_id', 'team_name', 'status', 'installed_at', 'uninstalled_at'])
    .select('installer_user_id')
    .where('client_id', '=', clientId)
    .where('tenant', 'in', [`team:${teamId}`, `enterprise:${teamId}`])
    .orderBy('id')
    .execute();
  // `in ()` is not valid SQL, so the list always contains '', an id that no row has.
  const ids = ['', ...installations.map(({ id }) => id)];
  const of = personColumns(person);
  const runs = await queries
    .selectFrom('runs')
    .select(['id', 'installation_id', 'pipeline', 'status', 'created_at', 'finished_at', 'moment'])
    .where('installation_id', 'in', ids)
    .where('user_id', '=', userId)
    .orderBy('created_at')
    .execute();
  const steps = await queries
    .selectFrom('steps')
    .select(['run_id', 'name', 'status', 'attempts', 'output', 'error_code', 'error_message'])
    .where('run_id', 'in', ['', ...runs.map(({ id }) => id)])
    .orderBy('run_id')
    .orderBy('position')
    .execute();
  const lines = await queries
    .selectFrom('history')
    .select(['installation_id', 'at', 'kind', 'user_id', 'detail'])
    .where('installation_id', 'in', ids)
    .where((eb) => eb.or([eb('user_id', '=', userId), eb('detail', 'like', `%${userId}%`)]))
    .orderBy('id')
    .execute();
  return {
    profile: await queries
      .selectFrom('users')
      .selectAll()
      .where((eb) => eb.and(of))
      .execute(),
    membership: await queries
      .selectFrom('memberships')
      .selectAll()
      .where((eb) => eb.and(of))
      .execute(),
    metByOtherTeams: await queries
      .selectFrom('external_members')
      .selectAll()
      .where('client_id', '=', clientId)
      .where('home_team_id', '=', teamId)
      .where('user_id', '=', userId)
      .execute(),
    installed: installations.filter(({ installer_user_id }) => installer_user_id === userId),
    /** One entry for each stored token, without the token itself. */
    ownTokens: await queries
      .selectFrom('user_tokens')
      .select(['installation_id', 'expires_at', 'updated_at'])
      .where('installation_id', 'in', ids)
      .where('user_id', '=', userId)
      .execute(),
    sessions: await queries
      .selectFrom('sessions')
      .select(['kind', 'team_id', 'began_at', 'seen_at', 'browser', 'address'])
      .where('client_id', '=', clientId)
      .where('user_id', '=', userId)
      .where((eb) =>
        eb.or([eb('registered_team_id', '=', teamId), eb('team_id', '=', teamId), isOperatorOf(teamId)(eb)]),
      )
      .orderBy('began_at')
      .execute(),
    installRequests: await queries
      .selectFrom('install_requests')
      .select(['id', 'outcome', 'error_code', 'started_at', 'finished_at', 'team_id', 'enterprise_id'])
      .where('client_id', '=', clientId)
      .where('user_id', '=', userId)
      .where((eb) => eb.or([eb('team_id', '=', teamId), eb('enterprise_id', '=', teamId)]))
      .orderBy('started_at')
      .execute(),
    runs: runs.map(({ moment, ...run }) => ({
      ...run,
      ...(moment !== null && { moment: JSON.parse(moment) as unknown }),
      steps: steps
        .filter(({ run_id }) => run_id === run.id)
        .map(({ run_id: _runId, output, ...step }) => ({
          ...step,
          output: output === null ? null : (JSON.parse(output) as unknown),
        })),
    })),
    welcomes: await queries
      .selectFrom('welcomes')
      .select(['installation_id', 'status', 'channel_id', 'message_ts', 'attempted_at', 'sent_at'])
      .where('installation_id', 'in', ids)
      .where('user_id', '=', userId)
      .execute(),
    /**
     * Only the posts of the person's `opened` runs. The posts of other runs are about the installation, not about the
     * person.
     */
    posts: await queries
      .selectFrom('posts')
      .select(['installation_id', 'run_id', 'status', 'channel_id', 'message_ts', 'attempted_at', 'sent_at'])
      .where('installation_id', 'in', ids)
      .where('run_id', 'in', ['', ...runs.filter((run) => run.pipeline === 'opened').map(({ id }) => id)])
      .execute(),
    answers: await queries
      .selectFrom('questions')
      .innerJoin('runs', 'runs.id', 'questions.run_id')
      .select(['questions.run_id', 'questions.step_name', 'questions.question', 'questions.answer'])
      .select('questions.answered_at')
      .where('runs.installation_id', 'in', ids)
      .where('questions.answered_by', '=', userId)
      .execute(),
    homeViews: await queries
      .selectFrom('home_views')
      .select(['installation_id', 'opened_at'])
      .where('installation_id', 'in', ids)
      .where('user_id', '=', userId)
      .execute(),
    history: lines
      .filter((line) => line.user_id === userId || line.detail?.search(userIdIn(userId)) !== -1)
      .map(({ user_id: _, ...line }) => line),
    notices: await queries
      .selectFrom('operator_notices')
      .select(['installation_id', 'kind', 'channel', 'status', 'detail', 'created_at'])
      .where('installation_id', 'in', ids)
      .where('user_id', '=', userId)
      .execute(),
  };
}

/** Everything stored about a person, by the kind of row. */
export type PersonData = Awaited<ReturnType<typeof readPersonData>>;
