import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { listChannelTroubles } from '../../src/database/notices.ts';
import { createNoticeSender } from '../../src/notices/send-notices.ts';
import { checkNotices } from '../../src/operator/doctor/check-operators.ts';
import { notifyOperators } from '../../src/steps/notify-operators.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { listen } from '../operator/doctor-harness.ts';
import { setOperatorStage } from '../operator/pages/operator-stage.ts';
import { setStage } from '../pipeline/pipeline-stage.ts';
import { startMailServer } from '../support/mail-server.ts';

/** A webhook that a test can break, and a mail server that can refuse mail. Each records what it accepted. */
async function startChannels(t: TestContext) {
  const webhook = { status: 200, received: [] as string[], url: '' };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      if (webhook.status === 200) webhook.received.push(String(JSON.parse(body).text));
      response.writeHead(webhook.status).end();
    });
  });
  webhook.url = `${await listen(t, server)}/services/T0/B0/very-secret`;
  const mail = await startMailServer(t);
  const environment = {
    NOTIFY_SLACK_WEBHOOK_URL: webhook.url,
    NOTIFY_SMTP_URL: mail.url,
    NOTIFY_EMAIL_FROM: 'foyer@ops.example',
    NOTIFY_EMAIL_TO: 'ada@ops.example',
  };
  return { webhook, mail, environment };
}

type Channels = Awaited<ReturnType<typeof startChannels>>;

const dead = [
  {
    channel: 'webhook',
    code: 'http_404',
    what: 'The webhook',
    kill: ({ webhook }: Channels) => {
      webhook.status = 404;
    },
    reportedTo: ({ mail }: Channels) => mail.received.join('\n'),
  },
  {
    channel: 'mail',
    code: 'smtp_550',
    what: 'The mail server',
    kill: ({ mail }: Channels) => mail.answerWith(550, 550),
    reportedTo: ({ webhook }: Channels) => webhook.received.join('\n'),
  },
] as const;

for (const { channel, code, what, kill, reportedTo } of dead) {
  describe(`a failing notice channel does not disturb an install (${channel})`, () => {
    it(`if the notice channel “${channel}” is dead, an install still succeeds, and only the operators learn of the failure`, async (t) => {
      const channels = await startChannels(t);
      kill(channels);
      const stage = await setOperatorStage({ environment: channels.environment });
      t.after(() => stage.close());
      const { sandbox, url } = stage;
      const person = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
      const visitor = createVisitor();
      const done = await install(visitor, url, sandbox, person);
      const progress = url + done.headers.get('location');
      assert.equal((await finishedRun(visitor, progress)).status, 'succeeded');
      await sandbox.openHome(person);
      const page = await (await visitor.get(progress)).text();
      const shown = [
        page.replace(/<(style|script)\b.*?<\/\1>/gs, '').replace(/<[^>]*>/g, ' '),
        await (await visitor.get(`${progress}/status`)).text(),
        JSON.stringify(sandbox.homeView(person)),
        JSON.stringify(sandbox.messages(person)),
      ].join('\n');
      assert.doesNotMatch(shown, /webhook|mail server|notify-operators|http_404|smtp_550|hitch|failed/i);

      await eventually(async () => reportedTo(channels).includes('does not accept notifications'));
      await stage.logIn();
      const overview = await (await stage.get('/operator')).text();
      assert.match(overview, /Notifications do not arrive/);
      assert.match(overview, new RegExp(`${what} has accepted no message for .*${code}`));
      assert.doesNotMatch(overview, /installs? needs? attention/);
    });
  });
}

describe('Foyer reports a notice channel that does not accept messages', () => {
  async function stageWith(t: TestContext) {
    const channels = await startChannels(t);
    const stage = await setStage(t, { steps: [notifyOperators], environment: channels.environment });
    const { config, database, now } = stage;
    const sender = createNoticeSender({ config, database, now, log: stage.deps.log });
    const doctor = () => checkNotices(config, database.queries, now());
    const uninstall = async () => {
      const { teamId } = await stage.install();
      await stage.store.deleteInstallation({ teamId });
    };
    return {
      ...channels,
      stage,
      sender,
      doctor,
      uninstall,
      troubles: () => listChannelTroubles(database.queries, config.slack.clientId),
    };
  }

  it('if one notice channel fails, Foyer tells the operators once, through the other channel, and doctor reports the failure until the channel works again', async (t) => {
    const { webhook, mail, sender, doctor, uninstall, troubles } = await stageWith(t);
    webhook.status = 410;
    for (let times = 0; times < 3; times += 1) {
      await uninstall();
      await sender.send();
    }
    await sender.send();
    const reports = mail.received.filter((each) => /Subject: .*does not accept notifications/.test(each));
    assert.equal(reports.length, 1);
    assert.deepEqual(
      (await troubles()).map(({ channel, errorCode }) => [channel, errorCode]),
      [['webhook', 'http_410']],
    );
    const found = await doctor();
    assert.equal(found.status, 'warning');
    assert.match(found.detail, /The webhook has accepted no notification since .*http_410.*not affected/);

    webhook.status = 200;
    await uninstall();
    await sender.send();
    assert.deepEqual(await troubles(), []);
    webhook.status = 410;
    await uninstall();
    await sender.send();
    await sender.send();
    assert.equal(
      mail.received.filter((each) => /Subject: .*does not accept notifications/.test(each)).length,
      2,
      'the next trouble is a new one',
    );
  });

  it('if the failure of a notice channel may be temporary, Foyer reports it only after five attempts to send a notice', async (t) => {
    const { webhook, mail, stage, sender, uninstall, troubles } = await stageWith(t);
    webhook.status = 503;
    await uninstall();
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await sender.send();
      await stage.pass(3_600_000);
    }
    assert.deepEqual(await troubles(), []);
    await sender.send();
    await sender.send();
    assert.equal((await troubles()).length, 1);
    assert.match(mail.received.join('\n'), /The webhook does not accept notifications/);
  });

  it('if both notice channels fail, Foyer reports each failure once, and a report that fails causes no further report', async (t) => {
    const { webhook, mail, stage, sender, uninstall, troubles } = await stageWith(t);
    webhook.status = 404;
    mail.answerWith(550, 550, 550, 550);
    await uninstall();
    for (let times = 0; times < 4; times += 1) await sender.send();
    assert.deepEqual(
      (await troubles()).map(({ channel }) => channel),
      ['mail', 'webhook'],
    );
    const rows = await stage.database.queries
      .selectFrom('operator_notices')
      .selectAll()
      .where('installation_id', 'not like', '%STRANGER%')
      .execute();
    assert.equal(rows.filter(({ kind }) => kind === 'channel_failed').length, 4);
    assert.deepEqual(
      rows.filter(({ due_at }) => due_at !== null),
      [],
    );
  });
});
