import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { createLogger } from '../../src/config/log.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { loadKeyring } from '../../src/installations/keyring.ts';
import { createVisitor, eventually } from '../../src/testing/visitor.ts';
import type { EngineName } from '../support/stage-database.ts';
import { setStage } from '../support/start-foyer.ts';

/**
 * Runs the whole callback (invariant 1). Slack answers the exchange and `auth.test` with fields that are absent, null,
 * of another type, doubled, nested or in another order. Foyer stores each token with the install, or revokes it before
 * the page is sent. If neither answer says whose token it is, Foyer keeps the token, and revokes it after a restart,
 * once Slack answers `auth.test` in full.
 */

const numRuns = Number(process.env.FOYER_ODD_ANSWERS ?? 40);

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Answers = { 'oauth.v2.access': Json; 'auth.test': Json };

/** Slack's answers when a workspace or a whole organization installs, with or without token rotation. */
function realAnswers(n: number, { isOrg, rotates }: { isOrg: boolean; rotates: boolean }): Answers {
  const rotation = (kind: string): { [name: string]: Json } =>
    rotates ? { refresh_token: `xoxe-1-${kind}-${n}`, expires_in: 43_200 } : {};
  const team = { id: `T${n}`, name: `Team ${n}` };
  const enterprise = { id: `E${n}`, name: `Enterprise ${n}` };
  return {
    'oauth.v2.access': {
      ok: true,
      app_id: 'A1',
      authed_user: {
        id: `U${n}`,
        scope: 'identity.basic,users:read',
        token_type: 'user',
        access_token: `xoxp-${n}`,
        ...rotation('xoxp'),
      },
      scope: 'chat:write,users:read',
      token_type: 'bot',
      access_token: `xoxb-${n}`,
      ...rotation('xoxb'),
      bot_user_id: `UB${n}`,
      team: isOrg ? null : team,
      enterprise: isOrg ? enterprise : null,
      is_enterprise_install: isOrg,
      incoming_webhook: {
        channel: '#general',
        channel_id: `C${n}`,
        configuration_url: `https://slack.example/${n}`,
        url: `https://hooks.slack.example/services/${n}`,
      },
      response_metadata: { warnings: ['superfluous_charset'] },
    },
    'auth.test': {
      ok: true,
      url: `https://t${n}.slack.example/`,
      team: 'Team',
      user: 'bot',
      team_id: isOrg ? `E${n}` : `T${n}`,
      user_id: `UB${n}`,
      bot_id: `B${n}`,
      is_enterprise_install: isOrg,
    },
  };
}

/** Returns the new value of a field in Slack's answers to the `n`th install, or undefined to remove the field. */
type Change = (value: Json, n: number) => Json | undefined;
const changes: Readonly<Record<string, Change>> = {
  drop: () => undefined,
  null: () => null,
  number: () => 7,
  flag: () => true,
  'no flag': () => false,
  text: (_value, n) => `text${n}`,
  'empty text': () => '',
  'huge number': () => 1e300,
  'long text': () =>
    Array.from({ length: 10_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * i * 7) % 20_000))).join(''),
  pad: (value) => (typeof value === 'string' ? ` ${value}\n` : value),
  'text with a NUL': () => 'a\u0000b',
  list: () => [],
  object: () => ({}),
  duplicate: (value) => [value, value],
  nest: (value) => ({ value }),
  'change the type': (value) => (typeof value === 'string' ? [value] : String(value)),
  reorder: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).reverse())
      : value,
};

type Path = readonly string[];
function pathsIn(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsIn(inner, [...path, name]))];
}

function changed(
  value: Json,
  [name, ...rest]: Path,
  change: (value: Json) => Json | undefined,
): Json | undefined {
  if (name === undefined) return change(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !(name in value)) return value;
  const inner = changed(value[name] ?? null, rest, change);
  const { [name]: _, ...others } = value;
  return inner === undefined ? others : { ...value, [name]: inner };
}

const anyKind = fc.record({ isOrg: fc.boolean(), rotates: fc.boolean() });
const everyPath = [false, true].flatMap((isOrg) => {
  const answers = realAnswers(0, { isOrg, rotates: true });
  return (['oauth.v2.access', 'auth.test'] as const).flatMap((method) =>
    pathsIn(answers[method]).map((path) => ({ method, path })),
  );
});
const anyChange = fc.record({
  at: fc.constantFrom(...everyPath),
  how: fc.constantFrom(...Object.keys(changes)),
});

/** The strings in a value, at any depth, that are valid in an HTTP header: only these can be sent as a token. */
function textsIn(value: Json | undefined): string[] {
  if (typeof value === 'string') return /^[!-~]+$/.test(value.trim()) ? [value.trim()] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Every token in an answer, at any depth; a refresh token counts only if there is no access token next to it. */
function tokensIn(answer: Json): string[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const { access_token: access, refresh_token: refresh, ...others } = answer as { [name: string]: Json };
  const own = textsIn(access);
  return [...(own.length > 0 ? own : textsIn(refresh)), ...Object.values(others).flatMap(tokensIn)];
}

/** Starts a Slack that gives the test's answers and remembers the revoked tokens. */
async function startSlack(t: TestContext) {
  let answers: Answers = { 'oauth.v2.access': null, 'auth.test': null };
  const revoked = new Set<string>();
  const server = createServer((req, res) => {
    const method = (req.url ?? '').replace('/api/', '');
    req.resume().on('end', () => {
      if (method === 'auth.revoke') revoked.add(String(req.headers.authorization).replace('Bearer ', ''));
      const answer: Json =
        method === 'oauth.v2.access' || method === 'auth.test' ? answers[method] : { ok: true };
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    apiUrl: `http://127.0.0.1:${port}/api/`,
    revoked,
    answerWith(given: Answers) {
      answers = given;
    },
  };
}

/** More requests than this test makes. */
const most = 1_000_000;
const limits = { callbacksPerAddress: most, callbacksInAll: most, startsPerAddress: most, startsInAll: most };

async function prepare(t: TestContext, engine: EngineName) {
  const slack = await startSlack(t);
  let aheadMs = 0;
  const stage = await setStage({
    engine,
    environment: { SLACK_API_URL: slack.apiUrl },
    foyer: { installLimits: limits, now: () => Date.now() + aheadMs },
  });
  t.after(() => stage.close());
  const database = await openDatabase(stage.config.database);
  t.after(() => database.close());
  const store = createInstallationStore({
    database,
    keyring: loadKeyring({ config: stage.config }),
    clientId: stage.config.slack.clientId,
    stepNames: [],
    now: Date.now,
    log: createLogger({ logLevel: 'silent', secrets: [] }),
  });

  async function install() {
    const visitor = createVisitor();
    const start = await visitor.get(`${stage.url}/slack/install`);
    const state = new URL(start.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const lines = stage.logged().length;
    const answer = await visitor.get(
      `${stage.url}/slack/oauth_redirect?${new URLSearchParams({ code: 'c', state })}`,
    );
    return { answer, page: await answer.text(), lines: stage.logged().slice(lines) };
  }

  /** Returns the row of a stored installation, its tokens, and the number of its runs. */
  async function stored(installationId: string) {
    const [row] = await stage.database.rows<{ status: string; runs: number; installer: string }>(
      `select status, installer_user_id as installer, (select count(*) from runs where installation_id = installations.id) as runs
       from installations where id = ?`,
      installationId,
    );
    const opened = await store.readInstallation(installationId, row?.installer);
    const { bot, user } = opened?.installation ?? {};
    return { ...row, tokens: [bot?.token, bot?.refreshToken, user?.token, user?.refreshToken] };
  }

  /** The number of install requests whose row still holds tokens to revoke. */
  async function kept(): Promise<number> {
    const [row] = await stage.database.rows<{ n: number }>(
      'select count(*) as n from install_requests where sealed_tokens is not null',
    );
    return Number(row?.n);
  }

  /**
   * Restarts Foyer with its clock two minutes further ahead. The new Foyer then revokes the tokens in the install
   * requests.
   */
  async function restartLater() {
    await stage.stop();
    aheadMs += 120_000;
    await stage.start();
  }

  return { slack, stage, install, stored, kept, restartLater };
}

describe('an install for which Slack sends malformed responses', () => {
  for (const engine of ['SQLite', 'Postgres'] as const) {
    it(`if fields of Slack’s responses are missing or malformed, Foyer stores or revokes every token of the install, on ${engine}`, async (t) => {
      const { slack, install, stored, kept, restartLater } = await prepare(t, engine);
      let n = 0;
      /**
       * Tokens that Foyer could not revoke during the callback, because neither Slack's answer to the exchange nor its
       * answer to `auth.test` named their owner.
       */
      const revokedLater: string[] = [];
      let requestsKept = 0;
      const ends = { stored: 0, revoked: 0 };
      const property = fc.asyncProperty(
        anyKind,
        fc.array(anyChange, { minLength: 1, maxLength: 3 }),
        async (kind, made) => {
          n += 1;
          const answers = realAnswers(n, kind);
          for (const { at, how } of made) {
            const change = (value: Json) => (changes[how] ?? assert.fail(how))(value, n);
            answers[at.method] = changed(answers[at.method], at.path, change) ?? null;
          }
          slack.answerWith(answers);
          const issued = tokensIn(answers['oauth.v2.access']);
          const { answer, page, lines } = await install();
          assert.equal(lines.join('\n').match(/xox[bpe]-/), null, 'a token is in the log');
          const unrevoked = issued.filter((token) => !slack.revoked.has(token));
          if (answer.status === 303) {
            ends.stored += 1;
            const line = lines.find((each) => each.includes('"msg":"installed"')) ?? assert.fail('no line');
            const found = await stored(
              String((JSON.parse(line) as { installationId?: unknown }).installationId),
            );
            assert.equal(found.status, 'active');
            assert.ok(Number(found.runs) > 0, 'no run');
            assert.deepEqual(
              unrevoked.filter((token) => !found.tokens.includes(token)),
              [],
              'neither stored nor revoked',
            );
            assert.ok(!found.tokens.some((token) => token && slack.revoked.has(token)), 'stored and revoked');
            return;
          }
          ends.revoked += 1;
          assert.ok(answer.status >= 400 && answer.status !== 500, `${answer.status} ${lines.join('\n')}`);
          assert.match(page, /Reference: /);
          if (unrevoked.length > 0) {
            requestsKept += 1;
            revokedLater.push(...unrevoked);
            assert.equal(await kept(), requestsKept, 'neither revoked nor kept');
          }
          assert.ok(
            lines.some((each) => each.includes('"msg":"install failed"')),
            'no line in the log',
          );
        },
      );
      await fc.assert(property, { numRuns });
      assert.ok(ends.stored > 0 && ends.revoked > 0, JSON.stringify(ends));
      slack.answerWith(realAnswers(0, { isOrg: false, rotates: false }));
      await restartLater();
      await eventually(async () => (await kept()) === 0);
      assert.deepEqual(
        revokedLater.filter((token) => !slack.revoked.has(token)),
        [],
        'not revoked',
      );
    });
  }
});
