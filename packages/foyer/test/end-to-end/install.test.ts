import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import Sqlite from 'better-sqlite3';
import { createVisitor, finishedRun, install, pressAddToSlack } from '../../src/testing/visitor.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

describe('an install', () => {
  let stage: Stage;
  const acme = { teamId: '', userId: '' };

  before(async () => {
    stage = await setStage();
    acme.teamId = stage.sandbox.workspace('Acme').id;
    acme.userId = stage.sandbox.person('Acme', 'owner').id;
  });
  after(() => stage.close());

  it('an install leads from Add to Slack to exactly one welcome and to the install record in App Home', async () => {
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const landing = await visitor.get(url);
    assert.equal(landing.status, 200);
    assert.match(await landing.text(), /href="\/slack\/install"/);

    const done = await install(visitor, url, sandbox, acme);
    assert.equal(done.status, 303);
    const progress = done.headers.get('location') ?? '';
    assert.match(progress, /^\/installs\/[A-Za-z0-9_-]{32}$/);

    const run = await finishedRun(visitor, url + progress);
    assert.equal(run.status, 'succeeded');
    assert.equal(run.teamName, 'Acme');
    assert.deepEqual(
      run.steps.map((step) => [step.name, step.status]),
      [
        ['register-team', 'succeeded'],
        ['register-user', 'succeeded'],
        ['fetch-profile', 'succeeded'],
        ['send-welcome', 'succeeded'],
        ['publish-home', 'succeeded'],
      ],
    );
    const [stored] = await stage.database.rows<{ slack_installed_at: number }>(
      'select slack_installed_at from installations where team_id = ?',
      acme.teamId,
    );
    // Foyer compares the times of Slack's events with the stored time of the install. So the stored time comes from
    // Slack, in whole seconds, and not from Foyer's clock.
    assert.equal((stored?.slack_installed_at ?? 1) % 1000, 0);
    const [welcome, ...more] = sandbox.messages(acme);
    assert.equal(more.length, 0);
    assert.equal(welcome?.metadata?.event_type, 'foyer_welcome');
    assert.equal(welcome?.metadata?.event_payload.run_id, run.id);
    assert.match(JSON.stringify(sandbox.homeView(acme)), new RegExp(`<@${acme.userId}>`));
  });

  it('an install logs at most twelve lines, and the line “installed” has the ids of both the run and the install request', () => {
    const lines = stage.logged().map((line) => JSON.parse(line));
    const story = lines.filter((line) => line.level >= 30 && (line.runId || line.requestId));
    assert.ok(story.length >= 2 && story.length <= 12, `${story.length} lines`);
    assert.ok(story.some((line) => line.msg === 'installed' && line.runId && line.requestId));
  });

  it('an install leaves no secret in the log, the database or its WAL', () => {
    const state = stage.sandbox.state();
    const tokens = state.installations.flatMap((each) => each.tokens.map((token) => token.value));
    assert.ok(tokens.length > 0);
    const codes = stage.sandbox
      .calls('oauth.v2.access')
      .map((call) => String(call.arguments.code))
      .filter(Boolean);
    const secrets = [...tokens, ...codes, stage.config.slack.clientSecret, stage.config.slack.signingSecret];
    const log = stage.logged().join('\n');
    const files = [stage.databaseFile, `${stage.databaseFile}-wal`].map((file) =>
      readFileSync(file, 'latin1'),
    );
    for (const secret of secrets) {
      assert.ok(secret.length > 8);
      assert.ok(!log.includes(secret), 'a secret is in the log');
      for (const file of files) assert.ok(!file.includes(secret), 'a secret is in the database');
    }
  });

  it('a reinstall does not welcome the installer again, and an install by a second person welcomes that person once', async () => {
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const again = await install(visitor, url, sandbox, acme);
    const run = await finishedRun(visitor, url + again.headers.get('location'));
    assert.equal(run.steps.find((step) => step.name === 'send-welcome')?.status, 'skipped');
    assert.equal(sandbox.messages(acme).length, 1);

    const admin = { teamId: acme.teamId, userId: sandbox.person('Acme', 'admin').id };
    const other = createVisitor();
    const second = await install(other, url, sandbox, admin);
    assert.equal((await finishedRun(other, url + second.headers.get('location'))).status, 'succeeded');
    assert.equal(sandbox.messages(admin).length, 1);
    assert.equal(sandbox.messages(acme).length, 1);
  });

  it('an install after an uninstall sends a new welcome', async () => {
    const { sandbox, url } = stage;
    const welcomes = (): number => sandbox.calls('chat.postMessage').length;
    const before = welcomes();
    await sandbox.uninstall({ teamId: acme.teamId });
    await sandbox.settled();
    const visitor = createVisitor();
    const done = await install(visitor, url, sandbox, acme);
    const run = await finishedRun(visitor, url + done.headers.get('location'));
    assert.equal(run.status, 'succeeded');
    assert.equal(welcomes(), before + 1);
  });

  it('an install succeeds with an optional scope declined, and Home offers to grant it', async () => {
    const { sandbox, url } = stage;
    const globex = { teamId: sandbox.workspace('Globex').id, userId: sandbox.person('Globex', 'owner').id };
    const visitor = createVisitor();
    const done = await install(visitor, url, sandbox, { ...globex, declinedScopes: ['users:read.email'] });
    assert.equal((await finishedRun(visitor, url + done.headers.get('location'))).status, 'succeeded');
    const home = JSON.stringify(sandbox.homeView(globex));
    assert.match(home, /users:read\.email/);
    assert.match(home, /slack\/install\?team=/);
  });
});

describe('an install that does not complete', () => {
  let stage: Stage;
  const acme = { teamId: '', userId: '' };
  const latestId = (): string => {
    const database = new Sqlite(stage.databaseFile, { readonly: true });
    const found = database.prepare('select id from install_requests order by started_at desc limit 1').get();
    database.close();
    return (found as { id: string }).id;
  };

  const rows = (): { outcome: string; error_code: string | null }[] => {
    const database = new Sqlite(stage.databaseFile, { readonly: true });
    const found = database
      .prepare('select outcome, error_code from install_requests order by started_at')
      .all();
    database.close();
    return found as { outcome: string; error_code: string | null }[];
  };
  const liveTokens = (): number =>
    stage.sandbox
      .state()
      .installations.flatMap((each) => each.tokens)
      .filter((token) => token.status === 'live').length;

  before(async () => {
    stage = await setStage();
    acme.teamId = stage.sandbox.workspace('Acme').id;
    acme.userId = stage.sandbox.person('Acme', 'owner').id;
  });
  after(() => stage.close());
  beforeEach(() => stage.sandbox.faults.clear());

  it('a cancelled install is recorded and shown as cancelled, and the person can still press Allow', async () => {
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const start = await visitor.get(`${url}/slack/install`);
    const authorizeUrl = start.headers.get('location') ?? '';
    const cancelled = await visitor.get(await sandbox.consent({ authorizeUrl, ...acme, decision: 'cancel' }));
    assert.equal(cancelled.status, 200);
    assert.match(await cancelled.text(), /canceled/i);
    assert.deepEqual(rows().at(-1), { outcome: 'cancelled', error_code: 'access_denied' });

    const allowed = await visitor.get(await sandbox.consent({ authorizeUrl, ...acme }));
    assert.equal(allowed.status, 303);
    assert.equal(rows().at(-1)?.outcome, 'installed');
    await finishedRun(visitor, url + allowed.headers.get('location'));
  });

  it('a cancelled or failed install offers to start again with the requested workspace', async () => {
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const start = await visitor.get(`${url}/slack/install?team=${acme.teamId}`);
    const authorizeUrl = start.headers.get('location') ?? '';
    sandbox.faults.add({ method: 'oauth.v2.access', failure: { type: 'status', status: 503 } });
    for (const decision of ['cancel', 'allow'] as const) {
      const ended = await visitor.get(await sandbox.consent({ authorizeUrl, ...acme, decision }));
      assert.match(await ended.text(), new RegExp(`href="/slack/install\\?team=${acme.teamId}"`), decision);
    }
  });

  it('a callback without a state, with a forged state or with someone else’s state exchanges no code', async () => {
    const { sandbox, url } = stage;
    const [visitor, victim] = [createVisitor(), createVisitor()];
    const callback = await pressAddToSlack(visitor, url, sandbox, acme);
    const code = new URL(callback).searchParams.get('code');
    const [calls, recorded] = [sandbox.calls('oauth.v2.access').length, rows().length];
    const redirect = `${url}/slack/oauth_redirect`;
    for (const [address, cause] of [
      [`${redirect}?code=${code}`, 'state_missing'],
      [`${redirect}?code=${code}&state=`, 'state_missing'],
      [`${redirect}?code=${code}&state=v1.main.AAAA`, 'state_invalid'],
      [callback, 'state_wrong_browser'],
    ] as const) {
      const refused = await victim.get(address);
      const page = await refused.text();
      assert.equal(refused.status, 400, cause);
      assert.match(page, new RegExp(cause));
      assert.match(page, /href="\/slack\/install"/);
      assert.ok(!page.includes(String(code)));
    }
    assert.equal(sandbox.calls('oauth.v2.access').length, calls);
    assert.equal(rows().length, recorded);
  });

  it('a repeated callback exchanges its code once, and always leads to the same progress page', async () => {
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const callback = await pressAddToSlack(visitor, url, sandbox, acme);
    const before = sandbox.calls('oauth.v2.access').length;
    const answers = await Promise.all([1, 2, 3, 4].map(() => visitor.get(callback)));
    answers.push(await visitor.get(callback));
    const places = new Set(answers.map((answer) => answer.headers.get('location')));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [303, 303, 303, 303, 303],
    );
    assert.equal(places.size, 1);
    assert.equal(sandbox.calls('oauth.v2.access').length, before + 1);
    await finishedRun(visitor, url + [...places][0]);
  });

  it('a HEAD request to the callback does not use up the code of an install', async () => {
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const callback = await pressAddToSlack(visitor, url, sandbox, acme);
    const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const looked = await fetch(callback, { method: 'HEAD', headers: { cookie }, redirect: 'manual' });
    assert.equal(looked.status, 405);
    assert.equal((await visitor.get(callback)).status, 303);
  });

  it('a used callback tells another browser that the link has been used, and does not lead it to the progress page', async () => {
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const callback = await pressAddToSlack(visitor, url, sandbox, acme);
    await finishedRun(visitor, url + (await visitor.get(callback)).headers.get('location'));
    const other = await createVisitor().get(callback);
    assert.equal(other.status, 400);
    assert.equal(other.headers.get('location'), null);
    const page = await other.text();
    assert.match(page, />state_used<\/code>/);
    assert.doesNotMatch(page, /Nothing was installed/);
    assert.ok(page.includes(latestId()), 'the page names the install request');
  });

  it('a cancelled install does not tell another browser which workspace was requested', async () => {
    const { url } = stage;
    const visitor = createVisitor();
    const start = await visitor.get(`${url}/slack/install?team=${acme.teamId}`);
    const state = new URL(start.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const ended = `${url}/slack/oauth_redirect?${new URLSearchParams({ error: 'access_denied', state })}`;
    assert.doesNotMatch(await (await createVisitor().get(ended)).text(), new RegExp(acme.teamId));
    assert.match(await (await visitor.get(ended)).text(), new RegExp(acme.teamId));
  });

  it('a failure page shows the id of the install request, which is also in the log and the database', async () => {
    const { sandbox, url } = stage;
    for (const [error, status] of [
      ['access_denied', 200],
      ['unapproved_scope', 400],
      ['invalid_team_for_non_distributed_app', 400],
      ['server_error', 502],
    ] as const) {
      const visitor = createVisitor();
      const callback = new URL(await pressAddToSlack(visitor, url, sandbox, acme));
      callback.searchParams.delete('code');
      callback.searchParams.set('error', error);
      const answer = await visitor.get(String(callback));
      assert.equal(answer.status, status, error);
      const id = latestId();
      assert.equal(rows().at(-1)?.error_code, error);
      assert.ok((await answer.text()).includes(id), error);
      assert.ok(stage.logged().some((line) => line.includes(id) && line.includes(error)));
    }
  });

  it('while public distribution is off, an install outside the app’s own workspace fails with a page that says so', async () => {
    const { sandbox, url } = stage;
    const globex = { teamId: sandbox.workspace('Globex').id, userId: sandbox.person('Globex').id };
    const before = sandbox.calls('oauth.v2.access').length;
    sandbox.setDistribution({ onlyTeamId: acme.teamId });
    const refused = await install(createVisitor(), url, sandbox, globex);
    assert.equal(refused.status, 400);
    const page = await refused.text();
    assert.match(page, /its public distribution is turned off at Slack/);
    assert.match(page, /The people who run [^.]+ can turn it on/);
    assert.match(page, />invalid_team_for_non_distributed_app<\/code>/);
    assert.ok(page.includes(latestId()), 'the page names the install request');
    assert.equal(sandbox.calls('oauth.v2.access').length, before);
    assert.equal(rows().at(-1)?.error_code, 'invalid_team_for_non_distributed_app');

    assert.equal((await install(createVisitor(), url, sandbox, acme)).status, 303);
    sandbox.setDistribution({ onlyTeamId: null });
    assert.equal((await install(createVisitor(), url, sandbox, globex)).status, 303);
    await sandbox.uninstall({ teamId: globex.teamId });
  });

  for (const [name, failure] of [
    ['answers 503', { type: 'status', status: 503 }],
    ['asks Foyer to wait', { type: 'status', status: 429, retryAfterSeconds: 30 }],
    ['cuts the connection', { type: 'reset-before-acting' }],
    ['answers with malformed JSON', { type: 'malformed-json', acts: false }],
  ] as const) {
    it(`if Slack ${name} during the code exchange, the page says that Slack cannot be reached, and Foyer sends the code once`, async () => {
      const { sandbox, url } = stage;
      const before = sandbox.calls('oauth.v2.access').length;
      sandbox.faults.add({ method: 'oauth.v2.access', failure });
      const refused = await install(createVisitor(), url, sandbox, acme);
      assert.equal(refused.status, 502);
      assert.match(await refused.text(), /slack_unreachable/);
      assert.equal(sandbox.calls('oauth.v2.access').length, before + 1);
      assert.equal(rows().at(-1)?.outcome, 'failed');
    });
  }

  it('if an install fails after Slack has issued tokens, Foyer revokes the tokens', async () => {
    const { sandbox, url } = stage;
    const globex = { teamId: sandbox.workspace('Globex').id, userId: sandbox.person('Globex').id };
    sandbox.faults.add({ method: 'auth.test', failure: { type: 'status', status: 500 } });
    const before = liveTokens();
    const refused = await install(createVisitor(), url, sandbox, globex);
    assert.equal(refused.status, 502);
    assert.match(await refused.text(), /We revoked it immediately/);
    assert.equal(liveTokens(), before);
  });

  it('a failed reinstall does not revoke the token of the working installation', async () => {
    const { sandbox, url } = stage;
    sandbox.faults.add({ method: 'auth.test', failure: { type: 'status', status: 500 } });
    const [before, revocations] = [liveTokens(), sandbox.calls('auth.revoke').length];
    assert.equal((await install(createVisitor(), url, sandbox, acme)).status, 502);
    assert.equal(sandbox.calls('auth.revoke').length, revocations);
    assert.equal(liveTokens(), before);
  });

  it('an install waits for a database that is briefly locked', async () => {
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const callback = await pressAddToSlack(visitor, url, sandbox, acme);
    const other = new Sqlite(stage.databaseFile);
    other.exec('begin immediate');
    setTimeout(() => {
      other.exec('rollback');
      other.close();
    }, 700);
    const done = await visitor.get(callback);
    assert.equal(done.status, 303);
    await finishedRun(visitor, url + done.headers.get('location'));
  });

  it('an install answers 503 and revokes the tokens if the database stays locked', async () => {
    const { sandbox, url } = stage;
    const globex = { teamId: sandbox.workspace('Globex').id, userId: sandbox.person('Globex').id };
    const visitor = createVisitor();
    const callback = await pressAddToSlack(visitor, url, sandbox, globex);
    const other = new Sqlite(stage.databaseFile);
    // Locks the database during the code exchange. Foyer has already recorded by then that the state is used.
    const stopListening = sandbox.onActivity((activity) => {
      if (activity.kind === 'called' && activity.method === 'oauth.v2.access') other.exec('begin immediate');
    });
    const before = liveTokens();
    const startedAt = performance.now();
    const refused = await visitor.get(callback);
    stopListening();
    other.exec('rollback');
    other.close();
    assert.equal(refused.status, 503);
    const page = await refused.text();
    assert.match(page, /database_unavailable/);
    assert.match(page, /We revoked it immediately/);
    assert.ok(performance.now() - startedAt < 10_000);
    assert.equal(liveTokens(), before);
  });

  it('an install answers within ten seconds if Slack hangs during the code exchange', async () => {
    const { sandbox, url } = stage;
    sandbox.faults.add({
      method: 'oauth.v2.access',
      failure: { type: 'hang', delayMs: 30_000, acts: false },
    });
    const startedAt = performance.now();
    const refused = await install(createVisitor(), url, sandbox, acme);
    assert.equal(refused.status, 502);
    assert.ok(performance.now() - startedAt < 10_000);
  });
});
