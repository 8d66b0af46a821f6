import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Failure } from 'slack-sandbox';
import { readOnceMessage } from '../../src/database/once-messages.ts';
import { queueRun } from '../../src/database/runs.ts';
import type { ActingStep } from '../../src/pipeline/step.ts';
import { requestWelcome } from '../../src/steps/request-welcome.ts';
import { sendWelcome } from '../../src/steps/send-welcome.ts';
import { mortal, type PipelineStage, setStage, signal } from '../pipeline/pipeline-stage.ts';
import { ownRows } from '../support/strangers.ts';

const everything = ['chat:write', 'im:write', 'im:history', 'users:read', 'team:read'];
const without = (...scopes: string[]) => everything.filter((scope) => !scopes.includes(scope));

/** A stage whose pipeline has only the step send-welcome. */
const welcomeStage = (t: TestContext): Promise<PipelineStage> => setStage(t, { steps: [sendWelcome] });

const stepOf = async (stage: PipelineStage, runId: string) => {
  const [only] = (await stage.run(runId)).steps;
  return [only?.status, only?.errorCode];
};

describe('send-welcome', () => {
  it('send-welcome sends the welcome once, and records its timestamp', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    const { runId, installationId, life, userId } = install;
    assert.equal((await stage.finish(runId)).status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
    const [message] = stage.sandbox.messages(install);
    assert.deepEqual(message?.metadata?.event_payload, {
      run_id: runId,
      installation_id: installationId,
      life,
    });
    const row = await readOnceMessage(stage.database.queries, {
      kind: 'welcome',
      installationId,
      life,
      key: userId,
    });
    assert.deepEqual([row?.status, row?.message_ts], ['sent', message?.ts]);
  });

  it('send-welcome records the welcome before it calls chat.postMessage', async (t) => {
    const stage = await welcomeStage(t);
    const { runId } = await stage.install();
    let recorded: unknown;
    const slackClient: PipelineStage['deps']['slackClient'] = (token, limits) => {
      const client = stage.deps.slackClient(token, limits);
      const post = client.chat.postMessage.bind(client.chat);
      client.chat.postMessage = async (message) => {
        recorded = (await ownRows(stage.database, 'welcomes')).map(({ status }) => status);
        return post(message);
      };
      return client;
    };
    await stage.finish(runId, { slackClient });
    assert.deepEqual(recorded, ['sending']);
  });

  it('a run that is stopped just before it sends the welcome records no welcome, and sends the welcome when it resumes', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    const stop = new AbortController();
    const slackClient: PipelineStage['deps']['slackClient'] = (token, limits) => {
      const client = stage.deps.slackClient(token, limits);
      const open = client.conversations.open.bind(client.conversations);
      client.conversations.open = async (person) => {
        const answer = await open(person);
        stop.abort();
        return answer;
      };
      return client;
    };
    await stage.work({ slackClient }, stop.signal);
    assert.ok(stop.signal.aborted);
    assert.deepEqual(await ownRows(stage.database, 'welcomes'), []);
    await stage.pass(31_000);
    assert.equal((await stage.finish(install.runId)).status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
    assert.equal(stage.sandbox.calls('conversations.history').length, 0);
  });

  it('send-welcome posts to the person’s user id if the app lacks the scope im:write, which opening a DM requires', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install({ scopes: without('im:write') });
    assert.equal((await stage.finish(install.runId)).status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
    assert.equal(stage.sandbox.calls('conversations.open').length, 0);
  });

  it('an install without a bot sends no welcome', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    await stage.database.queries
      .updateTable('installations')
      .set({ bot_scopes: null })
      .where('id', '=', install.installationId)
      .execute();
    await stage.finish(install.runId);
    assert.deepEqual(await stepOf(stage, install.runId), ['skipped', 'no_bot']);
  });
});

describe('send-welcome after failures', () => {
  const acted: { title: string; failure: Failure }[] = [
    {
      title: 'Slack posts the welcome and the connection then breaks',
      failure: { type: 'reset-after-acting' },
    },
    { title: 'Slack posts the welcome but answers with malformed JSON', failure: { type: 'malformed-json' } },
  ];
  for (const { title, failure } of acted) {
    it(`if ${title}, Foyer finds the welcome in the DM and does not send it again`, async (t) => {
      const stage = await welcomeStage(t);
      const install = await stage.install();
      stage.sandbox.faults.add({ method: 'chat.postMessage', failure });
      const run = await stage.finish(install.runId);
      assert.equal(run.status, 'succeeded');
      assert.equal(stage.welcomes(install), 1);
      assert.equal(stage.sandbox.calls('chat.postMessage').length, 1);
      assert.ok(stage.now() - run.createdAt < 1000, 'a welcome that is found needs no wait');
    });
  }

  it('Foyer sends exactly one welcome even if Slack posts the welcome but does not answer in time', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    stage.sandbox.faults.add({ method: 'chat.postMessage', failure: { type: 'hang', delayMs: 60_000 } });
    const run = await stage.finish(install.runId, impatient(stage));
    assert.equal(run.status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
  });

  /** Changes Slack’s answers to conversations.open and chat.postMessage. */
  function answering(
    stage: PipelineStage,
    odd: { open?: object; post?: object },
  ): PipelineStage['deps']['slackClient'] {
    return (token, limits) => {
      const client = stage.deps.slackClient(token, limits);
      const { open } = client.conversations;
      const { postMessage } = client.chat;
      client.conversations.open = async (...given) => ({ ...(await open(...given)), ...odd.open });
      client.chat.postMessage = async (...given) => ({ ...(await postMessage(...given)), ...odd.post });
      return client;
    };
  }

  for (const channel of [null, '', 7, true, [], {}]) {
    const odd = JSON.stringify(channel);
    it(`Foyer sends exactly one welcome even if chat.postMessage returns ${odd} as the channel`, async (t) => {
      const stage = await welcomeStage(t);
      const install = await stage.install();
      const slackClient = answering(stage, { post: { channel } });
      assert.equal((await stage.finish(install.runId, { slackClient })).status, 'succeeded');
      assert.equal(stage.welcomes(install), 1);
      assert.equal(stage.sandbox.calls('conversations.history').length, 0);
    });

    it(`Foyer sends exactly one welcome even if conversations.open returns ${odd} as the DM’s id`, async (t) => {
      const stage = await welcomeStage(t);
      const install = await stage.install();
      const slackClient = answering(stage, { open: { channel: { id: channel } } });
      assert.equal((await stage.finish(install.runId, { slackClient })).status, 'succeeded');
      assert.equal(stage.welcomes(install), 1);
    });

    it(`Foyer sends exactly one welcome even if chat.postMessage returns ${odd} as the timestamp`, async (t) => {
      const stage = await welcomeStage(t);
      const install = await stage.install();
      const slackClient = answering(stage, { post: { ts: channel } });
      const run = await stage.finish(install.runId, { slackClient });
      assert.equal(run.status, 'succeeded');
      assert.equal(stage.welcomes(install), 1);
      assert.ok(stage.now() - run.createdAt < 5000, 'an answer settles the call');
    });
  }

  const notActed: { title: string; failure: Failure }[] = [
    {
      title: 'the connection breaks before Slack posts the welcome',
      failure: { type: 'reset-before-acting' },
    },
    { title: 'Slack answers with status 503', failure: { type: 'status', status: 503 } },
    { title: 'Slack answers with internal_error', failure: { type: 'error', error: 'internal_error' } },
  ];
  for (const { title, failure } of notActed) {
    it(`if ${title}, Foyer finds no welcome in the DM, waits, and calls chat.postMessage again`, async (t) => {
      const stage = await welcomeStage(t);
      const install = await stage.install();
      stage.sandbox.faults.add({ method: 'chat.postMessage', failure });
      const run = await stage.finish(install.runId);
      assert.equal(run.status, 'succeeded');
      assert.equal(stage.welcomes(install), 1);
      assert.equal(stage.sandbox.calls('chat.postMessage').length, 2);
      assert.ok(stage.sandbox.calls('conversations.history').length > 0);
      assert.ok(stage.now() - run.createdAt >= 2000, 'a call that broke may still take effect');
    });
  }

  it('after a rate limit, Foyer sends the welcome without first searching for it, since Slack cannot have posted it', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    const failure: Failure = { type: 'status', status: 429, retryAfterSeconds: 5 };
    stage.sandbox.faults.add({ method: 'chat.postMessage', failure, times: 3 });
    assert.equal((await stage.finish(install.runId)).status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
    assert.equal(stage.sandbox.calls('conversations.history').length, 0);
  });

  it('Foyer sends exactly one welcome even if it crashes after Slack posts the welcome and before Foyer records that', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    const posted = () => stage.welcomes(install) > 0;
    void stage.work({ database: mortal(stage.database, posted) });
    await until(posted);
    await stage.pass(30_000);
    assert.equal((await stage.finish(install.runId)).status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
    assert.equal(stage.sandbox.calls('chat.postMessage').length, 1);
  });

  it('Foyer sends exactly one welcome even if send-welcome times out before Slack answers', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    const { installationId, life, userId } = install;
    const answer = signal();
    const slackClient: PipelineStage['deps']['slackClient'] = (token, { signal: _deaf, ...limits } = {}) => {
      const client = stage.deps.slackClient(token, limits);
      const post = client.chat.postMessage.bind(client.chat);
      client.chat.postMessage = async (message) => {
        const posted = await post(message);
        await answer.reached;
        return posted;
      };
      return client;
    };
    await stage.work({ slackClient, steps: [{ ...sendWelcome, timeLimitMs: 100 }] });
    assert.deepEqual(await stepOf(stage, install.runId), ['retrying', 'step_timeout']);
    const statusOf = async () =>
      (await readOnceMessage(stage.database.queries, { kind: 'welcome', installationId, life, key: userId }))
        ?.status;
    assert.equal(await statusOf(), 'sending');
    answer.reach();
    while ((await statusOf()) !== 'sent') await new Promise((next) => setImmediate(next));
    assert.equal((await stage.finish(install.runId)).status, 'succeeded');
    assert.equal(stage.sandbox.calls('conversations.history').length, 0, 'the welcome is known to be sent');
    assert.equal(stage.welcomes(install), 1);
  });

  it('Foyer sends exactly one welcome even if it crashes after it records the welcome and before Slack gets the call', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    const { installationId, life, userId } = install;
    let called = false;
    const slackClient: PipelineStage['deps']['slackClient'] = (token, limits) => {
      const client = stage.deps.slackClient(token, limits);
      client.chat.postMessage = () => {
        called = true;
        return new Promise(() => {});
      };
      return client;
    };
    void stage.work({ slackClient, database: mortal(stage.database, () => called) });
    await until(() => called);
    const row = await readOnceMessage(stage.database.queries, {
      kind: 'welcome',
      installationId,
      life,
      key: userId,
    });
    assert.equal(row?.status, 'sending');
    await stage.pass(30_000);
    assert.equal((await stage.finish(install.runId)).status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
  });

  it('Foyer sends exactly one welcome even if a reinstall starts a second run while the first run is sending the welcome', async (t) => {
    const stage = await welcomeStage(t);
    const first = await stage.install();
    const asked = signal();
    const goOn = signal();
    const slackClient: PipelineStage['deps']['slackClient'] = (token, limits) => {
      const client = stage.deps.slackClient(token, limits);
      const post = client.chat.postMessage.bind(client.chat);
      client.chat.postMessage = async (message) => {
        asked.reach();
        await goOn.reached;
        return post(message);
      };
      return client;
    };
    const working = stage.work({ slackClient });
    await asked.reached;
    const second = await stage.install();
    assert.equal((await stage.run(first.runId)).status, 'cancelled');
    assert.equal(second.life, first.life);
    await stage.work();
    assert.equal((await stage.run(second.runId)).status, 'waiting', 'the first run may still be sending');
    goOn.reach();
    await working;
    await stage.finish(second.runId);
    assert.deepEqual(await stepOf(stage, second.runId), ['skipped', 'already_sent']);
    assert.equal(stage.welcomes(first), 1);
  });

  it('a reinstall sends another welcome only if another person installs the app or the app was uninstalled in between', async (t) => {
    const stage = await welcomeStage(t);
    const first = await stage.install();
    await stage.finish(first.runId);
    const again = await stage.install();
    await stage.finish(again.runId);
    assert.deepEqual(await stepOf(stage, again.runId), ['skipped', 'already_sent']);
    assert.equal(stage.welcomes(first), 1);

    const admin = await stage.install({ who: 'admin' });
    await stage.finish(admin.runId);
    assert.equal(stage.welcomes(admin), 1);

    await stage.store.deleteInstallation({ teamId: first.teamId });
    const nextLife = await stage.install();
    assert.equal(nextLife.life, first.life + 1);
    await stage.finish(nextLife.runId);
    assert.equal(stage.welcomes(first), 2);
  });
});

describe('send-welcome after an uninstall', () => {
  it('if a call fails after a reinstall, Foyer does not count the welcome from before the uninstall as sent by the new install', async (t) => {
    const stage = await welcomeStage(t);
    const first = await stage.install();
    await stage.finish(first.runId);
    await stage.store.deleteInstallation({ teamId: first.teamId });
    const second = await stage.install();
    stage.sandbox.faults.add({ method: 'chat.postMessage', failure: { type: 'reset-before-acting' } });
    await stage.finish(second.runId);
    assert.equal(stage.welcomes(first), 2);
  });
});

describe('Foyer searches for a welcome that may have been sent', () => {
  for (const scope of ['im:history', 'im:write']) {
    it(`without the scope ${scope}, a welcome that may have been sent stays unconfirmed until someone asks to send it again`, async (t) => {
      const stage = await welcomeStage(t);
      const install = await stage.install({ scopes: without(scope) });
      const { runId, installationId, userId } = install;
      stage.sandbox.faults.add({ method: 'chat.postMessage', failure: { type: 'reset-after-acting' } });
      assert.equal((await stage.finish(runId)).status, 'succeeded');
      assert.equal((await stepOf(stage, runId))[0], 'unconfirmed');
      assert.equal(stage.welcomes(install), 1);

      const request = { installationId, userId, now: stage.now() };
      assert.equal(await requestWelcome(stage.database, request), 'queued');
      assert.equal((await stage.finish(runId)).status, 'succeeded');
      assert.deepEqual(await stepOf(stage, runId), ['succeeded', null]);
      assert.equal(stage.welcomes(install), 2);
    });
  }

  it('if a reinstall grants the missing scope, Foyer finds the unconfirmed welcome and does not send another', async (t) => {
    const stage = await welcomeStage(t);
    const first = await stage.install({ scopes: without('im:history') });
    stage.sandbox.faults.add({ method: 'chat.postMessage', failure: { type: 'reset-after-acting' } });
    await stage.finish(first.runId);
    const second = await stage.install();
    await stage.finish(second.runId);
    assert.deepEqual(await stepOf(stage, second.runId), ['succeeded', null]);
    assert.equal(stage.welcomes(first), 1);
  });

  for (const newer of [0, 14, 15, 16, 40]) {
    it(`Foyer finds a sent welcome behind ${newer} newer messages, even under Slack’s strictest limit on conversations.history`, async (t) => {
      const stage = await welcomeStage(t);
      const install = await stage.install();
      const posted = () => stage.welcomes(install) > 0;
      void stage.work({ database: mortal(stage.database, posted) });
      await until(posted);
      for (let count = 0; count < newer; count += 1) {
        await stage.sandbox.sendMessage({ ...install, text: `message ${count}` });
      }
      stage.sandbox.rateLimits.isOn = true;
      stage.sandbox.rateLimits.isHistoryLimited = true;
      await stage.pass(30_000);
      const before = stage.now();
      const run = await stage.finish(install.runId);
      assert.equal(run.status, 'succeeded');
      assert.deepEqual(await stepOf(stage, install.runId), ['succeeded', null]);
      assert.equal(stage.welcomes(install), 1);
      const pages = Math.floor(newer / 15) + 1;
      assert.ok(stage.now() - before < pages * 61_000 + 30_000, `${stage.now() - before} ms`);
    });
  }

  it('the search for a welcome in a long DM gives up after at most 14 calls, and the welcome stays unconfirmed', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    const posted = () => stage.welcomes(install) > 0;
    void stage.work({ database: mortal(stage.database, posted) });
    await until(posted);
    for (let count = 0; count < 250; count += 1) {
      await stage.sandbox.sendMessage({ ...install, text: `message ${count}` });
    }
    await stage.pass(30_000);
    await stage.finish(install.runId);
    assert.deepEqual(await stepOf(stage, install.runId), ['unconfirmed', 'history_too_long']);
    assert.ok(stage.sandbox.calls('conversations.history').length <= 14);
    assert.equal(stage.welcomes(install), 1);
  });

  it('send-welcome fails with the error of conversations.history if every search for the welcome fails', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    const posted = () => stage.welcomes(install) > 0;
    void stage.work({ database: mortal(stage.database, posted) });
    await until(posted);
    // By now the first attempt's call can no longer take effect, so each further attempt searches the whole history.
    await stage.pass(10 * 60_000);
    const failure = { type: 'status', status: 500 } as const;
    stage.sandbox.faults.add({ method: 'conversations.history', failure, times: 1000 });
    await stage.finish(install.runId);
    assert.deepEqual(await stepOf(stage, install.runId), ['failed', 'http_500']);
    assert.equal(stage.welcomes(install), 1);
  });

  it('the search for a welcome reads only messages from around the time of the call that sent the welcome', async (t) => {
    const stage = await welcomeStage(t);
    const install = await stage.install();
    const posted = () => stage.welcomes(install) > 0;
    void stage.work({ database: mortal(stage.database, posted) });
    await until(posted);
    await stage.pass(10 * 60_000);
    for (let count = 0; count < 250; count += 1) {
      await stage.sandbox.sendMessage({ ...install, text: `message ${count}` });
    }
    await stage.finish(install.runId);
    assert.deepEqual(await stepOf(stage, install.runId), ['succeeded', null]);
    assert.equal(stage.sandbox.calls('conversations.history').length, 1);
    assert.equal(stage.welcomes(install), 1);
  });
});

describe('the welcome of an org-wide install', () => {
  it('the run of an org-wide install waits until the installer’s workspace gets access to the app', async (t) => {
    const stage = await welcomeStage(t);
    const { sandbox, store } = stage;
    const install = await stage.install({ workspace: 'Initech Product', orgWide: true });
    await stage.finish(install.runId);
    const waiting = await stage.run(install.runId);
    assert.deepEqual(
      [waiting.status, waiting.waitingFor, waiting.dueAt],
      ['waiting', 'team_access_granted', null],
    );
    const { enterpriseId } = sandbox.workspace('Initech Product');
    await sandbox.grantAccess({ enterpriseId: enterpriseId ?? '', teamIds: [install.teamId] });
    await store.recordTeamAccess(
      { enterpriseId, isEnterpriseInstall: true },
      { teamIds: [install.teamId], granted: true, changedAt: stage.now() },
    );
    assert.equal((await stage.finish(install.runId)).status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
  });

  it('the run of an org-wide install does not miss a grant of access that is recorded just as its step starts to wait', async (t) => {
    const stage = await welcomeStage(t);
    const { sandbox, store } = stage;
    const install = await stage.install({ workspace: 'Initech Product', orgWide: true });
    const { enterpriseId } = sandbox.workspace('Initech Product');
    const racing = {
      ...sendWelcome,
      run: async (context: Parameters<typeof sendWelcome.run>[0]) => {
        const end = await sendWelcome.run(context);
        await sandbox.grantAccess({ enterpriseId: enterpriseId ?? '', teamIds: [install.teamId] });
        await store.recordTeamAccess(
          { enterpriseId, isEnterpriseInstall: true },
          { teamIds: [install.teamId], granted: true, changedAt: stage.now() },
        );
        return end;
      },
    };
    await stage.work({ steps: [racing] });
    assert.equal((await stage.run(install.runId)).status, 'queued');
    assert.equal((await stage.finish(install.runId)).status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
  });

  it('after an uninstall, an org-wide install waits until the installer’s workspace gets access again, and does not miss the grant', async (t) => {
    const known: (readonly string[])[] = [];
    let isGranting = false;
    const watched: ActingStep = {
      ...sendWelcome,
      async run(context) {
        known.push(context.workspaceIds);
        const end = await sendWelcome.run(context);
        if (isGranting) await letIn();
        isGranting = false;
        return end;
      },
    };
    const stage = await setStage(t, { steps: [watched] });
    const { sandbox, store } = stage;
    const org = { workspace: 'Initech Product', orgWide: true };
    const enterpriseId = sandbox.workspace('Initech Product').enterpriseId ?? '';
    const query = { enterpriseId, isEnterpriseInstall: true };
    const { runId, teamId } = await stage.install(org);
    const letIn = async (): Promise<void> => {
      await sandbox.grantAccess({ enterpriseId, teamIds: [teamId] });
      await store.recordTeamAccess(query, { teamIds: [teamId], granted: true, changedAt: stage.now() });
    };
    await letIn();
    assert.equal((await stage.finish(runId)).status, 'succeeded');
    await stage.pass(60_000);
    await sandbox.uninstall({ enterpriseId });
    await store.deleteInstallation(query);
    await stage.pass(60_000);
    const again = await stage.install(org);
    assert.equal((await stage.finish(again.runId)).waitingFor, 'team_access_granted');
    isGranting = true;
    await stage.database.write((tx) => queueRun(tx, { id: again.runId, now: stage.now() }));
    await stage.work();
    assert.equal((await stage.run(again.runId)).status, 'queued');
    assert.equal((await stage.finish(again.runId)).status, 'succeeded');
    assert.deepEqual(known, [[teamId], [], [], [teamId]]);
    assert.equal(stage.welcomes(again), 2);
  });

  it('the run of an org-wide install keeps waiting if only workspaces other than the installer’s get access to the app', async (t) => {
    const stage = await welcomeStage(t);
    const { sandbox, store } = stage;
    const org = { workspace: 'Initech Product', orgWide: true };
    const install = await stage.install(org);
    const { enterpriseId } = sandbox.workspace('Initech Product');
    const { id: salesId } = sandbox.workspace('Initech Sales');
    const nina = sandbox.person('Initech Product', 'admin').id;
    await stage.database.queries
      .updateTable('runs')
      .set({ user_id: nina })
      .where('id', '=', install.runId)
      .execute();
    const letIn = async (teamId: string) => {
      await sandbox.grantAccess({ enterpriseId: enterpriseId ?? '', teamIds: [teamId] });
      await store.recordTeamAccess(
        { enterpriseId, isEnterpriseInstall: true },
        { teamIds: [teamId], granted: true, changedAt: stage.now() },
      );
    };
    await letIn(salesId);
    const run = await stage.finish(install.runId);
    assert.deepEqual([run.status, run.waitingFor], ['waiting', 'team_access_granted']);
    await letIn(install.teamId);
    assert.equal((await stage.finish(install.runId)).status, 'succeeded');
    assert.equal(stage.welcomes({ teamId: install.teamId, userId: nina }), 1);
  });
});

/** Makes Slack clients with a time limit that is short enough for a test. */
function impatient(stage: PipelineStage): Partial<PipelineStage['deps']> {
  const { slackClient } = stage.deps;
  return { slackClient: (token, limits) => slackClient(token, { ...limits, timeoutMs: 200 }) };
}

/** Waits, one turn of the event loop at a time, until a condition holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((next) => setImmediate(next));
}
