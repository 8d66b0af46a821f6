import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { readTableShapes } from '../../src/database/copy/table-shapes.ts';
import type { Database } from '../../src/database/database.ts';
import { appendHistory } from '../../src/database/history.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { foyerTableNames, type Tables } from '../../src/database/records.ts';
import { ask, builtInSteps, defineFoyer, type Step } from '../../src/index.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { filesWith } from '../support/files-with.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { openTestDatabase } from '../support/open-test-database.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';
import { inviteStrangers, ownRows } from '../support/strangers.ts';
import { commandOnStage } from './command-on-stage.ts';

const given = JSON.parse(fixtureManifest);
const { scopes } = given.oauth_config;
const manifest = {
  ...given,
  oauth_config: { ...given.oauth_config, scopes: { ...scopes, user: ['users:read'] } },
};

/** Asks the installer for a text. The question, which names the installer, and the answer are personal data too. */
const askNickname: Step = {
  name: 'ask-nickname',
  title: { todo: 'Ask for a nickname', doing: 'Asking for a nickname' },
  async run({ answer, userId }) {
    if (answer === undefined)
      return ask({ id: 'nickname', text: `How do we call ${userId}?`, input: { type: 'text' } });
    return { nickname: answer };
  },
};

interface Acme {
  stage: Stage;
  database: Database;
  teamId: string;
  grace: string;
  priya: string;
  run(...commandLine: string[]): ReturnType<typeof commandOnStage>;
  /** Everything that the database holds about this app's tenants, as text. */
  stored(): Promise<string>;
}

/** Sets up Acme: Grace has installed the app and has her own token, and Priya has opened Home. Then stops Foyer. */
async function setAcme(
  t: TestContext,
  engine: 'SQLite' | 'Postgres',
  steps: Step[] = [],
  opened: Step[] = [],
): Promise<Acme> {
  const definition = defineFoyer({ manifest, install: [...builtInSteps(), ...steps], opened });
  const stage = await setStage({
    engine,
    sandbox: { manifest },
    environment: { SLACK_USER_SCOPES: 'users:read' },
    foyer: { definition },
  });
  t.after(() => stage.close());
  const { sandbox, url } = stage;
  const { id: teamId } = sandbox.workspace('Acme');
  const [grace, priya] = [sandbox.person('Acme').id, sandbox.person('Acme', 'member').id];
  const visitor = createVisitor();
  const done = await install(visitor, url, sandbox, { teamId, userId: grace });
  if (steps.length === 0) await finishedRun(visitor, url + (done.headers.get('location') ?? ''));
  await sandbox.openHome({ teamId, userId: priya });
  const members = async () => (await stage.foyer().members.list({ teamId })).members;
  await eventually(async () => (await members()).some(({ userId, email }) => userId === priya && email));
  const isGreeted = () =>
    stage
      .foyer()
      .database.queries.selectFrom('runs')
      .select('id')
      .where('pipeline', '=', 'opened')
      .where('status', '=', 'succeeded')
      .executeTakeFirst();
  if (opened.length > 0) await eventually(async () => (await isGreeted()) !== undefined);
  if (steps.length > 0)
    await eventually(async () => (await stage.foyer().find({ teamId }))?.run?.status === 'waiting');
  await stage.stop();
  const database = await openDatabase(stage.config.database);
  t.after(() => database.close());
  return {
    ...{ stage, database, teamId, grace, priya },
    run: (...commandLine) => commandOnStage(stage, commandLine),
    async stored() {
      const tables = foyerTableNames as readonly (keyof Tables)[];
      return JSON.stringify(await Promise.all(tables.map((table) => ownRows(database, table))));
    },
  };
}

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`one person’s data, on ${engine}`, () => {
    it('`export` prints what is stored about a person, without secrets and without anyone else’s data', async (t) => {
      const { run, stage, teamId, grace, priya } = await setAcme(t, engine);
      const { exitCode, stdout, stderr } = await run('export', '--user', `${teamId}/${grace}`);
      assert.deepEqual([exitCode, stderr], [0, '']);
      const data = JSON.parse(stdout);
      assert.equal(data.userId, grace);
      assert.equal(data.profile[0].email, 'grace.okafor@acme-robotics.example');
      assert.match(data.profile[0].firstSeenAt, /^\d{4}-.*Z$/);
      assert.equal(data.membership[0].isOwner, 1);
      assert.equal(data.installed.length, 1);
      assert.equal(data.ownTokens.length, 1);
      assert.deepEqual(Object.keys(data.ownTokens[0]), ['installationId', 'expiresAt', 'updatedAt']);
      const profileStep = data.runs[0].steps.find(({ name }: { name: string }) => name === 'fetch-profile');
      assert.equal(profileStep.output.user.realName, 'Grace Okafor');
      for (const part of ['installRequests', 'welcomes', 'homeViews', 'history'])
        assert.ok(data[part].length > 0, part);
      const tokens = stage.sandbox.state().installations.flatMap((each) => each.tokens);
      assert.equal(tokens.length, 2);
      for (const { value } of tokens) assert.ok(!stdout.includes(value));
      assert.ok(!stdout.includes('clientId'));
      assert.ok(!stdout.includes('sealed') && !stdout.includes('Priya') && !stdout.includes(priya));
    });

    it('`erase` replaces the person’s user id in history entries, but leaves a longer id that begins with the same characters', async (t) => {
      const { run, database, teamId, grace } = await setAcme(t, engine);
      const installation = await database.queries
        .selectFrom('installations')
        .select('id')
        .where('team_id', '=', teamId)
        .executeTakeFirstOrThrow();
      const longer = `${grace}9`;
      await database.write((tx) =>
        appendHistory(tx, {
          installationId: installation.id,
          at: 1,
          kind: 'tokens_revoked',
          userId: null,
          detail: `asked by ${longer}, for ${grace}`,
        }),
      );
      await run('erase', '--user', `${teamId}/${grace}`, '--yes');
      const { detail } = await database.queries
        .selectFrom('history')
        .select('detail')
        .where('at', '=', 1)
        .executeTakeFirstOrThrow();
      assert.equal(detail, `asked by ${longer}, for erased`);
    });

    it('`erase` removes one person’s data, and no one else’s, from every table and database file', async (t) => {
      const { run, stage, database, teamId, grace, priya, stored } = await setAcme(t, engine);
      const { clientId } = stage.config.slack;
      const strangers = await inviteStrangers(database, { clientId, teamId, userIds: [grace, priya] });
      for (const words of ['Priya', priya, 'Grace', grace])
        assert.ok((await stored()).includes(words), words);
      const { exitCode, stdout, stderr } = await run(
        'erase',
        '--user',
        `${teamId}/${priya}`,
        '--yes',
        '--json',
      );
      assert.deepEqual([exitCode, stderr], [0, '']);
      const { profiles, homeViews, kept } = JSON.parse(stdout);
      assert.deepEqual([profiles, homeViews, kept], [1, 1, []]);
      for (const words of ['Priya', 'priya', priya]) assert.ok(!(await stored()).includes(words), words);
      assert.ok((await stored()).includes('Grace'));
      assert.equal((await run('export', '--user', `${teamId}/${priya}`)).exitCode, 1);
      await strangers.assertUntouched();
      if (engine === 'SQLite') assertNotInFiles(stage, ['Priya', 'priya.nair']);
    });

    it('`erase` keeps the installer’s user id while the app is installed, and erases it after an uninstall', async (t) => {
      const { run, stage, teamId, grace, stored } = await setAcme(t, engine);
      const erase = () => run('erase', '--user', `${teamId}/${grace}`, '--yes');
      const { exitCode, stdout } = await erase();
      assert.equal(exitCode, 0);
      assert.match(
        stdout,
        /Kept: the person’s user id as the installer of Acme \(T\w+\), and the runs and the welcome/,
      );
      const tokens = stage.sandbox.state().installations.flatMap((each) => each.tokens);
      assert.deepEqual(tokens.map(({ kind, status }) => [kind, status]).sort(), [
        ['bot', 'live'],
        ['user', 'revoked'],
      ]);
      for (const words of ['Grace', 'grace.okafor']) assert.ok(!(await stored()).includes(words), words);
      if (engine === 'SQLite') assertNotInFiles(stage, ['Grace', 'grace.okafor']);
      const listed = JSON.parse((await run('list', '--json')).stdout);
      assert.equal(listed[0].installerUserId, grace);
      await stage.start();
      await stage.sandbox.uninstall({ teamId });
      await eventually(async () => (await stage.foyer().find({ teamId }))?.status === 'uninstalled');
      await stage.stop();
      assert.doesNotMatch((await erase()).stdout, /Kept/);
      assert.ok(!(await stored()).includes(grace));
      assert.equal(JSON.parse((await run('show', teamId, '--json')).stdout).installerUserId, 'erased');
    });

    it('`erase` cancels the run of a person’s unfinished install, and erases the question that the run asked', async (t) => {
      const { run, teamId, grace, stored } = await setAcme(t, engine, [askNickname]);
      assert.ok((await stored()).includes('How do we call'));
      const { stdout } = await run('erase', '--user', `${teamId}/${grace}`, '--yes', '--json');
      assert.equal(JSON.parse(stdout).cancelledRuns.length, 1);
      assert.ok(!(await stored()).includes('How do we call'));
      assert.ok(!(await stored()).includes('Grace'));
    });

    it('`export` and `erase` cover the run that started when the person first opened App Home', async (t) => {
      const greet: Step = {
        name: 'greet',
        title: { todo: 'Greet', doing: 'Greeting' },
        run: async ({ userId }) => ({ greeted: userId }),
      };
      const { run, database, teamId, priya, stored } = await setAcme(t, engine, [], [greet]);
      const { moment, ...opened } = await database.queries
        .selectFrom('runs')
        .select(['id', 'user_id', 'moment'])
        .where('pipeline', '=', 'opened')
        .executeTakeFirstOrThrow();
      assert.equal(opened.user_id, priya);
      const data = JSON.parse((await run('export', '--user', `${teamId}/${priya}`)).stdout);
      const { channelId } = data.runs[0].moment;
      assert.deepEqual(data.runs[0].steps[0].output, { greeted: priya });
      assert.ok(moment?.includes(channelId));
      assert.equal((await run('erase', '--user', `${teamId}/${priya}`, '--yes')).exitCode, 0);
      for (const words of [priya, channelId]) assert.ok(!(await stored()).includes(words), words);
      const { runs } = JSON.parse((await run('show', teamId, '--json')).stdout);
      assert.deepEqual([runs[0].id, runs[0].pipeline], [opened.id, 'opened']);
    });

    it('`export` and `erase` cover a person’s answers in someone else’s run, and the person’s profile that is stored for another workspace', async (t) => {
      const { run, database, teamId, grace, priya, stored } = await setAcme(t, engine);
      const { id: runId } = await database.queries.selectFrom('runs').select('id').executeTakeFirstOrThrow();
      const question = { run_id: runId, step_name: 's', question: '{}', asked_at: 1, answered_at: 2 };
      await database.queries
        .insertInto('questions')
        .values([
          { ...question, question_id: 'one', answer: 'her own answer', answered_by: priya },
          { ...question, question_id: 'two', answer: 'his', answered_by: grace },
        ])
        .execute();
      const seen = { first_seen_at: 1, last_seen_at: 1, updated_at: 1 };
      const met = { client_id: '9.9', team_id: 'T9', user_id: priya, ...seen };
      const { client_id } = await database.queries
        .selectFrom('users')
        .select('client_id')
        .executeTakeFirstOrThrow();
      await database.queries
        .insertInto('external_members')
        .values([
          { ...met, client_id, home_team_id: teamId, real_name: 'Priya Elsewhere' },
          { ...met, client_id, home_team_id: 'T8', real_name: 'Another Person' },
          { ...met, home_team_id: teamId, real_name: 'Of Another App' },
        ])
        .execute();
      const data = JSON.parse((await run('export', '--user', `${teamId}/${priya}`)).stdout);
      assert.deepEqual([data.answers[0].answer, data.answers.length], ['her own answer', 1]);
      assert.deepEqual(
        [data.metByOtherTeams[0].realName, data.metByOtherTeams.length],
        ['Priya Elsewhere', 1],
      );
      assert.equal((await run('erase', '--user', `${teamId}/${priya}`, '--yes')).exitCode, 0);
      const left = await stored();
      for (const words of ['her own answer', 'Priya Elsewhere']) assert.ok(!left.includes(words), words);
      for (const words of ['"his"', 'Another Person', 'Of Another App'])
        assert.ok(left.includes(words), words);
    });

    it('`erase` succeeds even if Slack does not revoke the person’s token, and warns that the token was not revoked', async (t) => {
      const { run, stage, database, teamId, grace } = await setAcme(t, engine);
      stage.sandbox.faults.add({ method: 'auth.revoke', failure: { type: 'status', status: 503 }, times: 9 });
      const { exitCode, stderr } = await run('erase', '--user', `${teamId}/${grace}`, '--yes');
      assert.equal(exitCode, 0);
      assert.match(stderr, /Their own token could not be revoked at Slack/);
      assert.deepEqual(await ownRows(database, 'user_tokens'), []);
    });
  });
}

it('`erase` asks for confirmation, and erases nothing unless the operator says yes', async (t) => {
  const { stage, run, teamId, priya, stored } = await setAcme(t, 'SQLite');
  const person = `${teamId}/${priya}`;
  const refused = await commandOnStage(stage, ['erase', '--user', person], { confirm: async () => false });
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /home views\s+1/);
  assert.match(refused.stderr, /Nothing was erased/);
  assert.equal((await run('erase', '--user', person)).exitCode, 2);
  assert.ok((await stored()).includes('Priya'));
});

it('`export` and `erase` refuse a user id without a team id, and a person about whom nothing is stored', async (t) => {
  const { run, teamId } = await setAcme(t, 'SQLite');
  for (const command of ['export', 'erase']) {
    for (const user of ['U0123', 'T1', 'T1/T2', '']) {
      const { exitCode, stderr } = await run(command, '--user', user);
      assert.equal(exitCode, 2);
      assert.match(stderr, /a user id alone is not unique/);
    }
    assert.equal((await run(command)).exitCode, 2);
    const unknown = await run(
      command,
      '--user',
      `${teamId}/UNOBODY`,
      ...(command === 'erase' ? ['--yes'] : []),
    );
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /Nothing is stored about UNOBODY/);
  }
});

/** The columns that name a Slack user. `person-data.ts` must read each of them, and `erase-person.ts` must erase it. */
const personColumns = [
  'external_members.user_id',
  'history.user_id',
  'home_views.user_id',
  'install_requests.user_id',
  'installations.installer_user_id',
  'memberships.user_id',
  'operator_notices.user_id',
  'questions.answered_by',
  'runs.user_id',
  'sessions.user_id',
  'user_tokens.user_id',
  'users.user_id',
  'welcomes.user_id',
];

it('the list of columns that `export` and `erase` must cover contains every column that holds a person’s user id', async (t) => {
  const { database, close } = await openTestDatabase();
  t.after(close);
  const found = (await readTableShapes(database.queries)).flatMap(({ name, columns }) =>
    columns
      .map((column) => `${name}.${column.name}`)
      .filter((column) => /(?<!bot_)user_id$|_by$/.test(column)),
  );
  assert.deepEqual(
    found.sort(),
    personColumns,
    'a new column: add it to person-data.ts, erase-person.ts and here',
  );
});

function assertNotInFiles({ databaseFile }: Stage, words: readonly string[]): void {
  for (const word of words) assert.deepEqual(filesWith(databaseFile, word), [], word);
}
