import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import Sqlite from 'better-sqlite3';
import { createLogger } from '../../src/config/log.ts';
import { startFoyer } from '../../src/serve.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import type { EngineName } from '../support/stage-database.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';
import { createJumpClock, type JumpClock } from './support/jump-clock.ts';
import { manifestText } from './support/process-stage.ts';
import { signedPost } from './support/signed-post.ts';
import { heldTokens, liveTokens } from './support/tokens.ts';

/**
 * Invariant 8, with a Slack that rotates tokens: each token expires after twelve hours, and a refresh token works once.
 */

const hourMs = 3_600_000;

interface Play {
  stage: Stage;
  clock: JumpClock;
  acme: { teamId: string; userId: string };
  /** Advances Foyer's and Slack's clocks. */
  pass(ms: number): Promise<void>;
  /** Opens App Home, for which Foyer needs the bot's token. */
  openHome(options?: { url?: string; userId?: string }): Promise<Response>;
  refreshes(): number;
}

async function setPlay(t: TestContext, engine?: EngineName): Promise<Play> {
  const clock = createJumpClock();
  const manifest = JSON.parse(manifestText);
  manifest.settings.token_rotation_enabled = true;
  const stage = await setStage({ engine, sandbox: { manifest }, foyer: { now: clock.now } });
  t.after(() => stage.close());
  const { sandbox } = stage;
  const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
  const visitor = createVisitor();
  const done = await install(visitor, stage.url, sandbox, acme);
  await finishedRun(visitor, stage.url + done.headers.get('location'));
  return {
    stage,
    clock,
    acme,
    async pass(ms) {
      clock.jump(ms);
      await sandbox.clock.advance(ms);
    },
    openHome: ({ url = stage.url, userId = acme.userId } = {}) =>
      signedPost({
        url,
        signingSecret: sandbox.app.signingSecret,
        now: clock.now(),
        body: {
          type: 'event_callback',
          team_id: acme.teamId,
          api_app_id: sandbox.app.id,
          event_id: `Ev${Math.random()}`,
          event_time: Math.floor(clock.now() / 1000),
          event: { type: 'app_home_opened', user: userId, tab: 'home', channel: 'D1' },
        },
      }),
    refreshes: () =>
      sandbox.calls('oauth.v2.access').filter((call) => call.arguments.grant_type === 'refresh_token').length,
  };
}

function statusOf({ stage }: Play): unknown {
  const database = new Sqlite(stage.databaseFile, { readonly: true });
  const row = database.prepare('select status, broken_reason from installations').get();
  database.close();
  return row;
}

describe('rotating tokens', { concurrency: 4 }, () => {
  for (const engine of ['SQLite', 'Postgres'] as const)
    it(`a rotating token is refreshed only once, even if many events and processes need it at the same time, on ${engine}`, async (t) => {
      const play = await setPlay(t, engine);
      const { stage } = play;
      const quiet = createLogger({ logLevel: 'silent', secrets: [] });
      const http = { ...stage.config.http, port: 0 };
      const beside = await startFoyer({ ...stage.config, http }, quiet, { now: play.clock.now });
      t.after(() => beside.stop());
      await play.pass(10.5 * hourMs);
      stage.sandbox.faults.setLatency('oauth.v2.access', 150);
      const published = stage.sandbox.calls('views.publish').length;
      const people = ['owner', 'admin', 'member'].map((role) => stage.sandbox.person('Acme', role).id);
      const urls = [stage.url, `http://127.0.0.1:${beside.address.port}`];
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, n) => play.openHome({ url: urls[n % 2], userId: people[n % 3] })),
      );
      for (const answer of answers) assert.equal(answer.status, 200);
      await eventually(
        async () => play.refreshes() > 0 && stage.sandbox.calls('views.publish').length > published,
      );
      await stage.foyer().stop();
      await stage.start();
      assert.equal(play.refreshes(), 1);
      assert.deepEqual(liveTokens(stage.sandbox), await heldTokens(stage.config));
      for (const call of stage.sandbox.calls('views.publish')) assert.equal(call.answer?.ok, true);
    });

  it('a rotating token is refreshed before it expires, even if its team sends no events', async (t) => {
    const play = await setPlay(t);
    await play.stage.stop();
    await play.pass(10.5 * hourMs);
    await play.stage.start();
    await eventually(async () => play.refreshes() === 1);
    await eventually(async () => {
      const [live] = liveTokens(play.stage.sandbox);
      return live !== undefined && (await heldTokens(play.stage.config)).includes(live);
    });
  });

  it('a slow refresh of a rotating token does not overwrite the token of a newer install', async (t) => {
    const play = await setPlay(t);
    const { stage, acme } = play;
    await play.pass(10.5 * hourMs);
    stage.sandbox.faults.add({ method: 'oauth.v2.access', failure: { type: 'hang', delayMs: 4000 } });
    await play.openHome();
    await eventually(async () => play.refreshes() === 1);
    const visitor = createVisitor();
    const done = await install(visitor, stage.url, stage.sandbox, acme);
    assert.equal(done.status, 303);
    const run = await finishedRun(visitor, stage.url + done.headers.get('location'));
    assert.equal(run.status, 'succeeded');
    await eventually(async () => stage.logged().some((line) => /"stored":false.*renewed a token/.test(line)));
    const late = stage.sandbox
      .calls('oauth.v2.access')
      .find((call) => call.fault === 'hang' && call.answer !== null);
    const [held] = await heldTokens(stage.config);
    assert.notEqual(held, late?.answer?.access_token);
    assert.ok(liveTokens(stage.sandbox).includes(held ?? ''));
  });

  it('if Slack permanently refuses to refresh a rotating token, Foyer marks the installation as broken, and a reinstall fixes it', async (t) => {
    const play = await setPlay(t);
    const { stage, acme } = play;
    await play.pass(11 * hourMs);
    stage.sandbox.faults.add({
      method: 'oauth.v2.access',
      failure: { type: 'error', error: 'invalid_refresh_token' },
    });
    await play.openHome();
    await eventually(
      async () =>
        JSON.stringify(statusOf(play)) === '{"status":"broken","broken_reason":"invalid_refresh_token"}',
    );
    assert.ok(stage.logged().some((line) => line.includes('a token could not be refreshed')));
    const visitor = createVisitor();
    const done = await install(visitor, stage.url, stage.sandbox, acme);
    assert.equal((await finishedRun(visitor, stage.url + done.headers.get('location'))).status, 'succeeded');
    assert.deepEqual(statusOf(play), { status: 'active', broken_reason: null });
  });

  it('while Slack cannot refresh a rotating token, ten events cause one attempt, and Foyer keeps using the old token', async (t) => {
    const play = await setPlay(t);
    const { stage } = play;
    await play.pass(10.5 * hourMs);
    stage.sandbox.faults.add({
      method: 'oauth.v2.access',
      times: 50,
      failure: { type: 'status', status: 503 },
    });
    const admin = stage.sandbox.person('Acme', 'admin').id;
    const published = stage.sandbox.calls('views.publish').length;
    for (let n = 0; n < 10; n += 1) await play.openHome({ userId: admin });
    await eventually(async () => stage.sandbox.calls('views.publish').length > published);
    assert.equal(play.refreshes(), 1);
    assert.deepEqual(statusOf(play), { status: 'active', broken_reason: null });
  });
});
