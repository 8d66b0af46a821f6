import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { defineFoyer } from '../../src/index.ts';
import { retryRun } from '../../src/pipeline/retry-run.ts';
import { retryIn, type Step, StepError } from '../../src/pipeline/step.ts';
import { notifyOperators } from '../../src/steps/notify-operators.ts';
import { fetchProfile, registerTeam, registerUser } from '../../src/steps/register.ts';
import { requestWelcome } from '../../src/steps/request-welcome.ts';
import { startTestFoyer } from '../../src/testing/start-test-foyer.ts';
import { eventually } from '../../src/testing/visitor.ts';
import { mortal, type PipelineStage, setStage } from '../pipeline/pipeline-stage.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { mailPassword, startMailServer } from '../support/mail-server.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const taken: Answer = (_request, response) => void response.end('ok');
const refused =
  (status: number): Answer =>
  (_request, response) =>
    void response.writeHead(status).end('no');

/** Starts a webhook that gives these answers in turn, and then accepts everything. */
async function startWebhook(t: TestContext, ...answers: Answer[]) {
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    received.push(String(JSON.parse(Buffer.concat(parts).toString()).text));
    (answers.shift() ?? taken)(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/very-secret`,
  };
}

const mailTo = (url: string) => ({
  NOTIFY_SMTP_URL: url,
  NOTIFY_EMAIL_FROM: 'Foyer <foyer@ops.example>',
  NOTIFY_EMAIL_TO: 'ada@ops.example, grace@ops.example',
});

const stepOf = async (stage: PipelineStage, runId: string) => {
  const step = (await stage.run(runId)).steps.find(({ name }) => name === 'notify-operators');
  return [step?.status, step?.errorCode];
};
const header = (mail: string | undefined, name: string): string | undefined =>
  new RegExp(`^${name}: ((?:.*)(?:\\r\\n[ \\t].*)*)`, 'im').exec(mail ?? '')?.[1]?.replace(/\r\n\s/g, ' ');
const readable = (mail: string): string =>
  mail
    .replace(/=\r\n/g, '')
    .replace(/(?:=[0-9A-F]{2})+/g, (hex) => Buffer.from(hex.replaceAll('=', ''), 'hex').toString('utf8'));

describe('notify-operators by mail', () => {
  it('the mail to operators says who installed the app where, whether the team and the user are new, and what failed', async (t) => {
    const mail = await startMailServer(t);
    const failing: Step<null> = {
      name: 'optional',
      required: false,
      timeLimitMs: 1000,
      title: { todo: 'Do it', doing: 'Doing it' },
      maxAttempts: 1,
      async run() {
        throw new StepError('missing_scope', 'no', { final: true });
      },
    };
    const stage = await setStage(t, {
      steps: [registerTeam, registerUser, fetchProfile, failing, notifyOperators],
      environment: mailTo(mail.url),
    });
    const { runId, teamId, userId } = await stage.install();
    await stage.finish(runId);
    assert.equal(mail.received.length, 1);
    const text = readable(mail.received[0] ?? '');
    assert.match(
      header(text, 'Subject') ?? '',
      /Grace Okafor installed the app in Acme \(new team, new user, and a step failed\)/,
    );
    assert.equal(header(text, 'To'), 'ada@ops.example, grace@ops.example');
    assert.equal(header(text, 'Message-ID'), `<foyer.${runId}@ops.example>`);
    assert.equal(header(text, 'Auto-Submitted'), 'auto-generated');
    for (const part of [
      `Grace Okafor installed Foyer in Acme.\r\nNew team ${teamId} · new user ${userId} · run ${runId}`,
      '• optional failed: missing_scope',
      '<strong>Grace Okafor</strong> installed Foyer in <strong>Acme</strong>',
      '<code>missing_scope</code>',
    ]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
    await stage.pass(1000);
    const again = await stage.install();
    await stage.finish(again.runId);
    assert.match(readable(mail.received[1] ?? ''), /Known team .* known user/);
    await eventually(async () => (await mail.connections()) === 0, 3000);
    assert.doesNotMatch(stage.logged(), new RegExp(mailPassword));
  });

  it('the name of a workspace cannot add a header, a recipient or markup to the mail to operators', async (t) => {
    const mail = await startMailServer(t);
    const stage = await setStage(t, { steps: [notifyOperators], environment: mailTo(mail.url) });
    const { runId, installationId } = await stage.install();
    const name = 'Acme\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script><!channel>';
    await stage.database.queries
      .updateTable('installations')
      .set({ team_name: name })
      .where('id', '=', installationId)
      .execute();
    await stage.finish(runId);
    const text = readable(mail.received[0] ?? '');
    const headers = text.slice(0, text.indexOf('\r\n\r\n'));
    assert.doesNotMatch(headers, /^Bcc:/im);
    assert.match(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    const html = text.slice(text.indexOf('Content-Type: text/html'));
    assert.doesNotMatch(html, /<script>/);
  });

  it('notify-operators sends the mail again after a 451 from the mail server, but does not call the webhook again', async (t) => {
    const mail = await startMailServer(t);
    mail.answerWith(451, 421);
    const webhook = await startWebhook(t);
    const environment = { ...mailTo(mail.url), NOTIFY_SLACK_WEBHOOK_URL: webhook.url };
    const stage = await setStage(t, { steps: [notifyOperators], environment });
    const { runId } = await stage.install();
    await stage.work();
    assert.deepEqual(await stepOf(stage, runId), ['retrying', 'smtp_451']);
    await stage.finish(runId);
    assert.deepEqual(await stepOf(stage, runId), ['succeeded', null]);
    assert.deepEqual([webhook.received.length, mail.received.length], [1, 1]);
    assert.doesNotMatch(stage.logged() + JSON.stringify(await stage.run(runId)), new RegExp(mailPassword));
  });

  it('notify-operators sends the mail once, even if the webhook fails and someone retries the run', async (t) => {
    const mail = await startMailServer(t);
    const webhook = await startWebhook(t, refused(503), refused(404));
    const environment = { ...mailTo(mail.url), NOTIFY_SLACK_WEBHOOK_URL: webhook.url };
    const stage = await setStage(t, { steps: [notifyOperators], environment });
    const { runId } = await stage.install();
    await stage.finish(runId);
    assert.deepEqual(await stepOf(stage, runId), ['failed', 'http_404']);
    assert.equal((await stage.run(runId)).status, 'succeeded', 'a failed notice does not fail the run');
    assert.deepEqual([webhook.received.length, mail.received.length], [2, 1]);

    await stage.pass(1000);
    assert.equal(await retryRun(stage.database, runId, { now: stage.now() }), 'queued');
    await stage.finish(runId);
    assert.deepEqual(await stepOf(stage, runId), ['succeeded', null]);
    assert.deepEqual([webhook.received.length, mail.received.length], [3, 1], 'only the missing message');
  });

  it('notify-operators fails if the mail server refuses the mail permanently', async (t) => {
    const mail = await startMailServer(t);
    mail.answerWith(550);
    const stage = await setStage(t, { steps: [notifyOperators], environment: mailTo(mail.url) });
    const { runId } = await stage.install();
    await stage.finish(runId);
    assert.deepEqual(await stepOf(stage, runId), ['failed', 'smtp_550']);
    assert.equal(mail.received.length, 0);
  });

  it('notify-operators is retried if the mail server’s login, TLS or connection fails', async (t) => {
    const mail = await startMailServer(t);
    const secure = await startMailServer(t, { secure: true });
    const closed = createNetServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const cases: [url: string, code: RegExp][] = [
      [`smtp://foyer:wrong-password@127.0.0.1:${mail.port}`, /^smtp_login_refused$/],
      [`smtps://foyer:${mailPassword}@127.0.0.1:${mail.port}`, /^(tls_failed|connection_failed)$/],
      // No authority signed this certificate, so the password must not be sent.
      [`smtps://foyer:${mailPassword}@127.0.0.1:${secure.port}`, /^(tls_failed|connection_failed)$/],
      [`smtp://127.0.0.1:${mail.port}?requireTLS=true`, /^tls_failed$/],
      [`smtp://127.0.0.1:${port}`, /^connection_failed$/],
    ];
    for (const [url, code] of cases) {
      const stage = await setStage(t, { steps: [notifyOperators], environment: mailTo(url) });
      const { runId } = await stage.install();
      await stage.work();
      const [status, errorCode] = await stepOf(stage, runId);
      assert.equal(status, 'retrying', url.replace(mailPassword, '…'));
      assert.match(errorCode ?? '', code);
      assert.doesNotMatch(stage.logged(), /very-secret|wrong-password/);
    }
    assert.deepEqual([mail.received.length, secure.received.length], [0, 0]);
  });

  it('an attempt of notify-operators ends at its time limit if the mail server hangs, and leaves no connection open', async (t) => {
    const mail = await startMailServer(t);
    mail.answerWith('hang');
    const stage = await setStage(t, {
      steps: [{ ...notifyOperators, timeLimitMs: 1500 }],
      environment: mailTo(mail.url),
    });
    const { runId } = await stage.install();
    const startedAt = performance.now();
    await stage.work();
    assert.ok(performance.now() - startedAt < 8000);
    assert.equal((await stepOf(stage, runId))[0], 'retrying');
    await stage.finish(runId);
    assert.deepEqual([(await stepOf(stage, runId))[0], mail.received.length], ['succeeded', 1]);
    await eventually(async () => (await mail.connections()) === 0, 3000);
  });

  it('if the mail server disconnects before it confirms the mail, notify-operators resends the mail with the same Message-ID', async (t) => {
    const mail = await startMailServer(t);
    mail.answerWith('cut-after-taking');
    const stage = await setStage(t, { steps: [notifyOperators], environment: mailTo(mail.url) });
    const { runId } = await stage.install();
    await stage.finish(runId);
    assert.equal((await stepOf(stage, runId))[0], 'succeeded');
    const ids = mail.received.map((text) => header(text, 'Message-ID'));
    assert.deepEqual(ids, [`<foyer.${runId}@ops.example>`, `<foyer.${runId}@ops.example>`]);
  });
});

describe('a process that dies in notify-operators', () => {
  it('if the process dies before it commits the outcome, Foyer calls the webhook again only after someone retries the run', async (t) => {
    const mail = await startMailServer(t);
    const webhook = await startWebhook(t, async (_request, response) => {
      await eventually(async () => mail.received.length === 1);
      response.end('ok');
    });
    const environment = { ...mailTo(mail.url), NOTIFY_SLACK_WEBHOOK_URL: webhook.url };
    const stage = await setStage(t, { steps: [notifyOperators], environment });
    const { runId } = await stage.install();
    let died = false;
    const dead = () => {
      died ||= webhook.received.length === 1 && mail.received.length === 1;
      return died;
    };
    void stage.work({ database: mortal(stage.database, dead) });
    await eventually(async () => dead());
    await stage.pass(30_000);
    await stage.finish(runId);
    assert.deepEqual(await stepOf(stage, runId), ['unconfirmed', 'no_answer']);
    assert.deepEqual([webhook.received.length, mail.received.length], [1, 2]);
    assert.equal(header(mail.received[0], 'Message-ID'), header(mail.received[1], 'Message-ID'));

    await stage.pass(1000);
    await retryRun(stage.database, runId, { now: stage.now() });
    await stage.finish(runId);
    assert.deepEqual(await stepOf(stage, runId), ['succeeded', null]);
    assert.deepEqual([webhook.received.length, mail.received.length], [2, 2]);
  });
});

describe('a welcome that is requested again', () => {
  it('Foyer does not notify the operators again when the welcome of an install is sent again', async (t) => {
    const webhook = await startWebhook(t);
    const stage = await setStage(t, { environment: { NOTIFY_SLACK_WEBHOOK_URL: webhook.url } });
    const { runId, installationId } = await stage.install();
    await stage.finish(runId);
    await stage.pass(1000);
    await requestWelcome(stage.database, { installationId, userId: null, now: stage.now() });
    await stage.finish(runId);
    assert.equal(webhook.received.length, 1);
  });
});

it('a run does not wait for a failing webhook of notify-operators: it continues as soon as one of the app’s own steps is due', async (t) => {
  const webhook = await startWebhook(t, refused(503), refused(503));
  const tries: number[] = [];
  const count: Step<null> = {
    name: 'count',
    title: { todo: 'Count', doing: 'Counting' },
    async run({ attempt }) {
      tries.push(attempt);
      return attempt === 1 ? retryIn(60_000) : null;
    },
  };
  const last: Step<null> = { ...count, name: 'last', run: async () => null };
  const stage = await setStage(t, {
    steps: [registerTeam, notifyOperators, count, last],
    environment: { NOTIFY_SLACK_WEBHOOK_URL: webhook.url },
  });
  const { runId } = await stage.install();
  const statuses = async () => (await stage.run(runId)).steps.map((step) => step.status);
  await stage.work();
  assert.deepEqual(await statuses(), ['succeeded', 'retrying', 'retrying', 'pending']);
  assert.equal(
    (await stage.run(runId)).dueAt,
    stage.now() + 60_000,
    'the time of the step that still counts',
  );
  await stage.pass(60_000);
  await stage.work();
  assert.deepEqual(await statuses(), ['succeeded', 'retrying', 'succeeded', 'succeeded']);
  assert.deepEqual([tries, webhook.received.length], [[1, 2], 2]);
  const { status, dueAt } = await stage.run(runId);
  assert.ok(status === 'waiting' && dueAt !== null && dueAt > stage.now(), 'the webhook gets its pause');
  await stage.finish(runId);
  assert.deepEqual(await stepOf(stage, runId), ['succeeded', null]);
  assert.equal(webhook.received.length, 3);
});

it('if the app’s own steps succeed while the webhook of notify-operators fails, the run pauses, and then Foyer calls the webhook again', async (t) => {
  const webhook = await startWebhook(t, refused(503));
  const own: Step<null> = {
    name: 'own',
    title: { todo: 'Do it', doing: 'Doing it' },
    run: async () => null,
  };
  const stage = await setStage(t, {
    steps: [notifyOperators, own],
    environment: { NOTIFY_SLACK_WEBHOOK_URL: webhook.url },
  });
  const { runId } = await stage.install();
  await stage.work();
  const { status, steps, dueAt } = await stage.run(runId);
  assert.deepEqual(
    steps.map((step) => step.status),
    ['retrying', 'succeeded'],
  );
  assert.ok(status === 'waiting' && dueAt !== null && dueAt > stage.now());
  assert.equal(webhook.received.length, 1);
  await stage.finish(runId);
  assert.deepEqual(await stepOf(stage, runId), ['succeeded', null]);
  assert.equal(webhook.received.length, 2);
});

it('a run has the step notify-operators only if a channel for notices is configured', async (t) => {
  const webhook = await startWebhook(t);
  const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest) });
  for (const url of [undefined, webhook.url]) {
    const environment: Record<string, string> = url === undefined ? {} : { NOTIFY_SLACK_WEBHOOK_URL: url };
    await using app = await startTestFoyer(definition, { environment });
    await app.install();
    const { installations } = await app.foyer.list();
    const names = installations[0]?.run?.steps.map((step) => step.name) ?? [];
    assert.ok(names.includes('publish-home'), String(names));
    assert.equal(names.includes('notify-operators'), url !== undefined, String(names));
  }
});
