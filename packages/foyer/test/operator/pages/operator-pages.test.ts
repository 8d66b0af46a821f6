import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import { parseSetCookie } from 'cookie';
import { sql } from 'kysely';
import { readInstallRecord } from '../../../src/database/install-record.ts';
import { createRun } from '../../../src/database/runs.ts';
import { defineFoyer, type Step } from '../../../src/index.ts';
import { createOperatorActions } from '../../../src/operator/pages/operator-actions.ts';
import { startFoyer } from '../../../src/serve.ts';
import { eventually } from '../../../src/testing/visitor.ts';
import { fetchAs } from '../../support/fetch-as.ts';
import { filesWith } from '../../support/files-with.ts';
import { fixtureManifest } from '../../support/fixture-manifest.ts';
import { recordingLogger, setStage } from '../../support/start-foyer.ts';
import { storeInstallation, storeRequest, storeRun, storeUser } from '../operator-harness.ts';
import { type OperatorStage, password, setOperatorStage } from './operator-stage.ts';

const everyPage = ['/operator', '/operator/installations', '/operator/requests', '/operator/login'];

describe('without an operator password', () => {
  it('every operator page returns 404 if no operator password is set', async () => {
    const stage = await setStage();
    try {
      for (const path of [...everyPage, '/operator/', '/operator/installations/ins_1', '/operators']) {
        const response = await fetch(stage.url + path, { headers: { connection: 'close' } });
        assert.equal(response.status, 404, path);
      }
      const login = await fetch(`${stage.url}/operator/login`, {
        method: 'POST',
        body: new URLSearchParams({ password: '' }),
        headers: { connection: 'close' },
      });
      assert.equal(login.status, 404);
    } finally {
      await stage.close();
    }
  });
});

describe('an operator on two machines', () => {
  it('an operator’s login on one machine counts on the other, and a logout ends the session on both', async (t) => {
    const stage = await setOperatorStage({ engine: 'Postgres' });
    t.after(() => stage.close());
    const { log } = recordingLogger(stage.config);
    const http = { ...stage.config.http, port: 0 };
    const second = await startFoyer({ ...stage.config, http }, log);
    t.after(() => second.stop());
    await stage.logIn();
    const cookie = [...stage.visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const elsewhere = async (): Promise<number> => {
      const url = `http://127.0.0.1:${second.address.port}/operator`;
      return (await fetchAs(new URL(stage.url).host, url, { headers: { cookie } })).status;
    };
    assert.equal(await elsewhere(), 200);
    assert.equal((await stage.post('/operator/logout')).status, 303);
    assert.equal(await elsewhere(), 303);
  });
});

describe('the operator pages handle input with U+0000', () => {
  it('an operator’s request with U+0000 causes no server error on Postgres', async (t) => {
    const stage = await setOperatorStage({ engine: 'Postgres' });
    t.after(() => stage.close());
    await stage.logIn();
    for (const path of ['installations', 'requests', 'people', 'installations/ins_1', 'sessions']) {
      for (const name of [
        'q',
        'search',
        'team',
        'status',
        'cursor',
        'before',
        'after',
        'older',
        'newer',
        'day',
      ]) {
        const answer = await stage.get(`/operator/${path}?${name}=a%00b`);
        assert.ok(answer.status < 500, `${path}?${name}: ${answer.status}`);
      }
    }
    assert.ok((await stage.get('/operator/installations/ins_%00')).status < 500);
    const ended = await stage.post('/operator/people/end-session', { user: '\0', session: 'a\0b' });
    assert.ok(ended.status < 500, String(ended.status));
  });
});

describe('logging in as the operator', () => {
  let stage: OperatorStage;
  beforeEach(async () => {
    stage = await setOperatorStage({ environment: { TRUST_PROXY: '1' } });
  });
  const from = (address: string) => ({ 'x-forwarded-for': address });

  it('after a login, an operator lands on the requested page, but only if it is an operator page', async (t) => {
    t.after(() => stage.close());
    const asked = await stage.get('/operator/installations?q=acme');
    assert.equal(asked.status, 303);
    const login = new URL(asked.headers.get('location') ?? '', stage.url);
    assert.equal(login.pathname, '/operator/login');
    assert.equal(login.searchParams.get('next'), '/operator/installations?q=acme');
    const answer = await stage.post('/operator/login', { password, next: '/operator/installations?q=acme' });
    assert.equal(answer.headers.get('location'), '/operator/installations?q=acme');
    const elsewhere = [
      'https://evil.example/',
      '//evil.example/operator',
      '/operator/../slack/install',
      '/operatorx',
      '/operator/login',
    ];
    for (const next of elsewhere) {
      const sent = await stage.post('/operator/login', { password, next });
      assert.equal(sent.headers.get('location'), '/operator', next);
    }
  });

  it('an operator’s login sets a cookie that no script can read and that no longer works after a logout', async (t) => {
    t.after(() => stage.close());
    const answer = await stage.post('/operator/login', { password });
    const cookie = parseSetCookie(answer.headers.getSetCookie()[0] ?? '');
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'lax', '/']);
    await stage.logIn();
    assert.equal((await stage.get('/operator')).status, 200);
    const kept = new Map(stage.visitor.cookies);
    const out = await stage.post('/operator/logout');
    assert.equal(out.headers.get('location'), '/operator/login?done=logged_out');
    for (const [name, value] of kept) stage.visitor.cookies.set(name, value);
    assert.equal((await stage.get('/operator')).status, 303);
  });

  it('after wrong operator passwords from one address, even the right password from that address is refused for a while', async (t) => {
    t.after(() => stage.close());
    for (let guess = 0; guess < 7; guess += 1) {
      const response = await stage.post('/operator/login', { password: `guess ${guess}` }, from('192.0.2.9'));
      if (response.status === 429) break;
      assert.equal(response.status, 403);
      assert.match(await response.text(), /The password is wrong/);
    }
    const slowed = await stage.post('/operator/login', { password }, from('192.0.2.9'));
    assert.equal(slowed.status, 429);
    assert.match(slowed.headers.get('retry-after') ?? '', /^\d+$/);
    assert.match(await slowed.text(), /Too many wrong passwords/);
    // Adding an address to X-Forwarded-For does not help: Foyer reads the last address, which the proxy appended.
    const disguised = await stage.post('/operator/login', { password }, from('203.0.113.5, 192.0.2.9'));
    assert.equal(disguised.status, 429);
    const other = await stage.post('/operator/login', { password }, from('192.0.2.10'));
    assert.equal(other.status, 303);
    assert.ok(!stage.logged().join('\n').includes('guess 1'), 'a guess may be half a password');
  });

  it('an operator whose browser has logged in before can still log in while strangers guess passwords from many addresses', async (t) => {
    t.after(() => stage.close());
    const { cookies } = stage.visitor;
    await stage.logIn();
    assert.equal((await stage.post('/operator/logout')).status, 303);
    const known = new Map(cookies);
    assert.deepEqual([...known.keys()], ['foyer-operator-browser']);
    cookies.clear();
    for (let n = 0; n < 60; n += 1) {
      await stage.post('/operator/login', { password: 'a guess' }, from(`198.51.100.${n}`));
    }
    assert.equal((await stage.post('/operator/login', { password }, from('203.0.113.1'))).status, 429);
    const forged = { cookie: 'foyer-operator-browser=v1.main.forged' };
    assert.equal(
      (await stage.post('/operator/login', { password }, { ...from('203.0.113.2'), ...forged })).status,
      429,
    );
    for (const [name, value] of known) cookies.set(name, value);
    assert.equal((await stage.post('/operator/login', { password }, from('203.0.113.3'))).status, 303);
    // A thief with a stolen cookie and many addresses can guess only as often as a thief with a single address.
    cookies.clear();
    for (const [name, value] of known) cookies.set(name, value);
    const answers: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      const guess = await stage.post(
        '/operator/login',
        { password: 'a guess' },
        from(`198.51.100.${100 + n}`),
      );
      answers.push(guess.status);
    }
    assert.deepEqual(answers, [403, 403, 403, 403, 403, 429, 429, 429]);
  });
});

describe('an unused operator session expires', () => {
  it('an operator’s session ends after thirty minutes without a request, and not after twenty', async (t) => {
    let at = Date.now();
    const stage = await setOperatorStage({ foyer: { now: () => at } });
    t.after(() => stage.close());
    await stage.logIn();
    for (let page = 0; page < 3; page += 1) {
      at += 20 * 60_000;
      assert.equal((await stage.get('/operator')).status, 200);
    }
    at += 31 * 60_000;
    assert.equal((await stage.get('/operator')).status, 303);
  });
});

describe('the operator’s forms', () => {
  let stage: OperatorStage;
  let id: string;
  let path: string;
  before(async () => {
    stage = await setOperatorStage();
    id = await stage.installs('Acme');
    path = `/operator/installations/${id}`;
    await stage.logIn();
  });
  after(() => stage.close());

  async function historyKinds(): Promise<string[]> {
    const rows = await stage.database.queries
      .selectFrom('history')
      .select('kind')
      .where('installation_id', '=', id)
      .orderBy('id', 'desc')
      .execute();
    return rows.map((row) => row.kind);
  }

  it('the page of an installation shows the title and the name of a step', async () => {
    const text = await (await stage.get(path)).text();
    assert.match(text, />Send the welcome message<\/span> <code class="step-name">send-welcome</);
  });

  it('an operator’s form without a CSRF token, with a wrong one or from another site is refused and changes nothing', async () => {
    const before = await historyKinds();
    const refusals = [
      await stage.post(`${path}/welcome`, { csrf: '' }),
      await stage.post(`${path}/welcome`, { csrf: 'AAAAAAAAAAAAAAAAAAAAAA' }),
      await stage.post(`${path}/welcome`, {}, { 'sec-fetch-site': 'cross-site' }),
      await stage.post(`${path}/welcome`, {}, { 'sec-fetch-site': '', origin: 'https://evil.example' }),
      await stage.post('/operator/login', { password }, { 'sec-fetch-site': 'cross-site' }),
      await stage.post('/operator/logout', { csrf: '' }),
    ];
    assert.deepEqual(
      refusals.map((response) => response.status),
      refusals.map(() => 403),
    );
    assert.deepEqual(await historyKinds(), before);
    assert.equal((await stage.get('/operator')).status, 200);
  });

  it('an operator’s form that is sent without a session redirects to the login', async () => {
    const response = await stage.post(`${path}/welcome`, {}, { cookie: '' });
    const to = new URL(response.headers.get('location') ?? '', stage.url);
    assert.equal(response.status, 303);
    assert.equal(to.pathname, '/operator/login');
    assert.equal(to.searchParams.get('next'), path);
    assert.equal(to.searchParams.get('done'), 'session_ended');
  });

  it('an operator’s form that is too large or not urlencoded is refused', async () => {
    const large = await stage.post(`${path}/welcome`, { filler: 'x'.repeat(20_000) });
    assert.equal(large.status, 413);
    const json = await stage.post(`${path}/welcome`, {}, { 'content-type': 'application/json' });
    assert.equal(json.status, 415);
  });

  it('a GET to the address of an operator’s form changes nothing, and an operator page refuses POST', async () => {
    const before = await historyKinds();
    for (const action of ['retry', 'welcome', 'mark-gone', 'purge']) await stage.get(`${path}/${action}`);
    assert.deepEqual(await historyKinds(), before);
    assert.equal((await stage.post('/operator/installations')).status, 405);
    assert.equal((await stage.post(`${path}/erase`)).status, 405);
  });

  it('the operator pages neither show nor purge installations of another app in the same database', async () => {
    await storeInstallation(stage.database, { id: 'ins_other', client_id: 'other.app', team_id: 'TOTHER' });
    assert.equal((await stage.get('/operator/installations/ins_other')).status, 404);
    assert.equal((await stage.post('/operator/installations/ins_other/purge')).status, 404);
    assert.ok(!(await (await stage.get('/operator/installations')).text()).includes('TOTHER'));
  });
});

describe('the buttons of an operator page', () => {
  let stage: OperatorStage;
  let id: string;
  let path: string;
  beforeEach(async () => {
    stage = await setOperatorStage();
    id = await stage.installs('Acme');
    path = `/operator/installations/${id}`;
    await stage.logIn();
  });

  const newestRun = () =>
    stage.database.queries
      .selectFrom('runs')
      .selectAll()
      .where('installation_id', '=', id)
      .orderBy('created_at', 'desc')
      .executeTakeFirstOrThrow();
  const actions = async () => {
    const rows = await stage.database.queries
      .selectFrom('history')
      .select(['detail', 'at'])
      .where('installation_id', '=', id)
      .where('kind', '=', 'operator_action')
      .execute();
    for (const row of rows) assert.ok(Math.abs(Date.now() - row.at) < 60_000);
    return rows.map((row) => row.detail);
  };
  const installation = () =>
    stage.database.queries.selectFrom('installations').selectAll().where('id', '=', id).executeTakeFirst();
  const welcomes = () => stage.sandbox.calls('chat.postMessage').length;

  it('“Run again” retries a failed run, and the page confirms it', async (t) => {
    t.after(() => stage.close());
    const run = await newestRun();
    await stage.database.queries
      .updateTable('runs')
      .set({ status: 'failed' })
      .where('id', '=', run.id)
      .execute();
    await stage.database.queries
      .updateTable('steps')
      .set({ status: 'failed', error_code: 'timeout' })
      .where('run_id', '=', run.id)
      .where('name', '=', 'publish-home')
      .execute();
    assert.match(await (await stage.get('/operator')).text(), /1 install needs attention/);
    const answer = await stage.post(`${path}/retry`, { run: run.id });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get('location'), `${path}?done=run_queued`);
    await eventually(async () => (await newestRun()).status === 'succeeded');
    assert.deepEqual(await actions(), [`run again: ${run.id}`]);
    assert.match(await (await stage.get(`${path}?done=run_queued`)).text(), /The run continues/);
    const stale = await stage.post(`${path}/retry`, { run: 'run_of_yesterday' });
    assert.equal(stale.headers.get('location'), `${path}?done=run_not_newest`);
  });

  it('“Run again” is not offered for a cancelled run, since no retry would repeat its steps', async (t) => {
    t.after(() => stage.close());
    const run = await newestRun();
    const { queries } = stage.database;
    const cancelled = { status: 'cancelled' } as const;
    await queries.updateTable('runs').set(cancelled).where('id', '=', run.id).execute();
    await queries
      .updateTable('steps')
      .set({ status: 'skipped', error_code: 'run_cancelled' })
      .where('run_id', '=', run.id)
      .where('name', '=', 'publish-home')
      .execute();
    const answer = await stage.post(`${path}/retry`, { run: run.id });
    assert.equal(answer.headers.get('location'), `${path}?done=run_nothing_to_retry`);
    const page = await (await stage.get(path)).text();
    assert.match(page, /Mark as gone…/);
    assert.doesNotMatch(page, /Run again/);
  });

  it('“Send the welcome again” sends one more welcome', async (t) => {
    t.after(() => stage.close());
    const sent = welcomes();
    const answer = await stage.post(`${path}/welcome`);
    assert.equal(answer.headers.get('location'), `${path}?done=welcome_queued`);
    await eventually(async () => welcomes() === sent + 1 && (await newestRun()).status === 'succeeded');
    assert.deepEqual(await actions(), ['send the welcome again']);
  });

  it('“Mark as gone” revokes and erases the tokens of an installation, and keeps its record', async (t) => {
    t.after(() => stage.close());
    const question = await (await stage.get(`${path}/mark-gone`)).text();
    const installed = /name="installed" value="(\d+)"/.exec(question)?.[1] ?? '';
    const answer = await stage.post(`${path}/mark-gone`, { installed });
    assert.equal(answer.headers.get('location'), `${path}?done=marked_gone`);
    const row = await installation();
    assert.deepEqual([row?.status, row?.sealed_bot], ['uninstalled', null]);
    assert.equal(stage.sandbox.calls('auth.revoke').length, 1);
    assert.deepEqual(await actions(), ['mark as gone: 1 token revoked at Slack']);
    const again = await stage.post(`${path}/mark-gone`, { installed });
    assert.equal(again.headers.get('location'), `${path}?done=already_gone`);
  });

  it('if Slack does not revoke a token, “Mark as gone” names that token in the history', async (t) => {
    t.after(() => stage.close());
    stage.sandbox.faults.add({ method: 'auth.revoke', failure: { type: 'status', status: 503 } });
    const installed = String((await installation())?.installed_at);
    const answer = await stage.post(`${path}/mark-gone`, { installed });
    assert.equal(answer.headers.get('location'), `${path}?done=marked_gone_not_revoked`);
    assert.deepEqual(await actions(), [
      'mark as gone: 0 tokens revoked at Slack, not revoked: bot (http_503)',
    ]);
  });

  it('“Mark as gone” and “Purge” erase no token that Foyer cannot decrypt', async (t) => {
    t.after(() => stage.close());
    const row = await installation();
    const sealed = row?.sealed_bot ?? '';
    await stage.database.queries
      .updateTable('installations')
      .set({ sealed_bot: `${sealed.slice(0, -4)}AAAA` })
      .execute();
    for (const action of ['mark-gone', 'purge']) {
      const answer = await stage.post(`${path}/${action}`, {
        installed: String(row?.installed_at),
        password,
      });
      assert.equal(answer.headers.get('location'), `${path}?done=keys_do_not_fit`);
    }
    assert.equal((await installation())?.status, 'active');
    assert.equal(stage.sandbox.calls('auth.revoke').length, 0);
  });

  it('“Purge” requires the operator password, and erases nothing if the form was made for an earlier install', async (t) => {
    t.after(() => stage.close());
    const question = await (await stage.get(`${path}/purge`)).text();
    assert.match(question, /1 run and \d+ lines of history/);
    const stale = await stage.post(`${path}/purge`, { installed: '1', password });
    assert.equal(stale.headers.get('location'), `${path}?done=changed_meanwhile`);
    assert.ok(await installation());
    const installed = /name="installed" value="(\d+)"/.exec(question)?.[1] ?? '';
    for (const wrong of ['', 'not the password']) {
      const refused = await stage.post(`${path}/purge`, { installed, password: wrong });
      assert.equal(refused.headers.get('location'), `${path}?done=wrong_password`);
      assert.ok(await installation(), 'a session without the password purges nothing');
    }
    const { realName } = stage.sandbox.person('Acme', 'owner');
    assert.notDeepEqual(filesWith(stage.databaseFile, realName), []);
    const answer = await stage.post(`${path}/purge`, { installed, password });
    assert.equal(answer.headers.get('location'), '/operator/installations?done=purged');
    assert.deepEqual(filesWith(stage.databaseFile, realName), [], 'out of the files too, with the answer');
    assert.equal(await installation(), undefined);
    assert.equal(stage.sandbox.calls('auth.revoke').length, 1);
    assert.ok(stage.logged().some((line) => /purged by an operator/.test(line)));
    assert.equal((await stage.get(path)).status, 404);
  });
});

it('“Purge” and “Mark as gone” erase nothing if a new install is stored while they revoke the tokens', async (t) => {
  const stage = await setOperatorStage();
  t.after(() => stage.close());
  const id = await stage.installs('Acme');
  const { queries } = stage.database;
  const record = await readInstallRecord(queries, id);
  assert.ok(record);
  const untouched = (): never => assert.fail('nothing may be erased');
  const slack = () => ({
    auth: {
      async revoke() {
        const again = { installed_at: record.installedAt + 1 };
        await queries.updateTable('installations').set(again).where('id', '=', id).execute();
      },
    },
  });
  const bot = { installation: { bot: { token: 'xoxb-1' } } };
  const store = {
    readInstallation: async () => bot,
    deleteInstallation: untouched,
    purgeInstallation: untouched,
  };
  const { log } = recordingLogger(stage.config);
  const act = createOperatorActions({
    ...{ database: stage.database, store, slack, log, tokens: { renewExpired: async () => {} } },
    ...{ wakeWorker() {}, now: Date.now },
  } as never);
  const form = new URLSearchParams({ installed: String(record.installedAt) });
  for (const action of ['purge', 'mark-gone'] as const) {
    await queries
      .updateTable('installations')
      .set({ installed_at: record.installedAt })
      .where('id', '=', id)
      .execute();
    const press = { form, address: '192.0.2.1', by: { person: null } };
    assert.equal(await act(action, record, press), 'changed_meanwhile');
  }
});

it('the page of “Purge” names the app’s own tables: those whose rows it erases, and those whose rows stay', async (t) => {
  const stage = await setOperatorStage();
  t.after(() => stage.close());
  await stage.logIn();
  const path = `/operator/installations/${await stage.installs('Acme')}/purge`;
  const page = async () => (await stage.get(path)).text();
  assert.doesNotMatch(await page(), /your (?:own )?tables/);
  const execute = (text: string) => sql.raw(text).execute(stage.database.queries);
  await execute(
    'create table orders (id text primary key, installation_id text references installations (id) on delete cascade)',
  );
  await execute('create table greetings (id text primary key, team_id text)');
  await execute('create table notes (id text primary key, team_id text)');
  const text = (await page()).replaceAll(/<\/?code>/g, '');
  assert.match(text, /the rows of your tables orders that refer to it/);
  assert.match(
    text,
    /Rows of your own tables greetings, notes stay:[^<]*Erase them in the uninstall pipeline/,
  );
});

it('“Purge” erases nothing while a failed uninstall run may still need the stored rows', async (t) => {
  const title = { todo: 'Cancel the plan', doing: 'Canceling the plan' };
  const cancelPlan: Step = {
    ...{ name: 'cancel-plan', title, maxAttempts: 1 },
    run: () => Promise.reject(new Error('billing is down')),
  };
  const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), uninstall: [cancelPlan] });
  const stage = await setOperatorStage({ foyer: { definition } });
  t.after(() => stage.close());
  await stage.logIn();
  const id = await stage.installs('Acme');
  const path = `/operator/installations/${id}`;
  const question = await (await stage.get(`${path}/purge`)).text();
  const installed = /name="installed" value="(\d+)"/.exec(question)?.[1] ?? '';
  const answer = await stage.post(`${path}/purge`, { installed, password });
  assert.equal(answer.headers.get('location'), `${path}?done=purge_waits`);
  assert.equal((await stage.get(path)).status, 200);
});

it('the page of an installation says how many attempts of a step only waited', async (t) => {
  const stage = await setOperatorStage();
  t.after(() => stage.close());
  await stage.logIn();
  const { queries } = stage.database;
  await storeInstallation(stage.database, { id: 'ins_1', client_id: stage.config.slack.clientId });
  const errors = ['internal_error', 'waits', 'internal_error'];
  await storeRun(stage.database, 'ins_1', [
    { name: 'send-welcome', status: 'failed', errors },
    { name: 'publish-home', status: 'failed', errors: ['timeout', 'timeout'] },
  ]);
  const page = async () => (await stage.get('/operator/installations/ins_1')).text();
  await queries
    .updateTable('step_attempts')
    .set({ outcome: 'waiting' })
    .where('error_code', '=', 'waits')
    .execute();
  const shown = (await page()).match(/(?<=<summary>)\d+ attempts[^<]*/g);
  assert.deepEqual(shown, ['3 attempts, of which 1 waited', '2 attempts']);
});

it('the operator pages write “canceled”, while filters and their addresses keep the identifier', async (t) => {
  const stage = await setOperatorStage();
  t.after(() => stage.close());
  await stage.logIn();
  const request = { id: 'req_1', client_id: stage.config.slack.clientId, started_at: Date.now() };
  await storeRequest(stage.database, { ...request, outcome: 'cancelled', error_code: 'access_denied' });
  const requests = await (await stage.get('/operator/requests?outcome=cancelled')).text();
  assert.match(requests, /data-tone="muted">canceled</);
  assert.match(requests, /<option value="cancelled" selected>canceled</);
  const overview = await (await stage.get('/operator')).text();
  assert.match(overview, /0 installed, 1 canceled, 0 refused/);
  for (const page of [requests, overview])
    assert.doesNotMatch(page.replace(/<style[\s\S]*?<\/style>/, ''), />[^<]*cancelled/i);
});

describe('a page that an operator reads', () => {
  let stage: OperatorStage;
  before(async () => {
    stage = await setOperatorStage();
    await stage.logIn();
  });
  after(() => stage.close());

  it('the headers of the operator pages forbid framing, caching and referrers, and let forms post only to Foyer', async () => {
    for (const path of [...everyPage, '/operator/nothing/here']) {
      const response = await stage.get(path);
      if (response.status === 303) continue;
      const { headers } = response;
      assert.match(headers.get('content-security-policy') ?? '', /form-action 'self'/);
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('x-frame-options'), 'DENY');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
    }
    assert.equal((await stage.get('/operator/nothing/here')).status, 404);
  });

  it('no operator page shows a token or the hash of a progress token, and every name is escaped', async () => {
    const id = await stage.installs('Acme');
    const clientId = stage.config.slack.clientId;
    const evil = '<script>alert(1)</script>';
    await storeInstallation(stage.database, {
      id: 'ins_evil',
      client_id: clientId,
      team_id: 'TEVIL',
      team_name: evil,
      broken_reason: evil,
      status: 'broken',
      sealed_bot: 'v1.key.sealed-bot-text',
    });
    await storeRun(stage.database, 'ins_evil', [{ name: evil, status: 'failed', errors: [evil] }]);
    await storeUser(stage.database, {
      installationId: 'ins_evil',
      userId: 'U1',
      realName: evil,
      sealedToken: 'v1.key.sealed-user-text',
    });
    const state = stage.sandbox.state();
    const secrets = [
      ...state.installations.flatMap((each) => each.tokens.map((token) => token.value)),
      ...(await stage.database.queries.selectFrom('installations').select('sealed_bot').execute()).map(
        (row) => row.sealed_bot ?? '',
      ),
      ...(await stage.database.queries.selectFrom('install_requests').select('progress_hash').execute()).map(
        (row) => row.progress_hash,
      ),
      'sealed-user-text',
      password,
    ].filter(Boolean);
    const paths = [
      '/operator',
      '/operator/installations',
      '/operator/requests',
      `/operator/installations/${id}`,
      `/operator/installations/${id}/purge`,
      '/operator/installations/ins_evil',
      '/operator/installations/ins_evil/mark-gone',
      `/operator/installations?q=${encodeURIComponent(evil)}`,
      `/operator/requests?team=${encodeURIComponent(evil)}`,
    ];
    for (const path of paths) {
      const response = await stage.get(path);
      assert.equal(response.status, 200, path);
      const page = await response.text();
      assert.ok(!page.includes('<script>alert'), path);
      for (const secret of secrets) assert.ok(!page.includes(secret), `${path} shows a secret`);
    }
    assert.ok(secrets.length > 4);
    assert.ok(!readFileSync(stage.databaseFile, 'latin1').includes(password));
  });

  it('the operator overview counts active and broken installations, and tokens that are about to expire', async () => {
    const clientId = stage.config.slack.clientId;
    await storeInstallation(stage.database, {
      id: 'ins_lapsing',
      client_id: clientId,
      team_id: 'TLAPSING',
      bot_expires_at: Date.now() + 60_000,
    });
    const page = await (await stage.get('/operator')).text();
    const tile = (label: string) =>
      new RegExp(`${label}</span><strong class="tile-value">([\\d,]+)<`).exec(page)?.[1];
    assert.equal(tile('Active'), '2');
    assert.equal(tile('Broken'), '1');
    assert.equal(tile('Tokens about to expire'), '1');
    assert.equal(tile('Tokens to revoke'), '0');
    assert.match(page, /1 installed, 0 canceled, 0 refused, and 0 failed in the last 30 days/);
  });

  it('if an operator page cannot read the database, it shows an error without details', async () => {
    const other = await setOperatorStage();
    await other.logIn();
    const queries = other.database.queries;
    try {
      // Without this table, a read fails as it would after any database error.
      await queries.schema.dropTable('install_requests').execute();
      const page = await other.get('/operator/requests');
      assert.equal(page.status, 500);
      const text = await page.text();
      assert.match(text, /Something went wrong/);
      assert.ok(!/no such table|install_requests/.test(text));
    } finally {
      await other.close();
    }
  });

  it('the page of an installation lists `opened` and `upgraded` runs below the newest install run', async () => {
    const installationId = await stage.installs('Globex');
    const of = { installationId, life: 1, userId: 'U2', stepNames: ['greet'], now: Date.now() };
    const opened = { kind: 'opened', userId: 'U2', tab: 'messages', channelId: 'D2' } as const;
    const upgraded = { kind: 'upgraded', addedScopes: ['<b>calls:read</b>'] } as const;
    for (const moment of [opened, upgraded])
      await stage.database.write((tx) => createRun(tx, { ...of, pipeline: moment.kind, moment }));
    const page = await (await stage.get(`/operator/installations/${installationId}`)).text();
    const { id: runId } = await stage.database.queries
      .selectFrom('runs')
      .select('id')
      .where('installation_id', '=', installationId)
      .where('pipeline', '=', 'install')
      .executeTakeFirstOrThrow();
    assert.equal(/id="run">Newest run .*?run-facts"><code>(\w+)/s.exec(page)?.[1], runId);
    const names = [
      /Newest run/,
      /Moment <code>upgraded &lt;b&gt;calls:read/,
      /Moment <code>opened messages</,
    ];
    const places = names.map((name) => page.search(name));
    assert.ok(
      places.every((place, index) => place > (places[index - 1] ?? 0)),
      String(places),
    );
  });
});
