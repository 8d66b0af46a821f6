import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Failure } from 'slack-sandbox';
import { beginOnceMessage } from '../../src/database/once-messages.ts';
import { retryIn, type Step } from '../../src/pipeline/step.ts';
import { engines } from '../support/open-test-database.ts';
import { ownRows } from '../support/strangers.ts';
import { mortal, type PipelineStage, setStage, signal } from './pipeline-stage.ts';

const title = { todo: 'Send tips', doing: 'Sending tips' };

/** A step that posts two messages and then runs again `repeats` times. */
function tips(repeats = 0): Step {
  return {
    name: 'tips',
    title,
    async run(context) {
      const first = await context.postOnce('tips', { text: 'Three things to try' });
      const second = await context.postOnce('rules', { text: 'And one rule' });
      if (context.attempt <= repeats) return retryIn(1000);
      return [first, second];
    },
  };
}

type Install = Awaited<ReturnType<PipelineStage['install']>>;
const textsIn = (stage: PipelineStage, install: Install): string[] =>
  stage.sandbox.messages(install).flatMap(({ text }) => text ?? []);
const both = ['Three things to try', 'And one rule'];

for (const engine of Object.keys(engines) as (keyof typeof engines)[]) {
  describe(`postOnce on ${engine}`, () => {
    it('postOnce posts one message for each key, however often the step runs', async (t) => {
      const stage = await setStage(t, { engine, steps: [tips(3)] });
      const acme = await stage.install();
      const globex = await stage.install({ workspace: 'Globex' });
      const run = await stage.finish(acme.runId);
      await stage.finish(globex.runId);
      assert.deepEqual([run.status, run.steps[0]?.attempts], ['succeeded', 4]);
      assert.deepEqual(textsIn(stage, acme).toSorted(), both.toSorted());
      assert.deepEqual(textsIn(stage, globex).toSorted(), both.toSorted());
      assert.equal(stage.sandbox.calls('conversations.history').length, 0, 'the sent messages are recorded');
    });

    it('postOnce posts its messages again if the app is uninstalled and installed again', async (t) => {
      const stage = await setStage(t, { engine, steps: [tips()] });
      const acme = await stage.install();
      await stage.finish(acme.runId);
      await stage.store.deleteInstallation({ teamId: acme.teamId });
      await stage.pass(1000);
      const again = await stage.install();
      // After the broken call, postOnce searches the DM for its message. It must not find the message from before the
      // uninstall.
      const failure: Failure = { type: 'reset-before-acting' };
      stage.sandbox.faults.add({ method: 'chat.postMessage', failure });
      await stage.finish(again.runId);
      assert.equal(textsIn(stage, acme).length, 4);
    });

    it('postOnce posts nothing if another process starts to post the same message just before postOnce does', async (t) => {
      const stage = await setStage(t, { engine, steps: [tips()] });
      const { runId, installationId, life } = await stage.install();
      const tables = stage.database;
      let isBeaten = false;
      const raced: typeof tables = {
        ...tables,
        async write(work, patienceMs) {
          const [post] = await ownRows(tables, 'posts');
          const isFirst = !isBeaten && (await ownRows(tables, 'steps'))[0]?.status === 'running' && !post;
          if (isFirst) {
            isBeaten = true;
            const key = { kind: 'post' as const, installationId, life, key: 'tips' };
            const call = { runId, now: stage.now(), settledBy: stage.now() + 1, channelId: null };
            await tables.write((tx) => beginOnceMessage(tx, key, { ...call, previous: undefined }));
          }
          return tables.write(work, patienceMs);
        },
      };
      await stage.work({ database: raced });
      assert.ok(isBeaten);
      assert.equal(stage.sandbox.calls('chat.postMessage').length, 0);
      assert.equal((await stage.run(runId)).steps[0]?.status, 'retrying');
      assert.equal((await ownRows(tables, 'posts'))[0]?.status, 'sending');
    });

    const failures: { what: string; failure: Failure; calls: number }[] = [
      {
        what: 'the connection breaks after Slack has posted the message',
        failure: { type: 'reset-after-acting' },
        calls: 2,
      },
      {
        what: 'the connection breaks before Slack posts the message',
        failure: { type: 'reset-before-acting' },
        calls: 3,
      },
      {
        what: 'Slack asks Foyer to wait',
        failure: { type: 'status', status: 429, retryAfterSeconds: 5 },
        calls: 3,
      },
    ];
    for (const { what, failure, calls } of failures) {
      it(`postOnce posts each message once even if ${what}`, async (t) => {
        const stage = await setStage(t, { engine, steps: [tips()] });
        const acme = await stage.install();
        stage.sandbox.faults.add({ method: 'chat.postMessage', failure });
        assert.equal((await stage.finish(acme.runId)).status, 'succeeded');
        assert.deepEqual(textsIn(stage, acme).toSorted(), both.toSorted());
        assert.equal(stage.sandbox.calls('chat.postMessage').length, calls);
      });
    }

    it('postOnce does not mistake a similar message of another installation or event type for its own', async (t) => {
      const stage = await setStage(t, { engine, steps: [tips()] });
      const acme = await stage.install();
      // Two similar messages in the same DM: one names another installation, and one has the app's own event type.
      const slack = stage.deps.slackClient(await stage.deps.botToken(acme.installationId));
      const payload = { installation_id: acme.installationId, life: acme.life, key: 'rules' };
      for (const [event_type, event_payload] of [
        ['foyer_post', { ...payload, installation_id: 'ins_other' }],
        ['own_event', payload],
      ] as const)
        await slack.chat.postMessage({
          ...{ channel: acme.userId, text: 'Another one' },
          metadata: { event_type, event_payload },
        });
      const failure: Failure = { type: 'reset-before-acting' };
      stage.sandbox.faults.add({ method: 'chat.postMessage', after: 1, failure });
      const run = await stage.finish(acme.runId);
      assert.deepEqual(textsIn(stage, acme).toSorted(), [...both, 'Another one', 'Another one'].toSorted());
      assert.ok(stage.now() - run.createdAt >= 2000);
    });

    it('if the process dies after it has posted a message but before it has recorded the post, postOnce does not post the message again', async (t) => {
      const stage = await setStage(t, { engine, steps: [tips()] });
      const acme = await stage.install();
      const posted = () => textsIn(stage, acme).length > 0;
      void stage.work({ database: mortal(stage.database, posted) });
      while (!posted()) await new Promise((next) => setImmediate(next));
      await stage.pass(31_000);
      assert.equal((await stage.finish(acme.runId)).status, 'succeeded');
      assert.deepEqual(textsIn(stage, acme).toSorted(), both.toSorted());
    });

    it('if Slack refuses an older call after a newer call has posted the message, postOnce does not change the record and does not post the message again', async (t) => {
      const stage = await setStage(t, { engine, steps: [tips()] });
      const acme = await stage.install();
      const asked = signal();
      const refused = signal();
      const stalled: PipelineStage['deps']['slackClient'] = (token, limits) => {
        const client = stage.deps.slackClient(token, { ...limits, signal: undefined });
        const post = client.chat.postMessage.bind(client.chat);
        client.chat.postMessage = async (message) => {
          asked.reach();
          await refused.reached;
          return post(message);
        };
        return client;
      };
      const first = stage.work({ slackClient: stalled });
      await asked.reached;
      await stage.pass(31_000);
      const posted = () => textsIn(stage, acme).length > 0;
      void stage.work({ database: mortal(stage.database, posted) });
      while (!posted()) await new Promise((next) => setImmediate(next));
      const failure: Failure = { type: 'status', status: 429, retryAfterSeconds: 1 };
      stage.sandbox.faults.add({ method: 'chat.postMessage', failure });
      const record = await ownRows(stage.database, 'posts');
      assert.equal(record[0]?.status, 'sending');
      refused.reach();
      await first;
      assert.deepEqual(await ownRows(stage.database, 'posts'), record);
      await stage.pass(31_000);
      assert.equal((await stage.finish(acme.runId)).status, 'succeeded');
      assert.deepEqual(textsIn(stage, acme).toSorted(), both.toSorted());
    });

    it('a step ends as unconfirmed if Slack may have posted its message and Foyer lacks the scope to search for that message', async (t) => {
      const stage = await setStage(t, { engine, steps: [tips()] });
      const scopes = stage.config.slack.botScopes.filter((scope) => scope !== 'im:history');
      const acme = await stage.install({ scopes });
      stage.sandbox.faults.add({ method: 'chat.postMessage', failure: { type: 'reset-after-acting' } });
      const run = await stage.finish(acme.runId);
      assert.deepEqual(
        run.steps.map(({ status, errorCode }) => [status, errorCode]),
        [['unconfirmed', 'missing_scope']],
      );
      assert.equal(textsIn(stage, acme).length, 1);
    });
  });
}
