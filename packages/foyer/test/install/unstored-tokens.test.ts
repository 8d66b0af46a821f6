import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createUnstoredTokens,
  unstoredTokensPlace,
  unstoredTokensPurpose,
} from '../../src/install/unstored-tokens.ts';
import { createSealer } from '../../src/installations/sealer.ts';
import { keyringOf } from '../support/installations.ts';

const unused = (): never => assert.fail('not asked for');

/** The body that Slack's OAuth provider (`InstallProvider`) gets when Slack answers `oauth.v2.access` with 200. */
async function seen(answer: unknown): Promise<unknown> {
  const tokens = createUnstoredTokens({
    database: { write: async () => {} } as never,
    sealer: { seal: () => 'sealed', open: unused },
    store: { findInstallation: unused },
    slack: unused,
    log: { warn: unused } as never,
  });
  const fetched = { fetch: async () => Response.json(answer) };
  const exchange = () => fetched;
  const wantedUntil = new AbortController().signal;
  const { options } = tokens.watch('req_1', { page: fetched, exchange, wantedUntil });
  return (await options.fetch('https://slack.example/api/oauth.v2.access')).json();
}

const whole = {
  ok: true,
  access_token: 'xoxb-1',
  scope: 'chat:write',
  bot_user_id: 'UB1',
  authed_user: { id: 'U1' },
  team: { id: 'T1' },
  enterprise: null,
};
const org = { ...whole, team: null, enterprise: { id: 'E1' }, is_enterprise_install: true };

test('if Slack’s response to the code exchange is unusable, for example without a team or scope, the OAuth provider gets a failure', async () => {
  const { authed_user: _, ...nobody } = whole;
  for (const answer of [
    null,
    'hello',
    [],
    {},
    { ok: true },
    nobody,
    { ...whole, team: null },
    { ...org, enterprise: null },
    { ...whole, scope: undefined },
    { ...whole, bot_user_id: null },
    { ...whole, access_token: undefined, refresh_token: 'xoxe-1' },
  ]) {
    assert.deepEqual(await seen(answer), { ok: false }, JSON.stringify(answer));
  }
});

test('the OAuth provider gets each refresh token with an expiry time, even if Slack’s response has none or an invalid one', async () => {
  const times = [
    [undefined, 43_200],
    [null, 43_200],
    ['soon', 43_200],
    [0, 43_200],
    [-5, 43_200],
    ['7200', 7200],
    [7200.5, 7200],
    [1e300, 315_360_000],
  ];
  for (const [expires_in, read] of times) {
    const rotating = { refresh_token: 'xoxe-1', expires_in };
    const answer = { ...whole, ...rotating, authed_user: { id: 'U1', access_token: 'xoxp-1', ...rotating } };
    const { authed_user, ...bot } = (await seen(answer)) as typeof answer;
    assert.deepEqual([bot.expires_in, authed_user.expires_in], [read, read], String(expires_in));
  }
});

test('if Slack’s response to the code exchange is usable, Foyer passes it to the OAuth provider unchanged, even if Slack refuses the install', async () => {
  for (const answer of [
    whole,
    org,
    { ...whole, access_token: undefined },
    { ok: false, error: 'invalid_code' },
  ]) {
    assert.deepEqual(await seen(answer), JSON.parse(JSON.stringify(answer)));
  }
});

/** Starts an exchange, which Slack answers when the test calls `answer`. Records the tokens that Foyer revokes. */
function watchExchange(
  answer: unknown,
  headers: Record<string, string> = {},
  slackSide: { stored?: object; owner?: object; test?(): never; revoke?(token: string): void } = {},
) {
  const revoked: string[] = [];
  const kept: string[] = [];
  let writes = 0;
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  const tokens = createUnstoredTokens({
    database: {
      async write() {
        writes += 1;
      },
    } as never,
    sealer: {
      seal(text: string) {
        kept.push(text);
        return 'sealed';
      },
      open: unused,
    },
    store: { findInstallation: async () => slackSide.stored as never },
    slack: ((token: string) => ({
      auth: {
        test: async () => slackSide.test?.() ?? slackSide.owner ?? {},
        async revoke() {
          slackSide.revoke?.(token);
          revoked.push(token);
        },
      },
    })) as never,
    log: { warn() {}, error() {} } as never,
  });
  const gone = new AbortController();
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const fetched = {
    async fetch() {
      await answered;
      return new Response(text, { headers });
    },
  };
  const exchange = ({ onArrived }: { onArrived?(bytes: Buffer): void }) => ({
    async fetch() {
      const response = await fetched.fetch();
      onArrived?.(Buffer.from(text));
      return response;
    },
  });
  const watch = tokens.watch('req_1', { page: fetched, exchange, wantedUntil: gone.signal });
  const asked = watch.options.fetch('https://slack.example/api/oauth.v2.access');
  return { tokens, watch, asked, revoked, kept, gone, writes: () => writes, answer: resolve };
}

test('if an install fails, Foyer revokes every token in Slack’s response, even if fields of the response are malformed', async () => {
  const odd: [string, object, string[]][] = [
    ['a null user token', { ...whole, authed_user: { id: 'U1', access_token: null } }, ['xoxb-1']],
    ['a null flag', { ...whole, is_enterprise_install: null }, ['xoxb-1']],
    ['an enterprise that is a string', { ...whole, enterprise: '' }, ['xoxb-1']],
    ['a team that is a list', { ...whole, team: [] }, ['xoxb-1']],
    [
      'no bot',
      { ...whole, access_token: null, authed_user: { id: 'U1', access_token: 'xoxp-1' } },
      ['xoxp-1'],
    ],
    ['no user id', { ...whole, authed_user: { access_token: 'xoxp-1' } }, ['xoxb-1', 'xoxp-1']],
    ['ok that is a string', { ...whole, ok: 'true' }, ['xoxb-1']],
    ['a token in a list', { ...whole, access_token: ['xoxb-1', 'xoxb-1'] }, ['xoxb-1']],
    ['a token with blanks around it', { ...whole, access_token: ' xoxb-1\n' }, ['xoxb-1']],
    ['a token in an object', { ...whole, access_token: { value: 'xoxb-1' } }, ['xoxb-1']],
    ['only a refresh token', { ok: true, refresh_token: 'xoxe-1' }, ['xoxe-1']],
    [
      'a token in a field that is not known yet',
      { ...whole, more: [{ access_token: 'xoxb-2' }] },
      ['xoxb-1', 'xoxb-2'],
    ],
  ];
  for (const [name, answer, tokens] of odd) {
    const { watch, asked, revoked, answer: come } = watchExchange(answer);
    come();
    await asked;
    assert.equal(await watch.giveBack(1000), true, name);
    assert.deepEqual(revoked, tokens, name);
  }
});

test('Foyer revokes every token in a response that was cut off, except a token that a stored installation uses', async () => {
  const text = JSON.stringify({ ...whole, authed_user: { id: 'U1', access_token: 'xoxp-1' } });
  for (const cut of [text.slice(0, text.indexOf('"team"')), `${text.slice(0, -1)},`]) {
    const gone = watchExchange(cut);
    gone.answer();
    await gone.asked;
    assert.equal(gone.kept.length, 1, 'kept in case of a crash');
    assert.equal(await gone.watch.giveBack(1000), true);
    assert.deepEqual(gone.revoked.sort(), ['xoxb-1', 'xoxp-1']);

    const stored = { installation: { bot: { token: 'xoxb-1' }, user: {} } };
    const used = watchExchange(cut, {}, { stored, owner: { team_id: 'T1' } });
    used.answer();
    await used.asked;
    assert.equal(await used.watch.giveBack(1000), true);
    assert.deepEqual(used.revoked, ['xoxp-1']);
  }
});

test('if Slack’s response breaks off after a token, Foyer revokes the token only after Slack has named its owner or said that it is invalid', async () => {
  const cut = `${JSON.stringify(whole).slice(0, -1)},`;
  const failure = (code: string) => ({
    test() {
      throw Object.assign(new Error(code), {
        code: 'slack_webapi_platform_error',
        data: { ok: false, error: code },
      });
    },
  });
  for (const [code, revokes] of [
    ['service_unavailable', false],
    ['ratelimited', false],
    ['invalid_auth', true],
  ] as const) {
    const stored = { installation: { bot: { token: 'xoxb-1' }, user: {} } };
    const unclear = watchExchange(cut, {}, { stored, ...failure(code) });
    unclear.answer();
    await unclear.asked;
    assert.equal(await unclear.watch.giveBack(1000), revokes, code);
    assert.deepEqual([unclear.revoked, unclear.writes()], revokes ? [['xoxb-1'], 2] : [[], 1], code);
  }
});

test('if Slack’s response arrives after the failure page was sent, Foyer still reads it completely and revokes its tokens', async () => {
  const { tokens, watch, asked, revoked, kept, gone, answer } = watchExchange(whole);
  gone.abort(new DOMException('too late', 'TimeoutError'));
  await assert.rejects(asked, { name: 'TimeoutError' });
  assert.equal(await watch.giveBack(1000), undefined, 'no token was issued so far');
  assert.deepEqual(revoked, []);
  answer();
  await tokens.settle(10_000);
  assert.deepEqual(revoked, ['xoxb-1']);
  assert.equal(kept.length, 1, 'the tokens are kept before they are revoked, in case of a crash in between');
});

test('Foyer revokes neither a bot token nor a user token that a stored installation uses', async () => {
  const both = { ...whole, authed_user: { id: 'U1', access_token: 'xoxp-1' } };
  for (const [installation, revokes] of [
    [{ bot: { token: 'xoxb-1' }, user: {} }, ['xoxp-1']],
    [{ bot: { token: 'xoxb-0' }, user: { token: 'xoxp-1' } }, ['xoxb-1']],
    [{ bot: { token: 'xoxb-1' }, user: { token: 'xoxp-1' } }, []],
  ] as const) {
    const { watch, asked, revoked, answer } = watchExchange(both, {}, { stored: { installation } });
    answer();
    await asked;
    assert.equal(await watch.giveBack(1000), revokes.length > 0 || undefined);
    assert.deepEqual(revoked, revokes);
  }
});

test('a token that could not be revoked stays with its install request, so that Foyer can try again', async () => {
  const broken = {
    revoke() {
      throw new Error('Slack is away');
    },
  };
  const inTime = watchExchange(whole, {}, broken);
  inTime.answer();
  await inTime.asked;
  assert.equal(await inTime.watch.giveBack(1000), false);
  assert.equal(inTime.writes(), 1, 'kept, and not forgotten');

  const late = watchExchange(whole, {}, broken);
  late.gone.abort(new DOMException('too late', 'TimeoutError'));
  await assert.rejects(late.asked);
  await late.watch.giveBack(1000);
  late.answer();
  await late.tokens.settle(10_000);
  assert.equal(late.writes(), 1, 'kept, and not forgotten');

  const kept = JSON.stringify({ isEnterpriseInstall: false, tokens: ['xoxb-1'] });
  const later = createUnstoredTokens({
    database: { write: () => assert.fail('it must not be forgotten') } as never,
    sealer: { seal: unused, open: () => kept },
    store: { findInstallation: async () => undefined },
    slack: (() => ({ auth: broken })) as never,
    log: { warn() {}, error() {} } as never,
  });
  assert.equal(await later.giveBackKept('req_1', 'sealed'), false);
});

test('the kept tokens of an install request can be decrypted only for that request', async () => {
  const sealer = createSealer({ keyring: keyringOf('k1'), purpose: unstoredTokensPurpose });
  const tokens = createUnstoredTokens({
    database: { write: async () => {} } as never,
    sealer,
    store: { findInstallation: async () => undefined },
    slack: (() => ({ auth: { revoke: async () => ({ ok: true }) } })) as never,
    log: { warn() {}, error() {} } as never,
  });
  const sealed = sealer.seal(
    '{"isEnterpriseInstall":false,"tokens":["xoxb-1"]}',
    unstoredTokensPlace('req_1'),
  );
  await assert.rejects(tokens.giveBackKept('req_2', sealed), { code: 'seal_broken' });
  assert.equal(await tokens.giveBackKept('req_1', sealed), true);
});

test('the time of an install comes from the Date header of Slack’s response', async () => {
  for (const [date, time] of [
    ['Sun, 06 Nov 2033 08:49:37 GMT', Date.UTC(2033, 10, 6, 8, 49, 37)],
    ['no date', undefined],
  ] as const) {
    const { watch, asked, answer } = watchExchange(whole, { date });
    answer();
    await asked;
    assert.equal(watch.issuedAt(), time);
  }
});
