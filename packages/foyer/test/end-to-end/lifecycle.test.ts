import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createVisitor, eventually, finishedRun, install, type ShownRun } from '../../src/testing/visitor.ts';
import { signedPost } from '../faults/support/signed-post.ts';
import { compileCache } from '../support/compile-cache.ts';
import { environmentFor, type Stage, setStage } from '../support/start-foyer.ts';

const cli = fileURLToPath(new URL('../support/app/cli.ts', import.meta.url));

/** The fields of `list --json` that these tests read. */
interface Listed {
  teamId: string | null;
  enterpriseId: string | null;
  status: string;
  run: ShownRun | null;
}

async function list(stage: Stage): Promise<Listed[]> {
  const port = Number(new URL(stage.url).port);
  const { stdout } = await promisify(execFile)(process.execPath, [cli, 'list', '--json'], {
    env: {
      ...environmentFor(stage.sandbox, port, stage.databaseFile),
      LOG_LEVEL: 'silent',
      NODE_COMPILE_CACHE: compileCache,
    },
  });
  return JSON.parse(stdout);
}

describe('the life of an installation', () => {
  let stage: Stage;
  const acme = { teamId: '', userId: '' };
  const statusOf = async (teamId: string): Promise<string | undefined> =>
    (await list(stage)).find((each) => each.teamId === teamId)?.status;

  before(async () => {
    stage = await setStage();
    acme.teamId = stage.sandbox.workspace('Acme').id;
    acme.userId = stage.sandbox.person('Acme').id;
  });
  after(() => stage.close());
  beforeEach(async () => {
    const visitor = createVisitor();
    const done = await install(visitor, stage.url, stage.sandbox, acme);
    await finishedRun(visitor, stage.url + done.headers.get('location'));
  });

  it('Foyer answers 200 to the events of an uninstall, and then lists the installation as uninstalled', async () => {
    const deliveries = await stage.sandbox.uninstall({ teamId: acme.teamId });
    assert.ok(deliveries.every((delivery) => delivery?.status === 200));
    assert.equal(await statusOf(acme.teamId), 'uninstalled');
  });

  it('Foyer tolerates uninstall events that arrive repeatedly and in reverse order', async () => {
    const { sandbox } = stage;
    sandbox.deliveries.hold();
    const sent = sandbox.uninstall({ teamId: acme.teamId });
    await sandbox.deliveries.release('reversed');
    await sent;
    for (const { id, type } of sandbox.deliveries.list()) {
      if (type === 'app_uninstalled' || type === 'tokens_revoked')
        await sandbox.deliveries.resend(id, { times: 2 });
    }
    await sandbox.settled();
    assert.ok(sandbox.deliveries.list().every((delivery) => delivery.status === 200));
    assert.equal(await statusOf(acme.teamId), 'uninstalled');
  });

  it('an uninstall event from before the install leaves the installation active', async () => {
    const event = { type: 'app_uninstalled' };
    const eventTimeSeconds = Math.floor(Date.now() / 1000) - 3600;
    const delivery = await stage.sandbox.sendEvent({ event, teamId: acme.teamId, eventTimeSeconds });
    assert.equal(delivery?.status, 200);
    const tokens = { oauth: [acme.userId], bot: ['any'] };
    await stage.sandbox.sendEvent({
      event: { type: 'tokens_revoked', tokens },
      teamId: acme.teamId,
      eventTimeSeconds,
    });
    assert.equal(await statusOf(acme.teamId), 'active');
  });

  it('Foyer answers 200 to events of an unknown team, so that Slack does not retry them', async () => {
    const [known, before] = [stage.sandbox.deliveries.list().length, (await list(stage)).length];
    for (const type of ['app_uninstalled', 'tokens_revoked', 'app_home_opened', 'team_access_granted']) {
      const event = {
        type,
        user: 'U0NOBODY',
        tab: 'home',
        tokens: { oauth: ['U0NOBODY'] },
        team_ids: ['T0NOBODY'],
      };
      const delivery = await stage.sandbox.sendEvent({ event, teamId: 'T0NOBODY', enterpriseId: 'E0NOBODY' });
      assert.equal(delivery?.status, 200, type);
    }
    assert.equal((await list(stage)).length, before);
    assert.ok(stage.sandbox.deliveries.list().length >= known + 4);
  });

  it('Foyer answers 200 to an event without a team, so that Slack does not retry it', async () => {
    for (const type of ['app_uninstalled', 'tokens_revoked', 'team_access_granted', 'team_access_revoked']) {
      const event = { type, tokens: { oauth: ['U1'], bot: ['U2'] }, team_ids: ['T1'] };
      const delivery = await stage.sandbox.sendEvent({ event });
      assert.equal(delivery?.status, 200, type);
    }
  });

  it('if Slack refuses an installation’s token, Foyer lists the installation as broken, and a new install fixes it', async () => {
    const { sandbox, url } = stage;
    sandbox.faults.add({
      method: 'views.publish',
      times: 1,
      failure: { type: 'error', error: 'account_inactive' },
    });
    const admin = { teamId: acme.teamId, userId: sandbox.person('Acme', 'member').id };
    await sandbox.openHome(admin);
    await eventually(async () => (await statusOf(acme.teamId)) === 'broken');
    const visitor = createVisitor();
    const done = await install(visitor, url, sandbox, acme);
    await finishedRun(visitor, url + done.headers.get('location'));
    assert.equal(await statusOf(acme.teamId), 'active');
  });
});

describe('App Home', () => {
  let stage: Stage;
  const owner = { teamId: '', userId: '' };
  const member = { teamId: '', userId: '' };
  const home = (whom: { teamId: string; userId: string }): string =>
    JSON.stringify(stage.sandbox.homeView(whom));

  before(async () => {
    stage = await setStage();
    owner.teamId = member.teamId = stage.sandbox.workspace('Acme').id;
    owner.userId = stage.sandbox.person('Acme', 'owner').id;
    member.userId = stage.sandbox.person('Acme', 'member').id;
    const visitor = createVisitor();
    const done = await install(visitor, stage.url, stage.sandbox, owner);
    await finishedRun(visitor, stage.url + done.headers.get('location'));
  });
  after(() => stage.close());

  it('App Home shows a member the install record, but not the installer’s email address', async () => {
    await stage.sandbox.openHome(member);
    await eventually(async () => stage.sandbox.homeView(member) !== null);
    const { email } = stage.sandbox.person('Acme', 'owner');
    assert.match(home(member), new RegExp(`<@${owner.userId}>`));
    assert.ok(email && home(owner).includes(email));
    assert.ok(!home(member).includes(email));
  });

  it('App Home shows the button for a new welcome only to people who may use it, and ignores forged presses by others', async () => {
    assert.match(home(owner), /foyer\.send_welcome/);
    assert.ok(!home(member).includes('foyer.send_welcome'));
    const before = stage.sandbox.calls('chat.postMessage').length;
    // Simulates a press that is forged or comes from an older view: Slack's signature is valid, but this person may
    // not use the button.
    const view = stage.sandbox.homeView(member);
    assert.ok(view);
    view.blocks.push({
      type: 'actions',
      block_id: 'forged',
      elements: [
        {
          type: 'button',
          action_id: 'foyer.send_welcome',
          text: { type: 'plain_text', text: 'x' },
          value: 'x',
        },
      ],
    });
    const press = await stage.sandbox.press({ ...member, actionId: 'foyer.send_welcome' });
    assert.equal(press.status, 200);
    await stage.sandbox.settled();
    assert.equal(stage.sandbox.calls('chat.postMessage').length, before);
  });

  it('Foyer answers within 1.5 seconds when someone presses a button that has no listener', async () => {
    const view = stage.sandbox.homeView(owner);
    assert.ok(view);
    view.blocks.push({
      type: 'actions',
      block_id: 'unknown',
      elements: [{ type: 'button', action_id: 'nobody.listens', text: { type: 'plain_text', text: 'x' } }],
    });
    const press = await stage.sandbox.press({ ...owner, actionId: 'nobody.listens' });
    assert.equal(press.status, 200);
    assert.ok(press.ms !== null && press.ms < 1500, `${press.ms} ms`);
  });

  it('pressing the welcome button in App Home sends exactly one new welcome', async () => {
    const welcomes = (): number => stage.sandbox.messages(owner).length;
    const before = welcomes();
    const press = await stage.sandbox.press({ ...owner, actionId: 'foyer.send_welcome' });
    assert.equal(press.status, 200);
    await eventually(async () => welcomes() === before + 1);
    await eventually(async () => (await list(stage))[0]?.run?.status === 'succeeded');
    assert.equal(welcomes(), before + 1);
  });

  it('if the same signed button press arrives twice, Foyer acts on it once', async () => {
    const welcomes = (): number => stage.sandbox.messages(owner).length;
    const before = welcomes();
    const body = {
      type: 'block_actions',
      api_app_id: stage.sandbox.app.id,
      user: { id: owner.userId, team_id: owner.teamId },
      team: { id: owner.teamId },
      view: { type: 'home', team_id: owner.teamId },
      actions: [{ type: 'button', action_id: 'foyer.send_welcome', block_id: 'b', value: 'x' }],
    };
    const { signingSecret } = stage.sandbox.app;
    const press = { url: stage.url, signingSecret, body, now: Date.now() };
    assert.equal((await signedPost(press)).status, 200);
    await eventually(async () => welcomes() === before + 1);
    await eventually(async () => (await list(stage))[0]?.run?.status === 'succeeded');
    const lines = stage.logged().length;
    assert.equal((await signedPost(press)).status, 200, 'Slack is not asked to send it again');
    assert.equal((await list(stage))[0]?.run?.status, 'succeeded', 'the copy starts no run');
    await stage.sandbox.settled();
    assert.equal(welcomes(), before + 1);
    assert.ok(stage.logged().slice(lines).join('').includes('replayed_press'), 'the log says why');
    // If the same person presses the button again, the signature differs from the first one, so Foyer acts on the
    // press.
    assert.equal((await signedPost({ ...press, now: press.now + 2000 })).status, 200);
    await eventually(async () => welcomes() === before + 2);
    await eventually(async () => (await list(stage))[0]?.run?.status === 'succeeded');
  });

  it('pressing the retry button in App Home retries a failed run, and sends no second welcome', async () => {
    const { sandbox, url } = stage;
    const globex = { teamId: sandbox.workspace('Globex').id, userId: sandbox.person('Globex').id };
    sandbox.faults.add({
      method: 'users.info',
      times: 1,
      failure: { type: 'error', error: 'user_not_found' },
    });
    const visitor = createVisitor();
    const done = await install(visitor, url, sandbox, globex);
    const run = await finishedRun(visitor, url + done.headers.get('location'));
    assert.equal(run.status, 'failed');
    assert.equal(run.steps.find((step) => step.name === 'fetch-profile')?.error, 'user_not_found');
    assert.equal(run.steps.find((step) => step.name === 'send-welcome')?.status, 'succeeded');
    await eventually(async () => home(globex).includes('foyer.retry_run'));
    await sandbox.press({ ...globex, actionId: 'foyer.retry_run' });
    const again = await eventually(async () => {
      const status = await finishedRun(visitor, url + done.headers.get('location'));
      return status.status === 'succeeded' && status;
    });
    assert.equal(again.steps.find((step) => step.name === 'send-welcome')?.attempts, 1);
    assert.equal(sandbox.messages(globex).length, 1);
  });

  it('when the install record changes, Foyer republishes App Home to a member who opened it before', async () => {
    const { sandbox } = stage;
    const admin = { teamId: owner.teamId, userId: sandbox.person('Acme', 'admin').id };
    const visitor = createVisitor();
    const done = await install(visitor, stage.url, sandbox, admin);
    await finishedRun(visitor, stage.url + done.headers.get('location'));
    await eventually(async () => home(member).includes(admin.userId));
  });
});

describe('an org-wide install', () => {
  it('an org-wide install sends no welcome before a workspace has access, and its uninstall leaves workspace installs alone', async () => {
    const stage = await setStage();
    const { sandbox, url } = stage;
    try {
      const product = sandbox.workspace('Initech Product');
      const owner = sandbox.person('Initech Product', 'owner');
      const whom = { teamId: product.id, userId: owner.id };
      const visitor = createVisitor();
      const enterpriseId = String(product.enterpriseId);
      const done = await install(visitor, url, sandbox, { userId: owner.id, enterpriseId });
      assert.equal(done.status, 303);
      const statusUrl = `${url}${done.headers.get('location')}/status`;
      const status = async (): Promise<ShownRun> => (await (await visitor.get(statusUrl)).json()) as ShownRun;
      await eventually(async () => (await status()).status === 'waiting');
      assert.equal(sandbox.calls('chat.postMessage').length, 0);

      await sandbox.grantAccess({ enterpriseId, teamIds: [product.id] });
      const run = await finishedRun(visitor, url + done.headers.get('location'));
      assert.equal(run.status, 'succeeded');
      assert.equal(sandbox.messages(whom).length, 1);

      const [listed] = await list(stage);
      assert.deepEqual([listed?.teamId, listed?.enterpriseId], [null, enterpriseId]);

      const sales = sandbox.workspace('Initech Sales');
      const seller = createVisitor();
      const own = await install(seller, url, sandbox, { userId: owner.id, teamId: sales.id });
      await finishedRun(seller, url + own.headers.get('location'));
      await sandbox.uninstall({ enterpriseId });
      const left = await list(stage);
      assert.equal(left.find((each) => each.teamId === sales.id)?.status, 'active');
      assert.equal(left.find((each) => each.teamId === null)?.status, 'uninstalled');
    } finally {
      await stage.close();
    }
  });
});

describe('a restart', () => {
  it('a restart resumes a run that was under way', async () => {
    const stage = await setStage();
    const { sandbox, url } = stage;
    try {
      const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
      sandbox.faults.setLatency('users.info', 3000);
      const visitor = createVisitor();
      const done = await install(visitor, url, sandbox, acme);
      await eventually(async () => sandbox.calls('users.info').length > 0);
      sandbox.faults.clear();
      await stage.stop();
      await stage.start();
      const run = await finishedRun(visitor, url + done.headers.get('location'));
      assert.equal(run.status, 'succeeded');
      assert.equal(sandbox.messages(acme).length, 1);
    } finally {
      await stage.close();
    }
  });
});
