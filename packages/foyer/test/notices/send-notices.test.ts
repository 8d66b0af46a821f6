import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { countUndelivered } from '../../src/database/notices.ts';
import { erasePerson } from '../../src/database/people/erase-person.ts';
import { createNoticeSender } from '../../src/notices/send-notices.ts';
import { type Step, StepError } from '../../src/pipeline/step.ts';
import { notifyOperators } from '../../src/steps/notify-operators.ts';
import { type PipelineStage, setStage } from '../pipeline/pipeline-stage.ts';
import { teamInstall } from '../support/installations.ts';
import { startMailServer } from '../support/mail-server.ts';

/** Starts a webhook that answers with its current `status`. It records a text only if it answers 200. */
async function startWebhook(t: TestContext) {
  const received: string[] = [];
  const webhook = { received, status: 200, url: '' };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (webhook.status === 200) received.push(String(JSON.parse(Buffer.concat(parts).toString()).text));
    response.writeHead(webhook.status, { 'retry-after': '60' }).end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  webhook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/x`;
  return webhook;
}

const failing: Step<null> = {
  name: 'register-plan',
  required: true,
  timeLimitMs: 1000,
  title: { todo: 'Do it', doing: 'Doing it' },
  maxAttempts: 1,
  async run() {
    throw new StepError('billing_down', 'no', { final: true });
  },
};

function senderOf(stage: PipelineStage) {
  const { config, database, now } = stage;
  return createNoticeSender({ config, database, now, log: stage.deps.log });
}

const rows = (stage: PipelineStage) =>
  stage.database.queries
    .selectFrom('operator_notices')
    .selectAll()
    .where('installation_id', 'not like', '%STRANGER%')
    .orderBy('channel')
    .execute();

async function stageWithBoth(
  t: TestContext,
  steps: readonly Step[] = [],
  uninstallSteps: readonly Step[] = [],
) {
  const [webhook, mail] = [await startWebhook(t), await startMailServer(t)];
  const stage = await setStage(t, {
    steps,
    uninstallSteps,
    environment: {
      NOTIFY_SLACK_WEBHOOK_URL: webhook.url,
      NOTIFY_SMTP_URL: mail.url,
      NOTIFY_EMAIL_FROM: 'foyer@ops.example',
      NOTIFY_EMAIL_TO: 'ada@ops.example',
    },
  });
  return { stage, webhook, mail, sender: senderOf(stage) };
}

describe('notices to the operators', () => {
  it('the operators are notified of an uninstall once per channel, even if its event comes twice and three senders run at the same time', async (t) => {
    const { stage, webhook, mail, sender } = await stageWithBoth(t);
    const { teamId } = await stage.install();
    await stage.pass(60_000);
    for (const _ of [1, 2]) await stage.store.deleteInstallation({ teamId }, { reason: 'app_uninstalled' });
    await Promise.all([sender.send(), senderOf(stage).send(), senderOf(stage).send()]);
    await sender.send();
    assert.equal(webhook.received.length, 1);
    assert.match(webhook.received[0] ?? '', /^\*Acme\* uninstalled Foyer\./);
    assert.equal(mail.received.length, 1);
    assert.match(mail.received[0] ?? '', /^Subject: \[Foyer\] Acme uninstalled the app\r$/m);
    assert.match(mail.received[0] ?? '', /^Message-ID: <foyer\.his_[0-9A-Z]+@ops\.example>\r$/m);
  });

  it('the notice of an uninstall does not blame the team if an operator or the host uninstalled the app', async (t) => {
    const { stage, webhook, mail, sender } = await stageWithBoth(t);
    const { teamId } = await stage.install();
    await stage.store.deleteInstallation({ teamId }, { reason: 'operator' });
    await sender.send();
    assert.match(webhook.received[0] ?? '', /^Foyer was uninstalled from \*Acme\* on our side: `operator`\./);
    assert.match(mail.received[0] ?? '', /^Subject: \[Foyer\] The app was uninstalled from Acme\r$/m);
  });

  it('the operators are notified of a dead token once, and not at all if an uninstall follows soon', async (t) => {
    const { stage, webhook, sender } = await stageWithBoth(t);
    const acme = await stage.install();
    await stage.store.markBroken(acme.installationId, 'token_revoked');
    await stage.store.markBroken(acme.installationId, 'token_revoked');
    await sender.send();
    assert.equal(webhook.received.length, 0, 'the uninstall may follow');
    await stage.pass(60_000);
    await sender.send();
    await sender.send();
    assert.equal(webhook.received.length, 1);
    assert.match(webhook.received[0] ?? '', /Slack refuses the token of Foyer in \*Acme\*: `token_revoked`/);

    const again = await stage.install();
    await stage.store.revokeBot({ teamId: again.teamId });
    await stage.store.deleteInstallation({ teamId: again.teamId });
    await stage.pass(60_000);
    await sender.send();
    assert.equal(webhook.received.length, 2);
    assert.match(webhook.received[1] ?? '', /uninstalled/);
  });

  it('the notice of a dead token says that Foyer keeps the tokens only while the installation is held', async (t) => {
    const { stage, webhook, sender } = await stageWithBoth(t);
    const { installationId } = await stage.install();
    await stage.store.markBroken(installationId, 'account_inactive');
    await stage.store.markBroken(installationId, 'token_revoked');
    await stage.pass(60_000);
    for (let times = 0; times < 3; times += 1) await sender.send();
    assert.equal(webhook.received.length, 2);
    assert.doesNotMatch(webhook.received.join(), /Foyer keeps the tokens/);
  });

  it('the operators are not notified of a person’s dead token if the person has authorized again or was erased in the meantime', async (t) => {
    const { stage, webhook, sender } = await stageWithBoth(t);
    const { store, database, now } = stage;
    const { clientId } = stage.config.slack;
    const userId = 'U7';
    const loseToken = async (teamId: string) => {
      const { installationId } = await store.recordInstall(
        teamInstall({ teamId, userId, userToken: 'xoxp-1' }),
      );
      const { userVersion } = (await store.readInstallation(installationId, userId)) ?? {};
      const holder = { installationId, userId };
      assert.equal(await store.dropDeadUserToken(holder, 'token_expired', userVersion ?? 0), true);
      return installationId;
    };
    await loseToken('T7');
    await store.recordMember(teamInstall({ teamId: 'T7', userId, botToken: null, userToken: 'xoxp-2' }));
    await store.markBroken(await loseToken('T8'), 'token_revoked');
    await database.write((tx) => erasePerson(tx, { clientId, teamId: 'T8', userId, now: now() }));
    await stage.pass(60_000);
    for (let times = 0; times < 5; times += 1) await sender.send();
    assert.equal(webhook.received.length, 1, webhook.received.join('\n'));
    assert.match(webhook.received[0] ?? '', /Slack refuses the token of Foyer/);
  });

  it('the operators are notified once of a run that failed before its step notify-operators ran', async (t) => {
    const { stage, webhook, mail, sender } = await stageWithBoth(t, [failing, notifyOperators]);
    const { runId } = await stage.install();
    assert.equal((await stage.finish(runId)).status, 'failed');
    assert.equal(webhook.received.length, 0);
    await sender.send();
    await sender.send();
    assert.deepEqual([webhook.received.length, mail.received.length], [1, 1]);
    assert.match(webhook.received[0] ?? '', /`register-plan` failed: `billing_down`/);
    assert.match(webhook.received[0] ?? '', new RegExp(`retry ${runId}`));
  });

  it('if the app was uninstalled in the meantime, the notice of a failed install run does not suggest a retry', async (t) => {
    const { stage, webhook, sender } = await stageWithBoth(t, [failing, notifyOperators]);
    const { runId, teamId } = await stage.install();
    assert.equal((await stage.finish(runId)).status, 'failed');
    await stage.store.deleteInstallation({ teamId });
    await sender.send();
    const notice = webhook.received.find((text) => text.includes('register-plan'));
    assert.match(notice ?? '', /Setup of Foyer in \*Acme\*/);
    assert.doesNotMatch(notice ?? '', /retry/);
  });

  it('the notice of a failed uninstall run says that an uninstall did not finish', async (t) => {
    const { stage, webhook, mail, sender } = await stageWithBoth(t, [], [failing]);
    const { teamId, installationId } = await stage.install();
    await stage.store.deleteInstallation({ teamId }, { reason: 'app_uninstalled' });
    const { id } = await stage.database.queries
      .selectFrom('runs')
      .select('id')
      .where('installation_id', '=', installationId)
      .where('pipeline', '=', 'uninstall')
      .executeTakeFirstOrThrow();
    assert.equal((await stage.finish(id)).status, 'failed');
    await sender.send();
    assert.ok(
      webhook.received.some((text) =>
        /^The steps after the uninstall of Foyer in \*Acme\* failed\./.test(text),
      ),
    );
    assert.ok(
      mail.received.some((text) => /^Subject: \[Foyer\] An uninstall in Acme did not finish\r$/m.test(text)),
    );
    assert.ok(!webhook.received.some((text) => /Setup of/.test(text)));
  });

  it('the operators get no second notice of a failed run if its step notify-operators ran after the failure', async (t) => {
    const { stage, webhook, sender } = await stageWithBoth(t, [
      { ...failing, required: false },
      notifyOperators,
    ]);
    const { runId } = await stage.install();
    assert.equal((await stage.finish(runId)).status, 'failed');
    await sender.send();
    assert.equal(webhook.received.length, 1);
    assert.match(webhook.received[0] ?? '', /installed Foyer/);
  });

  it('if one notice channel fails, the operators are notified through the other, and Foyer retries the failing channel for a day', async (t) => {
    const { stage, webhook, mail, sender } = await stageWithBoth(t);
    const { teamId } = await stage.install();
    webhook.status = 503;
    await stage.store.deleteInstallation({ teamId });
    await sender.send();
    assert.deepEqual([webhook.received.length, mail.received.length], [0, 1]);
    const { clientId } = stage.config.slack;
    const undelivered = () => countUndelivered(stage.database.queries, { clientId, now: stage.now() });
    assert.deepEqual(await undelivered(), { webhook: 1, mail: 0 });
    await stage.pass(3_600_000);
    webhook.status = 429;
    await sender.send();
    webhook.status = 200;
    await sender.send();
    assert.equal(webhook.received.length, 0, 'the webhook asked to wait');
    await stage.pass(60_000);
    await sender.send();
    assert.deepEqual([webhook.received.length, mail.received.length], [1, 1]);
    assert.deepEqual(await undelivered(), { webhook: 0, mail: 0 });

    const next = await stage.install();
    webhook.status = 503;
    await stage.store.deleteInstallation({ teamId: next.teamId });
    for (let hour = 0; hour < 26; hour += 1) {
      await sender.send();
      await stage.pass(3_600_000);
    }
    const given = (await rows(stage)).find(({ status }) => status === 'failed');
    assert.deepEqual([given?.channel, given?.error_code, given?.due_at], ['webhook', 'http_503', null]);
  });

  it('if a process died while it posted a notice to the webhook, Foyer does not post that notice again', async (t) => {
    const { stage, webhook, mail, sender } = await stageWithBoth(t);
    const { teamId } = await stage.install();
    await stage.store.deleteInstallation({ teamId });
    await stage.database.queries
      .updateTable('operator_notices')
      .set({ status: 'sending', attempts: 1 })
      .where('installation_id', 'not like', '%STRANGER%')
      .execute();
    await sender.send();
    assert.deepEqual([webhook.received.length, mail.received.length], [0, 1]);
    const statuses = (await rows(stage)).map(({ channel, status }) => [channel, status]);
    assert.deepEqual(statuses, [
      ['mail', 'sent'],
      ['webhook', 'unconfirmed'],
    ]);
  });

  it('if no notice channel is configured, Foyer notifies no one and keeps no notices', async (t) => {
    const stage = await setStage(t, { steps: [] });
    const { teamId } = await stage.install();
    await stage.store.deleteInstallation({ teamId });
    assert.equal((await rows(stage)).length, 2);
    await senderOf(stage).send();
    assert.deepEqual(await rows(stage), []);
  });

  it('a notice sender that was stopped sends nothing, and another sender sends the notices instead', async (t) => {
    const { stage, webhook, sender } = await stageWithBoth(t);
    const { teamId } = await stage.install();
    await stage.store.deleteInstallation({ teamId });
    sender.stop();
    await sender.send();
    assert.equal(webhook.received.length, 0);
    await senderOf(stage).send();
    assert.equal(webhook.received.length, 1);
  });
});
