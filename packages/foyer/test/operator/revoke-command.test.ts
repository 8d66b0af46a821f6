import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { createLogger } from '../../src/config/log.ts';
import type { Database } from '../../src/database/database.ts';
import type { Step } from '../../src/index.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { revokeTokens } from '../../src/operator/revoke-tokens.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { createJumpClock } from '../faults/support/jump-clock.ts';
import { manifestText } from '../faults/support/process-stage.ts';
import { liveTokens } from '../faults/support/tokens.ts';
import { keyringOf, teamInstall } from '../support/installations.ts';
import type { EngineName } from '../support/stage-database.ts';
import { setStage } from '../support/start-foyer.ts';
import { commandOnStage } from './command-on-stage.ts';
import { createOperatorHarness, testOnBothEngines } from './operator-harness.ts';

const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });

testOnBothEngines(
  '`revoke` revokes the token without running the uninstall pipeline, and the team can install again',
  async (t, engine) => {
    let cleanups = 0;
    const cleanUp: Step = {
      name: 'clean-up',
      title: { todo: 'Clean up', doing: 'Cleaning up' },
      async run() {
        cleanups += 1;
        return null;
      },
    };
    const stage = await setStage({ engine, foyer: { definition: { uninstall: [cleanUp] } } });
    t.after(() => stage.close());
    const { sandbox, url } = stage;
    const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
    const visitor = createVisitor();
    const installed = await install(visitor, url, sandbox, acme);
    await finishedRun(visitor, url + (installed.headers.get('location') ?? ''));

    const { exitCode, stdout, stderr } = await commandOnStage(stage, [
      'revoke',
      acme.teamId,
      '--yes',
      '--json',
    ]);
    assert.equal(exitCode, 0, stderr);
    const reconnectUrl = `${url}/slack/install?team=${acme.teamId}`;
    const team = { teamId: acme.teamId, enterpriseId: null, reconnectUrl };
    assert.deepEqual(JSON.parse(stdout), [{ ...team, outcome: 'revoked', revoked: 1, notRevoked: [] }]);
    assert.ok(stderr.includes(reconnectUrl));
    // Slack reports the revocation of an app's last token as an uninstall.
    await sandbox.settled();
    assert.equal(sandbox.calls('auth.revoke').length, 1);
    await eventually(async () => stage.logged().some((line) => line.includes('"app_uninstalled"')));

    const shown = JSON.parse((await commandOnStage(stage, ['show', acme.teamId, '--json'])).stdout);
    assert.deepEqual([shown.status, shown.runs.length, cleanups], ['broken', 1, 0]);
    assert.ok(shown.history.some((line: { detail: string }) => line.detail === 'by the operator'));

    await finishedRun(
      visitor,
      url + ((await install(visitor, url, sandbox, acme)).headers.get('location') ?? ''),
    );
    const again = JSON.parse((await commandOnStage(stage, ['show', acme.teamId, '--json'])).stdout);
    assert.deepEqual([again.status, again.runs.length], ['active', 2]);
    await sandbox.uninstall({ teamId: acme.teamId });
    await eventually(async () => cleanups === 1);
  },
);

/** Installs in a team with token rotation, stops Foyer, and lets the bot token and the user token expire. */
async function expire(t: TestContext, engine?: EngineName) {
  const clock = createJumpClock();
  const manifest = JSON.parse(manifestText);
  manifest.settings.token_rotation_enabled = true;
  manifest.oauth_config.scopes.user = ['users:read'];
  const stage = await setStage({
    ...{ engine, sandbox: { manifest }, foyer: { now: clock.now } },
    environment: { SLACK_USER_SCOPES: 'users:read' },
  });
  t.after(() => stage.close());
  const { sandbox } = stage;
  const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
  const visitor = createVisitor();
  const installed = await install(visitor, stage.url, sandbox, acme);
  await finishedRun(visitor, stage.url + (installed.headers.get('location') ?? ''));
  const leaked = sandbox
    .state()
    .installations.flatMap(({ tokens }) => tokens.map((each) => each.refreshToken));
  assert.equal(leaked.length, 2);
  await stage.stop();
  clock.jump(13 * 3_600_000);
  await sandbox.clock.advance(13 * 3_600_000);

  async function refresh(token: string | null | undefined): Promise<string | undefined> {
    const { clientId, clientSecret } = sandbox.app;
    const body = { client_id: clientId, client_secret: clientSecret, grant_type: 'refresh_token' };
    const answer = await fetch(`${sandbox.apiUrl}oauth.v2.access`, {
      method: 'POST',
      body: new URLSearchParams({ ...body, refresh_token: String(token) }),
    });
    return ((await answer.json()) as { error?: string }).error;
  }
  /**
   * Uses each leaked refresh token, as a thief would. Returns Slack's error for each (undefined if Slack renews the
   * token). The last item is the number of tokens that still work.
   */
  const useLeak = async () => [...(await Promise.all(leaked.map(refresh))), liveTokens(sandbox).length];
  const run = (...commandLine: string[]) =>
    commandOnStage(stage, commandLine, {
      now: clock.now,
      openEraser: (config, database) =>
        createInstallationStore({
          ...{ database, keyring: keyringOf('unused'), clientId: config.slack.clientId, stepNames: [] },
          ...{ now: clock.now, log },
        }),
    });
  return { sandbox, clock, acme, run, useLeak };
}

const dead = ['invalid_refresh_token', 'invalid_refresh_token', 0];

testOnBothEngines(
  '`revoke`, `purge` and `erase` make refresh tokens unusable even if their access tokens have expired',
  async (t, engine) => {
    const revoking = await expire(t, engine);
    const revoked = await revoking.run('revoke', revoking.acme.teamId, '--yes');
    assert.equal(revoked.exitCode, 0, revoked.stderr);
    assert.match(revoked.stdout, / revoked +2 +-$/m);
    assert.deepEqual(await revoking.useLeak(), dead);
    assert.match((await revoking.run('show', revoking.acme.teamId)).stdout, / broken\n/);

    const purging = await expire(t, engine);
    const purged = await purging.run('purge', purging.acme.teamId, '--yes', '--json');
    assert.deepEqual(JSON.parse(purged.stdout).tokens, { revoked: 2, notRevoked: [] });
    assert.deepEqual(await purging.useLeak(), dead);

    const erasing = await expire(t, engine);
    const erased = await erasing.run(
      'erase',
      '--user',
      `${erasing.acme.teamId}/${erasing.acme.userId}`,
      '--yes',
    );
    assert.equal(erased.exitCode, 0, erased.stderr);
    const refused = (await erasing.useLeak()).filter((answer) => answer === 'invalid_refresh_token');
    assert.equal(refused.length, 1, 'the person’s token, and not the bot’s');
  },
);

test('`revoke` keeps an expired token stored if Slack refuses to renew it, and says why', async (t) => {
  const { sandbox, clock, acme, run, useLeak } = await expire(t);
  sandbox.faults.add({
    method: 'oauth.v2.access',
    failure: { type: 'error', error: 'bad_client_secret' },
    times: 2,
  });
  const kept = await run('revoke', acme.teamId, '--yes');
  assert.equal(kept.exitCode, 1);
  assert.match(
    kept.stdout,
    new RegExp(` kept +0 +bot: bad_client_secret, ${acme.userId}: bad_client_secret$`, 'm'),
  );
  assert.match(
    kept.stderr,
    /The tokens of 1 team were not revoked \(see above\), so Foyer keeps them\. Run this again\./,
  );
  const atOnce = await run('revoke', acme.teamId, '--yes');
  assert.equal(atOnce.exitCode, 1);
  assert.match(atOnce.stdout, / kept +0 +bot: failed_a_moment_ago,/);
  assert.match(
    atOnce.stderr,
    /Run this again in a minute\. “failed_a_moment_ago” means: an expired token must be renewed/,
  );
  // Someone else uses the leaked tokens first, so the stored tokens are dead, and Foyer has nothing left to revoke.
  sandbox.faults.clear();
  await useLeak();
  clock.jump(61_000);
  const again = await run('revoke', acme.teamId, '--yes');
  assert.equal(again.exitCode, 0, again.stderr);
  assert.match(again.stdout, / revoked +1 +-$/m);
});

test('`revoke` counts a token as revoked if an earlier `revoke` learned that its refresh token no longer works', async (t) => {
  const { sandbox, acme, run, useLeak } = await expire(t);
  await useLeak();
  // Slack answers that the bot's refresh token is dead, and does not renew the person's token.
  sandbox.faults.add({
    ...{ method: 'oauth.v2.access', failure: { type: 'error', error: 'invalid_refresh_token' }, times: 1 },
  });
  sandbox.faults.add({
    ...{ method: 'oauth.v2.access', failure: { type: 'error', error: 'bad_client_secret' }, times: 1 },
  });
  const kept = await run('revoke', acme.teamId, '--yes');
  assert.match(kept.stdout, new RegExp(` kept +1 +${acme.userId}: bad_client_secret$`, 'm'));
  const again = await run('revoke', acme.teamId, '--yes');
  assert.match(again.stdout, new RegExp(` kept +1 +${acme.userId}: failed_a_moment_ago$`, 'm'));
});

test('revokeTokens returns when its signal aborts, even if a token renewal hangs, and counts the tokens as not revoked', async (t) => {
  const { database, store, asked } = await prepare(t, ok);
  const row = await database.queries.selectFrom('installations').select('id').executeTakeFirstOrThrow();
  const revocation = await revokeTokens(
    {
      ...{ queries: database.queries, store, tokens: { renewExpired: () => new Promise(() => {}) } },
      ...{ slack: () => assert.fail('Slack was asked'), signal: AbortSignal.timeout(50) },
    },
    row.id,
  );
  assert.deepEqual(
    [revocation.revoked, revocation.notRevoked.map(({ error }) => error)],
    [0, ['timeout', 'timeout']],
  );
  assert.deepEqual(asked, []);
});

/** Stores three teams, each with a bot token and a user token. `answer` returns Slack's answer to `auth.revoke`. */
async function prepare(t: TestContext, answer: (token: string) => object, engine?: EngineName) {
  const harness = await createOperatorHarness(t, {}, engine);
  const { database } = harness;
  const keyring = keyringOf('main');
  const openStore = (_config: unknown, opened: Database) =>
    createInstallationStore({
      ...{ database: opened, keyring, clientId: '1.2', stepNames: ['a'], now: Date.now, log },
    });
  const store = openStore(undefined, database);
  for (const team of ['T1', 'T2', 'T3']) {
    await store.recordInstall(
      teamInstall({ teamId: team, botToken: `xoxb-${team}`, userToken: `xoxp-${team}` }),
    );
  }
  const asked: string[] = [];
  const slackClients: typeof createSlackClientFactory = (deps) => {
    const create = createSlackClientFactory(deps);
    return ((token: string, options: object) => {
      const client = create(token, options);
      client.auth.revoke = async () => {
        asked.push(token);
        const answered = answer(token);
        if (answered instanceof Error) throw answered;
        return answered as never;
      };
      return client;
    }) as never;
  };
  const revoke = (...commandLine: string[]) =>
    harness.run(['revoke', ...commandLine], {
      now: Date.now,
      openStore,
      slackClients: async (config) => slackClients({ config, log }),
    });
  const statuses = async () => {
    const rows = await database.queries.selectFrom('installations').selectAll().orderBy('team_id').execute();
    return rows.map((row) => [row.status, row.broken_reason, row.sealed_bot !== null]);
  };
  const holders = async () =>
    (await database.queries.selectFrom('user_tokens').select('user_id').execute()).length;
  return { ...harness, store, revoke, asked, statuses, holders };
}

const ok = () => ({ ok: true, revoked: true });
const slackError = (code: string) =>
  Object.assign(new Error(code), { code: 'slack_webapi_platform_error', data: { ok: false, error: code } });

testOnBothEngines('`revoke --all` revokes every token of every team', async (t, engine) => {
  const { database, file, revoke, asked, statuses, holders } = await prepare(t, ok, engine);
  const seals = await database.queries.selectFrom('installations').select('sealed_bot').execute();
  const { exitCode, stdout, stderr } = await revoke('--all', '--yes');
  assert.equal(exitCode, 0, stderr);
  for (const part of engine === 'SQLite' ? [file, `${file}-wal`].filter(existsSync) : []) {
    const bytes = readFileSync(part);
    for (const { sealed_bot } of seals) assert.ok(!bytes.includes(sealed_bot ?? ''), `a token is in ${part}`);
  }
  assert.match(stdout, /^T2 +revoked +2 +-$/m);
  assert.match(stderr, /T3 {2}http:\/\/localhost:3000\/slack\/install\?team=T3/);
  assert.deepEqual(asked.sort(), ['xoxb-T1', 'xoxb-T2', 'xoxb-T3', 'xoxp-T1', 'xoxp-T2', 'xoxp-T3']);
  const broken = ['broken', 'revoked_by_operator', false];
  assert.deepEqual(await statuses(), [broken, broken, broken]);
  assert.equal(await holders(), 0);
  assert.match((await revoke('--all', '--yes')).stdout, /^T2 +nothing +0 +-$/m);
});

testOnBothEngines(
  '`revoke` says that there is nothing to revoke if the tokens of a team are already revoked',
  async (t, engine) => {
    const { revoke, store, asked } = await prepare(t, ok, engine);
    assert.equal((await revoke('T1', '--yes')).exitCode, 0);
    const again = await revoke('T1', '--yes');
    assert.equal(again.exitCode, 0, again.stderr);
    assert.match(again.stdout, /^T1 +nothing +0 +-$/m);
    assert.match(again.stderr, /^Nothing to revoke: an earlier revoke has already revoked all tokens of T1/m);
    assert.equal(asked.length, 2, 'Slack is not asked again');
    const json = await revoke('T1', '--yes', '--json');
    assert.equal(JSON.parse(json.stdout)[0].outcome, 'nothing');
    assert.match(json.stderr, /already revoked/);

    await store.revokeBot({ teamId: 'T2' });
    await store.revokeUserTokens({ teamId: 'T2' }, { userIds: ['U1'] });
    const revokedThere = await revoke('T2', '--yes');
    assert.equal(revokedThere.exitCode, 0);
    assert.match(revokedThere.stderr, /^Nothing to revoke: Foyer holds no token of T2\./m);
    assert.doesNotMatch((await revoke('T3', '--yes')).stderr, /Nothing to revoke/);
  },
);

testOnBothEngines(
  '`revoke` keeps a team’s tokens if Slack does not revoke all of them, so that a later `revoke` can',
  async (t, engine) => {
    let error: Error | undefined = slackError('internal_error');
    const answer = (token: string) => (token === 'xoxp-T2' && error ? error : ok());
    const { revoke, statuses, holders } = await prepare(t, answer, engine);
    const { exitCode, stdout, stderr } = await revoke('--all', '--yes');
    assert.equal(exitCode, 1);
    assert.match(stdout, /^T2 +kept +1 +U1: internal_error$/m);
    assert.match(
      stderr,
      /The tokens of 1 team were not revoked \(see above\), so Foyer keeps them\. Run this again/,
    );
    assert.deepEqual((await statuses())[1], ['active', null, true]);
    assert.equal(await holders(), 1);
    error = undefined;
    assert.equal((await revoke('T2', '--yes')).exitCode, 0);
    assert.deepEqual((await statuses())[1], ['broken', 'revoked_by_operator', false]);
  },
);

testOnBothEngines('`revoke` never erases tokens that were stored after it began', async (t, engine) => {
  const { run, store } = await prepare(t, ok, engine);
  const fresh = {
    T1: teamInstall({ teamId: 'T1', botToken: 'xoxb-fresh', userToken: null }),
    T2: teamInstall({ teamId: 'T2', botToken: null, userToken: 'xoxp-fresh' }),
  };
  for (const team of ['T1', 'T2'] as const) {
    const { exitCode, stdout, stderr } = await run(['revoke', team, '--yes'], {
      now: Date.now,
      openStore: () => store,
      slackClients: async () =>
        (() => ({ auth: { revoke: () => store.recordInstall(fresh[team]) } })) as never,
    });
    assert.equal(exitCode, 1);
    assert.match(stdout, new RegExp(`^${team} +changed `, 'm'));
    assert.match(
      stderr,
      /^The tokens of 1 team changed while this command ran \(see above\): .*newer tokens were stored\. Slack revoked /,
    );
  }
  assert.equal((await store.fetchInstallation({ teamId: 'T1' })).bot?.token, 'xoxb-fresh');
  const { user } = await store.fetchInstallation({ teamId: 'T2', userId: 'U1' });
  assert.equal(user.token, 'xoxp-fresh');
});

test('`revoke --all` stops after Slack has refused to revoke the tokens of 16 teams in a row', async (t) => {
  const { revoke, store, asked, run, statuses } = await prepare(t, () => slackError('internal_error'));
  for (let team = 10; team < 50; team += 1) await store.recordInstall(teamInstall({ teamId: `T${team}` }));
  const { exitCode, stderr } = await revoke('--all', '--yes', '--json');
  assert.equal(exitCode, 1);
  assert.match(
    stderr,
    /For 16 teams in a row, Slack did not revoke a token or did not answer, so the other teams were not tried\. The tokens of 16 teams were not revoked/,
  );
  assert.equal(asked.length, 16, 'a team without a token of a person has one token');

  const lost = await run(['revoke', 'T1', '--yes'], {
    now: Date.now,
    openStore: (_config, database) =>
      createInstallationStore({
        ...{ database, keyring: keyringOf('other'), clientId: '1.2', stepNames: [], now: Date.now, log },
      }),
  });
  assert.equal(lost.exitCode, 1);
  assert.match(lost.stdout, /^T1 +kept +0 +bot: cannot_decrypt$/m);
  assert.match(lost.stderr, /`keys forget` erases its tokens here/);
  assert.equal((await statuses())[0]?.[0], 'active');
});

test('`revoke` revokes no token of a team if one of its tokens cannot be decrypted', async (t) => {
  const { database, store, revoke, asked, statuses } = await prepare(t, () => ({ ok: true }));
  const second = teamInstall({ teamId: 'T1', userId: 'U2', botToken: null, userToken: 'xoxp-2' });
  await store.recordInstall(second);
  const broken = { sealed_user: 'v1.lost.AAAA' };
  await database.queries.updateTable('user_tokens').set(broken).where('user_id', '=', 'U2').execute();
  const { exitCode, stdout } = await revoke('T1', '--yes');
  assert.equal(exitCode, 1);
  assert.match(stdout, /cannot_decrypt/);
  assert.deepEqual(asked, []);
  assert.equal((await statuses())[0]?.[0], 'active');
});

testOnBothEngines(
  'Foyer ignores an uninstall event shortly after `revoke` has revoked the tokens, but not after a failed `revoke` or a new install',
  async (t, engine) => {
    const { revoke, store } = await prepare(
      t,
      (token) => (token === 'xoxb-T2' ? slackError('x') : ok()),
      engine,
    );
    await revoke('--all', '--yes');
    await store.recordInstall(teamInstall({ teamId: 'T3' }));
    const uninstalledAt = (teamId: string, lateMs: number) =>
      store.deleteInstallation({ teamId }, { before: Date.now() + lateMs, reason: 'app_uninstalled' });
    assert.equal(await uninstalledAt('T1', 2000), false);
    assert.equal(await uninstalledAt('T1', 6 * 60_000), true);
    assert.equal(await uninstalledAt('T2', 2000), true);
    assert.equal(await uninstalledAt('T3', 2000), true);
  },
);

test('`revoke` asks for confirmation before it revokes anything', async (t) => {
  const { run, statuses, store } = await prepare(t, ok);
  const silent = await run(['revoke', 'T1']);
  assert.equal(silent.exitCode, 2);
  assert.match(silent.stderr, /Add --yes/);
  const questions: string[] = [];
  const no = await run(['revoke', '--all'], {
    openStore: () => store,
    confirm: async (question) => {
      questions.push(question);
      return false;
    },
  });
  assert.equal(no.exitCode, 1);
  assert.deepEqual(questions, [
    'The app stops working until an admin installs it again. Revoke the tokens of every team?',
  ]);
  assert.equal((await statuses())[0]?.[0], 'active');
  assert.match((await run(['revoke', 'T9', '--yes'])).stderr, /There is no installation of T9/);
});
