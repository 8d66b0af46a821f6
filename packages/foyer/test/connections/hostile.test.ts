import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createResult, readResult } from '../../src/connections/link.ts';
import { createVisitor, finishedRun, install, type Visitor } from '../../src/testing/visitor.ts';
import {
  type ConnectStage,
  claimsOf,
  host,
  type LinkWish,
  type Person,
  secret,
  setConnectStage,
  sign,
  ticketOf,
} from './connect-stage.ts';

/**
 * Attackers try to connect a workspace to an account that its installer did not choose. Each goes as far as Foyer
 * allows, so if the check that stops an attacker is removed, that attacker's test fails.
 */

const seconds = (ms: number): number => Math.floor(ms / 1000);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('attackers who misuse a connect link can neither connect an account nor install the app', () => {
  let stage: ConnectStage;
  let shiftMs = 0;
  let victim: Person;
  let attacker: Visitor;
  let before_: unknown;
  const scene = async () => [await stage.stored(), await stage.installs()];
  const link = (wish: LinkWish = {}): string => sign(claimsOf(wish));
  const install_ = () => `${stage.url}/slack/install`;

  before(async () => {
    stage = await setConnectStage({ now: () => Date.now() + shiftMs });
  });
  after(() => stage.close());
  beforeEach(async () => {
    victim = stage.person('Acme');
    attacker = createVisitor();
    before_ = await scene();
  });
  afterEach(async () => {
    shiftMs = 0;
    assert.deepEqual(await scene(), before_, 'something was connected or installed');
  });

  /** Continues from Foyer's answer as far as possible: presses the button, decides at Slack, follows the callback. */
  async function goOn(answer: Response, { visitor, ...choice }: Person): Promise<Response> {
    if (answer.status === 200) {
      const ticket = ticketOf(await answer.text());
      return goOn(await visitor.post(install_(), { ticket, decision: 'continue' }), { visitor, ...choice });
    }
    const location = answer.headers.get('location') ?? '';
    if (!location.startsWith(stage.sandbox.authorizationUrl)) return answer;
    return visitor.get(await stage.sandbox.consent({ authorizeUrl: location, ...choice }));
  }

  const attempt = async (token: string): Promise<Response> =>
    goOn(await victim.visitor.get(stage.linkUrl(token)), victim);

  it('a stranger cannot cancel another person’s install: Foyer sends the host no result and stores nothing', async () => {
    const opened = await stage.openLink(victim.visitor, link());
    const state = new URL(opened.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const query = new URLSearchParams({ error: 'access_denied', state });
    const requests = () => stage.database.rows('select id from install_requests');
    const before = await requests();
    const answer = await attacker.get(`${stage.url}/slack/oauth_redirect?${query}`);
    assert.deepEqual([answer.status, answer.headers.get('location')], [200, null]);
    assert.deepEqual(await requests(), before);
  });

  const now = seconds(Date.now());
  const without = (name: string): string => link({ [name]: undefined });
  const tokens: Record<string, () => string> = {
    'signed with another secret': () => sign(claimsOf(), { key: 'another secret of thirty-two bytes' }),
    'without a signature (alg none)': () => `${part({ alg: 'none' })}.${part(claimsOf())}.`,
    'that is signed, but says alg none in its header': () => sign(claimsOf(), { header: { alg: 'none' } }),
    'with another algorithm in its header': () => sign(claimsOf(), { header: { alg: 'HS512' } }),
    'that requires an extension (crit)': () =>
      sign(claimsOf(), { header: { alg: 'HS256', crit: ['x'], x: 1 } }),
    'for another audience': () => link({ aud: 'foyer:result' }),
    'for two audiences': () => link({ aud: ['foyer:connect', 'elsewhere'] }),
    'without an audience': () => without('aud'),
    'without an expiry': () => without('exp'),
    'without an issue time (iat)': () => without('iat'),
    'without an id (jti)': () => without('jti'),
    'without an account (org)': () => without('org'),
    'that has expired': () => link({ iat: now - 7200, exp: now - 3600 }),
    'that is valid for more than seven days': () => link({ exp: now + 8 * 24 * 3600 }),
    'with an issue time in the future': () => link({ iat: now + 600, exp: now + 3600 }),
    'with an unknown claim': () => link({ admin: true }),
    'with an id that is too long': () => link({ jti: 'x'.repeat(129) }),
    'with a NUL character in its account': () => link({ org: 'org-1\u0000' }),
    'with a changed account': () => {
      const [header, , signature] = link().split('.');
      return `${header}.${part(claimsOf({ org: 'org-evil' }))}.${signature}`;
    },
    'that has the claims of a connect result': () =>
      sign({ ...claimsOf({ aud: 'foyer:result' }), outcome: 'installed' }),
    'that is empty': () => '',
  };
  for (const [what, token] of Object.entries(tokens))
    it(`Foyer refuses a connect link ${what}`, async () =>
      assert.equal((await attempt(token())).status, 400));

  const returns: Record<string, string> = {
    'another host': 'https://evil.example/',
    'another host that begins with an allowed host': `${host}.evil.example/`,
    'another host with an allowed host as the user name': `${host}@evil.example/`,
    'a subdomain': 'https://evil.app.example.com/',
    'another port': `${host}:8443/`,
    'plain http': 'http://app.example.com/',
    'a path without a host': '/settings',
    'a scheme-relative URL': '//evil.example/',
    'a javascript: URL': 'javascript://app.example.com/%0aalert(1)',
    'another host, a backslash and an allowed host': 'https://evil.example\\@app.example.com/',
  };
  for (const [what, return_to] of Object.entries(returns))
    it(`Foyer refuses a connect link with a return address that is not allowed: ${what}`, async () => {
      const answer = await attempt(link({ return_to }));
      assert.deepEqual([answer.status, answer.headers.get('location')], [400, null]);
    });

  it('Foyer asks for confirmation if a browser has only the cookies of another connect link', async () => {
    const token = link({ jti: 'bound-elsewhere' });
    const cookies: string[] = [];
    await stage.foyer().connect({ org: 'org-1' }, { appendHeader: (_name, value) => cookies.push(value) });
    for (const line of cookies) {
      const [name = '', value = ''] = line.split(';', 1)[0]?.split('=') ?? [];
      victim.visitor.cookies.set(name, value);
    }
    const answer = await victim.visitor.get(stage.linkUrl(token));
    assert.equal(answer.status, 200, 'it asks');
  });

  it('Foyer asks for confirmation if a browser sends one link’s cookie under another link’s cookie name', async () => {
    const given = async () => {
      const cookies: string[] = [];
      const target = { appendHeader: (_name: string, value: string) => cookies.push(value) };
      const { url } = await stage.foyer().connect({ org: 'org-1' }, target);
      const [name = '', value = ''] = cookies[0]?.split(';', 1)[0]?.split('=') ?? [];
      return { url, name, value };
    };
    const [mine, theirs] = [await given(), await given()];
    victim.visitor.cookies.set(theirs.name, mine.value);
    assert.equal((await victim.visitor.get(theirs.url)).status, 200, 'it asks');
    victim.visitor.cookies.set(theirs.name, 'v1.main.AAAA');
    assert.equal((await victim.visitor.get(theirs.url)).status, 200, 'it asks');
  });

  /** Opens a link in a browser, and returns the `ticket` that the page's form contains. */
  const ticketFor = async (visitor: Visitor, token = link()): Promise<string> =>
    ticketOf(await (await visitor.get(stage.linkUrl(token))).text());
  const press = (ticket: string) => victim.visitor.post(install_(), { ticket, decision: 'continue' });
  const refused = async (answer: Response): Promise<void> => {
    assert.equal((await goOn(answer, victim)).status, 400);
  };

  it('Foyer refuses a confirmation form that was shown in another browser', async () =>
    refused(await press(await ticketFor(attacker))));

  it('if one browser submits the confirmation form of another, Foyer refuses it, even if Foyer has shown both browsers a form', async () => {
    await ticketFor(victim.visitor);
    await refused(await press(await ticketFor(attacker)));
  });

  it('Foyer refuses a confirmation form that another site submits', async () => {
    const ticket = await ticketFor(victim.visitor);
    const cookie = [...victim.visitor.cookies].map((pair) => pair.join('=')).join('; ');
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
    ] as Record<string, string>[]) {
      const answer = await fetch(install_(), {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ ticket, decision: 'continue' }),
        headers: { ...headers, cookie, connection: 'close' },
      });
      for (const line of answer.headers.getSetCookie()) {
        const [name = '', value = ''] = line.split(';', 1)[0]?.split('=') ?? [];
        victim.visitor.cookies.set(name, value);
      }
      await refused(answer);
    }
  });

  it('Foyer refuses a confirmation form that was open for too long', async () => {
    const ticket = await ticketFor(victim.visitor);
    shiftMs = 31 * 60_000;
    await refused(await press(ticket));
  });

  it('Foyer refuses a confirmation form if the link has expired since the form was shown', async () => {
    const ticket = await ticketFor(victim.visitor, link({ exp: seconds(Date.now()) + 60 }));
    shiftMs = 5 * 60_000;
    await refused(await press(ticket));
  });

  it('Foyer refuses a confirmation form if its ticket is altered, empty, too long, or a token of another kind', async () => {
    const ticket = await ticketFor(victim.visitor);
    const start = await victim.visitor.get(install_());
    const state = new URL(start.headers.get('location') ?? '').searchParams.get('state') ?? '';
    for (const wrong of [`${ticket.slice(0, -4)}AAAA`, '', state, link(), 'x'.repeat(15_000)])
      await refused(await press(wrong));
  });

  it('Foyer ignores form values in the query string, and begins an install without a link', async () => {
    const query = new URLSearchParams({ ticket: await ticketFor(victim.visitor), decision: 'continue' });
    const answer = await victim.visitor.get(`${install_()}?${query}`);
    const state = new URL(answer.headers.get('location') ?? '').searchParams.get('state');
    assert.ok(state && state.length < 500, 'an install without a link begins');
  });

  it('Foyer refuses an OAuth callback if the link was opened in another browser', async () => {
    // The attacker begins with a link of their own, approves at Slack, and has the victim finish.
    const own = link({ org: 'org-evil' });
    const toSlack = await attacker.post(install_(), {
      ticket: await ticketFor(attacker, own),
      decision: 'continue',
    });
    const { visitor: _, ...choice } = stage.person('Globex');
    const authorizeUrl = toSlack.headers.get('location') ?? '';
    const callback = await stage.sandbox.consent({ authorizeUrl, ...choice });
    assert.equal((await victim.visitor.get(callback)).status, 400);
  });

  it('Foyer refuses the code of one install with the state of another', async () => {
    const begin = async (visitor: Visitor, person: Person, token: string) => {
      const toSlack = await visitor.post(install_(), {
        ticket: await ticketFor(visitor, token),
        decision: 'continue',
      });
      const { visitor: _, ...choice } = person;
      const authorizeUrl = toSlack.headers.get('location') ?? '';
      return new URL(await stage.sandbox.consent({ authorizeUrl, ...choice }));
    };
    const theirs = await begin(victim.visitor, victim, link());
    const mine = await begin(attacker, stage.person('Globex'), link({ org: 'org-evil' }));
    mine.searchParams.set('state', theirs.searchParams.get('state') ?? '');
    assert.equal((await attacker.get(mine.href)).status, 400);
  });

  it('Foyer refuses an OAuth callback without a state', async () => {
    const answer = await victim.visitor.get(`${stage.url}/slack/oauth_redirect?code=1.2.3`);
    assert.equal(answer.status, 400);
  });

  it('Foyer refuses an OAuth callback without a code, and reports that to the host', async () => {
    const toSlack = await press(await ticketFor(victim.visitor));
    const { visitor: _, ...choice } = victim;
    const authorizeUrl = toSlack.headers.get('location') ?? '';
    const callback = new URL(await stage.sandbox.consent({ authorizeUrl, ...choice }));
    callback.searchParams.delete('code');
    const answer = await victim.visitor.get(callback.href);
    const token = new URL(answer.headers.get('location') ?? '').searchParams.get('foyer_result') ?? '';
    const { outcome, error } = readResult(secret, token, Date.now() + shiftMs);
    assert.deepEqual([outcome, error], ['failed', 'code_missing']);
  });

  it('Foyer reports a cancel to the host even if the person took more than ten minutes', async () => {
    const toSlack = await press(await ticketFor(victim.visitor));
    const { visitor: _, ...choice } = victim;
    const authorizeUrl = toSlack.headers.get('location') ?? '';
    const callback = await stage.sandbox.consent({ authorizeUrl, ...choice, decision: 'cancel' });
    assert.equal((await createVisitor().get(callback)).status, 200, 'another browser only sees a page');
    const before = shiftMs;
    shiftMs += 11 * 60_000;
    const answer = await victim.visitor.get(callback);
    const token = new URL(answer.headers.get('location') ?? '').searchParams.get('foyer_result') ?? '';
    const { outcome, error } = readResult(secret, token, Date.now() + shiftMs);
    assert.deepEqual([outcome, error], ['cancelled', 'access_denied']);
    shiftMs = before;
  });

  it('Foyer refuses an expired OAuth state, and reports that to the host', async () => {
    const toSlack = await press(await ticketFor(victim.visitor));
    const { visitor: _, ...choice } = victim;
    const authorizeUrl = toSlack.headers.get('location') ?? '';
    const callback = await stage.sandbox.consent({ authorizeUrl, ...choice });
    shiftMs = 11 * 60_000;
    const answer = await victim.visitor.get(callback);
    const token = new URL(answer.headers.get('location') ?? '').searchParams.get('foyer_result') ?? '';
    const { outcome, error } = readResult(secret, token, Date.now() + shiftMs);
    assert.deepEqual([outcome, error], ['failed', 'state_expired']);
  });

  it('Foyer connects nothing if a link names one workspace and the person chooses another at Slack', async () => {
    const answer = await attempt(link({ team: stage.person('Globex').teamId }));
    assert.match(answer.headers.get('location') ?? '', /foyer_result=/);
  });

  it('Foyer never redirects to a host from a forged Host header or path', async () => {
    const token = link();
    const ask = (path: string, headers: Record<string, string>) =>
      new Promise<{ status: number; location: string }>((resolve, reject) => {
        const { port } = new URL(stage.url);
        request({ host: '127.0.0.1', port, path, headers: { ...headers, connection: 'close' } }, (res) => {
          res.resume();
          resolve({ status: res.statusCode ?? 0, location: res.headers.location ?? '' });
        })
          .on('error', reject)
          .end();
      });
    const paths = [
      `/slack/install?connect=${token}`,
      `//evil.example/slack/install?connect=${token}`,
      `/slack/install/..%2f..%2fevil?connect=${token}`,
      `/slack/install%00?connect=${token}`,
      `http://evil.example/slack/install?connect=${token}`,
    ];
    for (const path of paths) {
      for (const headers of [
        { host: 'evil.example' },
        { host: new URL(stage.url).host, 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
      ] as Record<string, string>[]) {
        const { location } = await ask(path, headers);
        assert.ok(!location.includes('evil.example'), `${path} ${location}`);
      }
    }
  });

  it('`foyer.connect` refuses a foreign return address, a lifetime that is too long, an empty account and too much data', async () => {
    const { foyer } = stage;
    for (const returnTo of Object.values(returns))
      await assert.rejects(foyer().connect({ org: 'org-1', returnTo }), { code: 'link_invalid' });
    await assert.rejects(foyer().connect({ org: 'org-1', ttlMs: 8 * 24 * 3_600_000 }), {
      code: 'link_invalid',
    });
    await assert.rejects(foyer().connect({ org: '' }), { code: 'link_invalid' });
    await assert.rejects(foyer().connect({ org: 'org-1', data: 'x'.repeat(2000) }), { code: 'link_invalid' });
  });

  it('Foyer refuses a connect result that is altered, unsigned, empty or expired, and a link in place of a result', async () => {
    const { foyer } = stage;
    const place = { team_id: 'T1', team_name: 'Acme', enterprise_id: null, is_enterprise_install: false };
    const claims = { jti: 'link-1', org: 'org-1', outcome: 'installed', ...place } as const;
    const ids = { installation_id: 'ins_1', run_id: 'run_1' };
    const token = await createResult(secret, { ...claims, ...ids }, Date.now());
    assert.equal(foyer().readResult(token).jti, 'link-1');
    const [header, , signature] = token.split('.');
    const changed = part({ aud: 'foyer:result', ...claims, ...ids, org: 'org-2', iat: now, exp: now + 300 });
    for (const wrong of [
      `${header}.${changed}.${signature}`,
      link(),
      `${part({ alg: 'none' })}.${changed}.`,
      '',
    ])
      assert.throws(() => foyer().readResult(wrong), { code: 'result_invalid' });
    shiftMs = 5 * 60_000 + 1000;
    assert.throws(() => foyer().readResult(token), { code: 'result_expired' });
  });
});

describe('an attack on a connected workspace does not change its connection', () => {
  let stage: ConnectStage;
  let acme: Person;
  before(async () => {
    stage = await setConnectStage({ definition: { onConflict: 'move' } });
    acme = stage.person('Acme');
    await stage.connect(acme, sign(claimsOf({ org: 'org-1' })));
  });
  after(() => stage.close());
  afterEach(async () => assert.deepEqual(await stage.stored(), ['Acme → org-1']));

  it('Foyer asks before it moves a workspace, even if the person has already confirmed the link', async () => {
    const answer = await stage.connect(acme, sign(claimsOf({ org: 'org-evil' })));
    assert.match(await answer.text(), /Move this workspace/);
  });

  it('Foyer refuses to move a workspace if another browser submits the confirmation', async () => {
    const asked = await stage.connect(acme, sign(claimsOf({ org: 'org-evil' })));
    const ticket = ticketOf(await asked.text());
    const other = createVisitor();
    const answer = await other.post(`${stage.url}/slack/install`, { ticket, decision: 'continue' });
    assert.equal(answer.status, 400);
  });

  it('Foyer does not move a workspace if the person confirmed the move of a different one', async () => {
    const globex = stage.person('Globex');
    await stage.connect(globex, sign(claimsOf({ org: 'org-2' })));
    const asked = await stage.connect(globex, sign(claimsOf({ org: 'org-evil' })));
    const press = { ticket: ticketOf(await asked.text()), decision: 'continue' };
    const pressed = await globex.visitor.post(`${stage.url}/slack/install`, press);
    const answer = await stage.decide({ ...acme, visitor: globex.visitor }, pressed);
    assert.match(await answer.text(), /Move this workspace/);
    const { connections } = stage.foyer();
    await connections.remove((await connections.find({ org: 'org-2' }))?.id ?? '');
  });

  it('Foyer refuses a claim token that another Foyer issued', async (t) => {
    const other = await setConnectStage();
    t.after(() => other.close());
    const stranger = other.person('Acme');
    const done = await install(stranger.visitor, other.url, other.sandbox, stranger);
    await finishedRun(stranger.visitor, other.url + done.headers.get('location'));
    const shown = JSON.stringify(other.sandbox.messages(stranger));
    const [, url = ''] = /"(https:\/\/app\.example\.com\/slack\/claim[^"]*)"/.exec(shown) ?? [];
    const token = new URL(url).searchParams.get('foyer_claim') ?? '';
    await assert.rejects(stage.foyer().claim(token, { org: 'org-evil' }), { code: 'claim_invalid' });
  });
});
