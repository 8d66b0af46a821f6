import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import {
  createVisitor,
  eventually,
  finishedRun,
  install,
  pressAddToSlack,
} from '../../src/testing/visitor.ts';
import { compileCache } from '../support/compile-cache.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';
import { count, isFullRun } from './support/full-run.ts';
import { setProcessStage } from './support/process-stage.ts';
import { signedPost } from './support/signed-post.ts';

/** Attacks that the end-to-end tests do not include. They use names, buttons, tokens, connections and headers. */

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../support/app/cli.ts', import.meta.url));

const query = <Row>(stage: Stage, sql: string): Row[] => {
  const database = new Sqlite(stage.databaseFile, { readonly: true });
  const found = database.prepare(sql).all() as Row[];
  database.close();
  return found;
};

const unseen = ['\u202E', '\u0007', '\u001B'];

/** Returns every text in which Slack interprets markup: mrkdwn objects, and a message's own text. */
function marked(shown: unknown): string[] {
  if (Array.isArray(shown)) return shown.flatMap(marked);
  if (typeof shown !== 'object' || shown === null) return [];
  const { type, text } = shown as { type?: unknown; text?: unknown };
  const own = typeof text === 'string' && type !== 'plain_text' ? [text] : [];
  return [...own, ...Object.values(shown).flatMap(marked)];
}

describe('hostile names of workspaces and people do no harm', () => {
  const hostile =
    '<!channel> *x* _y_ <https://evil.example|click> &amp; "><script>alert(1)</script> \u202Eexe.\u0007\u001B[31m';
  let stage: Stage;
  const acme = { teamId: '', userId: '' };
  let progress = '';

  before(async () => {
    stage = await setStage();
    const workspace = stage.sandbox.workspace('Acme');
    const person = stage.sandbox.person('Acme', 'owner');
    Object.assign(acme, { teamId: workspace.id, userId: person.id });
    Object.assign(workspace, { name: hostile });
    Object.assign(person, { name: hostile, realName: hostile });
    const visitor = createVisitor();
    const done = await install(visitor, stage.url, stage.sandbox, acme);
    progress = stage.url + done.headers.get('location');
    assert.equal((await finishedRun(visitor, progress)).status, 'succeeded');
  });
  after(() => stage.close());

  it('hostile names of workspaces and people inject nothing into the progress page', async () => {
    const answer = await createVisitor().get(progress);
    const page = await answer.text();
    assert.ok(!page.includes('<script>alert'), 'a script');
    assert.ok(!page.includes('"><script'), 'an escape from an attribute');
    assert.match(page, /&lt;!channel&gt;/);
    assert.ok(!unseen.some((character) => page.includes(character)), 'invisible characters');
    const status = await createVisitor().get(`${progress}/status`);
    assert.match(status.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(status.headers.get('x-content-type-options'), 'nosniff');
  });

  for (const [where, shown] of [
    ['the welcome', () => stage.sandbox.messages(acme)],
    ['App Home', () => stage.sandbox.homeView(acme)],
  ] as const) {
    it(`hostile names of workspaces and people add no mention, link or formatting to ${where}`, async () => {
      const content = marked(shown()).join('\n');
      assert.ok(!content.includes('<!channel'), 'a mention of everyone');
      assert.ok(!/<https?:\/\/evil/.test(content), 'an injected link');
      assert.ok(!content.includes('*x*') && !content.includes('_y_'), 'injected formatting');
      assert.ok(
        !/\\u202e/i.test(JSON.stringify(shown())) && !content.includes('\u202E'),
        'a reversed text direction',
      );
      assert.match(content, /&lt;!channel&gt;/);
    });
  }

  it('hostile names of workspaces and people cannot control the operator’s terminal', async () => {
    const environment = {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: compileCache,
      FORCE_COLOR: '1',
      SLACK_CLIENT_ID: stage.config.slack.clientId,
      SLACK_CLIENT_SECRET: stage.config.slack.clientSecret,
      SLACK_SIGNING_SECRET: stage.config.slack.signingSecret,
      DATABASE_URL: `file:${stage.databaseFile}`,
    };
    const commands = [['show', acme.teamId], ['list'], ['requests']];
    for (const command of isFullRun ? commands : commands.slice(0, 1)) {
      const { stdout } = await run(process.execPath, [cli, ...command], {
        cwd: stage.folder,
        env: environment,
      });
      assert.ok(stdout.includes('channel'), command[0]);
      assert.ok(!stdout.includes('\u202E') && !stdout.includes('\u0007'), command[0]);
      assert.ok(!stdout.includes('exe.\u001B') && !stdout.includes('\u001B[31m\u001B'), command[0]);
    }
  });
});

describe('a button press by someone who may not use the button', () => {
  let stage: Stage;
  const places: Record<
    'acme' | 'globex',
    { teamId: string; userId: string; runId: string; installationId: string }
  > = {
    acme: { teamId: '', userId: '', runId: '', installationId: '' },
    globex: { teamId: '', userId: '', runId: '', installationId: '' },
  };

  before(async () => {
    stage = await setStage();
    for (const [key, name] of [
      ['acme', 'Acme'],
      ['globex', 'Globex'],
    ] as const) {
      const place = { teamId: stage.sandbox.workspace(name).id, userId: stage.sandbox.person(name).id };
      // Both installs have a failed run, so that there is something to retry.
      stage.sandbox.faults.add({
        method: 'chat.postMessage',
        failure: { type: 'error', error: 'restricted_action' },
      });
      const visitor = createVisitor();
      const done = await install(visitor, stage.url, stage.sandbox, place);
      const status = await finishedRun(visitor, stage.url + done.headers.get('location'));
      assert.equal(status.status, 'failed');
      const [row] = query<{ installation_id: string }>(
        stage,
        `select installation_id from runs where id = '${status.id}'`,
      );
      places[key] = { ...place, runId: status.id, installationId: row?.installation_id ?? '' };
    }
  });
  after(() => stage.close());

  const state = () =>
    JSON.stringify([
      query(stage, 'select id, status from runs order by id'),
      query(stage, 'select run_id, step_name, attempt from step_attempts order by 1, 2, 3'),
      query(stage, 'select id from history order by id'),
      stage.sandbox.calls('chat.postMessage').length,
    ]);

  /** A press as Slack would send it, except for `changes`, which the attacker made. */
  async function press(changes: {
    teamId: string;
    userId: string;
    actionId: string;
    value: string;
    extra?: object;
  }) {
    return signedPost({
      url: stage.url,
      signingSecret: stage.sandbox.app.signingSecret,
      body: {
        type: 'block_actions',
        api_app_id: stage.sandbox.app.id,
        user: { id: changes.userId, team_id: changes.teamId },
        team: { id: changes.teamId, domain: 'x' },
        enterprise: null,
        is_enterprise_install: false,
        trigger_id: '1.2.x',
        container: { type: 'view', view_id: 'V1' },
        actions: [
          {
            type: 'button',
            action_id: changes.actionId,
            block_id: 'b',
            value: changes.value,
            action_ts: '1.2',
          },
        ],
        ...changes.extra,
      },
    });
  }

  it('a button press by someone who may not use the button changes nothing, even if the payload claims another team, person or role', async () => {
    const { acme, globex } = places;
    const priya = stage.sandbox.person('Acme', 'member').id;
    const admin = stage.sandbox.person('Globex', 'admin').id;
    const untouched = state();
    const cases = [
      { teamId: acme.teamId, userId: priya, value: acme.runId },
      { teamId: acme.teamId, userId: 'U0NOBODY', value: acme.runId },
      // The installer and an admin of Globex try to retry Acme's run.
      { teamId: globex.teamId, userId: globex.userId, value: acme.runId },
      { teamId: globex.teamId, userId: admin, value: acme.runId },
      // The installer and the admin of Globex claim to be in Acme.
      { teamId: acme.teamId, userId: globex.userId, value: acme.runId },
      { teamId: acme.teamId, userId: admin, value: acme.runId },
      { teamId: 'T0NOBODY', userId: acme.userId, value: acme.runId },
      { teamId: acme.teamId, userId: acme.userId, value: "' or 1=1 --" },
      { teamId: acme.teamId, userId: acme.userId, value: '' },
      {
        teamId: acme.teamId,
        userId: priya,
        value: acme.runId,
        extra: { user: { id: priya, is_admin: true, is_owner: true }, view: { private_metadata: 'admin' } },
      },
    ];
    const retries = cases.map((each) => press({ ...each, actionId: 'foyer.retry_run' }));
    const strangers = cases.filter(
      ({ teamId, userId }) => teamId !== globex.teamId && userId !== acme.userId,
    );
    const wishes = strangers.map((each) => press({ ...each, actionId: 'foyer.send_welcome' }));
    const unknown = ['foyer.purge', '__proto__', 'constructor', 'x'.repeat(3000)].map((actionId) =>
      press({ ...acme, actionId, value: acme.runId }),
    );
    for (const answer of await Promise.all([...retries, ...wishes, ...unknown]))
      assert.equal(answer.status, 200);
    assert.equal(state(), untouched);
  });

  it('the retry button works when the installer presses it', async () => {
    const { acme } = places;
    const answer = await press({ ...acme, actionId: 'foyer.retry_run', value: acme.runId });
    assert.equal(answer.status, 200);
    await eventually(async () => {
      const [row] = query<{ status: string }>(stage, `select status from runs where id = '${acme.runId}'`);
      return row?.status === 'succeeded';
    });
  });
});

describe('hostile requests from a browser do no harm', () => {
  const success = 'https://app.example.com/welcome?from=foyer';
  let stage: Stage;
  before(async () => {
    stage = await setStage({ environment: { SLACK_SUCCESS_REDIRECT_URL: success, SLACK_USER_SCOPES: '' } });
  });
  after(() => stage.close());

  it('a hostile query or header cannot make Foyer redirect a browser to a site that is not configured', async () => {
    const { sandbox, url } = stage;
    const evil = 'https://evil.example';
    const extra = new URLSearchParams(
      [
        'redirect_uri',
        'redirect',
        'next',
        'success_url',
        'returnTo',
        'SLACK_SUCCESS_REDIRECT_URL',
        'url',
      ].map((name): [string, string] => [name, evil]),
    );
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    const visitor = createVisitor();
    const start = await visitor.get(`${url}/slack/install?${extra}`, headers);
    const authorizeUrl = start.headers.get('location') ?? '';
    assert.ok(!authorizeUrl.includes('evil'));
    const place = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
    const callback = await sandbox.consent({ authorizeUrl, ...place });
    const done = await visitor.get(`${callback}&${extra}`, {
      ...headers,
      cookie: [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    });
    assert.equal(done.status, 303);
    assert.equal(done.headers.get('location'), success);
    const again = await visitor.get(`${callback}&${extra}`, headers);
    assert.equal(again.headers.get('location'), success);
  });

  it('a request with a forged Host header gets no page that shows that host', async () => {
    for (const path of ['/', '/no/such', '/slack/oauth_redirect', '/installs/x']) {
      const socket = await speak(
        stage.url,
        `GET ${path} HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n`,
      );
      assert.ok(!socket.includes('evil.example'), path);
    }
  });

  it('a browser cannot reach another person’s progress page by guessing', async (t) => {
    // Without SLACK_SUCCESS_REDIRECT_URL, a callback leads to the progress page.
    const stage = await setStage();
    t.after(() => stage.close());
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const place = { teamId: sandbox.workspace('Globex').id, userId: sandbox.person('Globex').id };
    const callback = await pressAddToSlack(visitor, url, sandbox, place);
    const progress = (await visitor.get(callback)).headers.get('location') ?? '';
    const token = progress.split('/').at(-1) ?? '';
    assert.equal((await visitor.get(url + progress)).status, 200);
    const hashes = query<{ progress_hash: string }>(stage, 'select progress_hash from install_requests');
    const guesses = [
      ...hashes.map((row) => row.progress_hash),
      token.slice(0, -1),
      token.toLowerCase(),
      `${token}A`,
      token.split('').reverse().join(''),
      "'%20or%201=1",
      ...Array.from({ length: count({ quick: 40, full: 300 }) }, () => randomBytes(24).toString('base64url')),
    ].filter((guess) => guess !== token);
    for (const guess of guesses) {
      const page = await createVisitor().get(`${url}/installs/${guess}`);
      assert.equal(page.status, 404, guess);
      assert.ok(!(await page.text()).includes('Globex'));
    }
    assert.deepEqual(await (await createVisitor().get(`${url}/installs/${guesses[0]}/status`)).json(), {
      error: 'not_found',
    });
  });
});

/** Sends text, and resolves to everything received until the connection closes. */
function speak(url: string, text: string, withinMs = 12_000): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setTimeout(withinMs, () => socket.destroy(new Error('no answer in time')));
    socket.setEncoding('utf8').on('data', (part) => {
      heard += part;
    });
    socket.on('error', (error) => (heard ? resolve(heard) : reject(error)));
    socket.on('close', () => resolve(heard));
  });
}

describe('attackers cannot use up resources with connections or headers', { concurrency: 2 }, () => {
  it(`${count({ quick: 300, full: 2000 })} idle connections do not keep Foyer from answering other clients`, async (t) => {
    const stage = await setProcessStage();
    t.after(() => stage.close());
    const many = count({ quick: 300, full: 2000 });
    const { hostname, port } = new URL(stage.url);
    const sockets: Socket[] = [];
    t.after(() => sockets.map((socket) => socket.destroy()));
    let closed = 0;
    const connectOne = (n: number) =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => {
          // A third of the clients send nothing, a third send half a header, and a third send half a body.
          if (n % 3 === 1) socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
          if (n % 3 === 2)
            socket.write('POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
          resolve();
        });
        socket
          .on('error', reject)
          .on('data', () => {})
          .on('close', () => {
            closed += 1;
          });
        sockets.push(socket);
      });
    let slowestMs = 0;
    // Connects only a hundred clients at a time: the system drops connections beyond a backlog of 511, and a client
    // notices a dropped connection only when it writes. When Foyer answers the request to /healthz, it has accepted all
    // connections that came before.
    for (let n = 0; n < many; n += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, beside) => connectOne(n + beside)));
      const startedAt = performance.now();
      assert.equal((await createVisitor().get(`${stage.url}/healthz`)).status, 200);
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    }
    // An answer takes a few milliseconds; a server that waits for an idle connection takes eight seconds or more.
    assert.ok(slowestMs < 5000, `/healthz took ${slowestMs} ms`);
    const place = { teamId: stage.sandbox.workspace('Acme').id, userId: stage.sandbox.person('Acme').id };
    const visitor = createVisitor();
    const done = await install(visitor, stage.url, stage.sandbox, place);
    assert.equal((await finishedRun(visitor, stage.url + done.headers.get('location'))).status, 'succeeded');
    t.diagnostic(`${many} connections, /healthz within ${Math.round(slowestMs)} ms`);
    // The last connection closes after ten seconds; without Foyer's limits it would take a minute, or five minutes if a
    // body is unfinished.
    if (isFullRun) await eventually(async () => closed === many);
  });

  it('Foyer refuses requests with too many, oversized, conflicting or malformed headers, and keeps running', async (t) => {
    const stage = await setStage();
    t.after(() => stage.close());
    const head = 'POST /slack/events HTTP/1.1\r\nHost: x\r\n';
    const wrong: [string, string][] = [
      ['a header of 64 kB', `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(65_536)}\r\n\r\n`],
      [
        'a thousand cookies',
        `GET / HTTP/1.1\r\nHost: x\r\n${'Cookie: foyer-state-a=b\r\n'.repeat(3000)}\r\n`,
      ],
      ['two lengths', `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde`],
      ['a length and chunks', `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
      ['a negative length', `${head}Content-Length: -1\r\n\r\n`],
      ['a line feed in a name', `GET / HTTP/1.1\r\nHost: x\r\nX-A\n: b\r\n\r\n`],
      ['no HTTP at all', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000'],
    ];
    for (const [name, text] of wrong) {
      const answer = await speak(stage.url, text).catch(() => '');
      assert.ok(answer === '' || /^HTTP\/1\.1 4\d\d /.test(answer), `${name}: ${answer.slice(0, 80)}`);
    }
    const cookies = Array.from({ length: 150 }, (_, n) => `foyer-state-${n}=x`).join('; ');
    for (const cookie of [
      cookies,
      '=;=;=',
      'foyer-state-%=%; foyer-state-__proto__=x',
      '\u00FF'.repeat(50),
    ]) {
      const answer = await fetch(`${stage.url}/slack/install`, {
        redirect: 'manual',
        headers: { cookie, connection: 'close' },
      });
      assert.equal(answer.status, 302);
      const redirect = await fetch(`${stage.url}/slack/oauth_redirect?code=x&state=y`, {
        headers: { cookie, connection: 'close' },
      });
      assert.equal(redirect.status, 400);
    }
    assert.equal((await fetch(`${stage.url}/healthz`)).status, 200);
    assert.ok(!stage.logged().some((line) => line.includes('a request failed')));
  });
});
