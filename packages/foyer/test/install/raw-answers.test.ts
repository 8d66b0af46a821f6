import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { createLogger } from '../../src/config/log.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { loadKeyring } from '../../src/installations/keyring.ts';
import { createVisitor } from '../../src/testing/visitor.ts';
import { endWith, startRawSlack } from '../support/raw-slack.ts';
import type { EngineName } from '../support/stage-database.ts';
import { setStage } from '../support/start-foyer.ts';

/**
 * Runs the whole callback with answers to the exchange that are malformed JSON or HTTP, too long, nested too deep, or
 * sent in pieces. Each token that arrived is stored or revoked (invariant 1). `odd-answers.test.ts` does the same with
 * valid JSON whose fields are odd.
 */

const numRuns = Number(process.env.FOYER_ODD_ANSWERS ?? 60);
const most = 1_000_000;
const limits = { callbacksPerAddress: most, callbacksInAll: most, startsPerAddress: most, startsInAll: most };

/** The tokens of install `n`, and Slack's answer with them. */
function answerOf(n: number) {
  const tokens = {
    bot: `xoxe.xoxb-1-bot${n}`,
    botRefresh: `xoxe-1-botrefresh${n}`,
    user: `xoxp-${n}-user`,
    twin: `xoxb-${n}-twin`,
  };
  const json = {
    ok: true,
    access_token: tokens.bot,
    token_type: 'bot',
    scope: 'chat:write,users:read',
    bot_user_id: `UB${n}`,
    refresh_token: tokens.botRefresh,
    expires_in: 43_200,
    app_id: 'A1',
    team: { id: `T${n}`, name: `Team ${n}` },
    enterprise: null,
    is_enterprise_install: false,
    authed_user: { id: `U${n}`, scope: 'users:read', access_token: tokens.user, token_type: 'user' },
  };
  return { tokens, json, text: JSON.stringify(json) };
}
type Answer = ReturnType<typeof answerOf>;

const nested = (levels: number, inner = '1'): string => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;
const withField = (text: string, field: string): string => `${text.slice(0, -1)},${field}}`;
const escaped = (text: string): string =>
  [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const chunked = (body: string, lie = 0): string =>
  `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${(body.length + lie).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const withHead = (head: string, body: string | Buffer) => (socket: Socket) => {
  socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`);
  socket.end(body);
};

/**
 * `write` sends Slack's answer. `arrived` lists the tokens that reach Foyer; by default, these are all tokens except
 * `twin`. `stored` says whether Foyer stores the install.
 */
type Case = {
  write(answer: Answer): (socket: Socket) => void;
  arrived?(answer: Answer): string[];
  stored?: true;
};
const bots = ({ tokens }: Answer): string[] => [tokens.bot, tokens.botRefresh];
const afterBots = ({ text }: Answer): number => text.indexOf('"expires_in"');

const cases: Readonly<Record<string, Case>> = {
  'with an unknown field that is nested 3,000 levels deep': {
    write: ({ text }) => endWith(withField(text, `"more":${nested(3000)}`)),
    stored: true,
  },
  'with a known field that is nested 200,000 levels deep': {
    write: ({ text }) => endWith(withField(text, `"authed_user":${nested(200_000)}`)),
  },
  'wrapped in 100,000 levels of arrays': { write: ({ text }) => endWith(nested(100_000, text)) },
  'that is a refusal with a field nested 3,000 levels deep': {
    write: ({ text }) => endWith(withField(text, `"ok":false,"error":"x","more":${nested(3000)}`)),
  },
  'longer than 1 MiB': { write: ({ text }) => endWith(`${text}${' '.repeat(2 ** 20)}`) },
  'broken off after the bot’s tokens': {
    write: (answer) => (socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-length: ${answer.text.length}\r\n\r\n${answer.text.slice(0, afterBots(answer))}`,
        () => socket.resetAndDestroy(),
      );
    },
    arrived: bots,
  },
  'with a Content-Length that is larger than the body': {
    write: ({ text }) => withHead(`content-length: ${text.length + 10}`, text),
  },
  'with a Content-Length that is smaller than the body': {
    write: (answer) => withHead(`content-length: ${afterBots(answer)}`, answer.text),
    arrived: bots,
  },
  'with a chunk that is longer than its declared size': {
    write:
      ({ text }) =>
      (socket) =>
        socket.end(chunked(text, -9)),
  },
  'with a chunk that is shorter than its declared size': {
    write:
      ({ text }) =>
      (socket) =>
        socket.end(chunked(text, 9)),
  },
  'with a malformed HTTP header': {
    write:
      ({ text }) =>
      (socket) =>
        socket.end(`HTTP/1.1 200 OK\r\nno header\r\n\r\n${text}`),
  },
  'without any HTTP around it': {
    write:
      ({ text }) =>
      (socket) =>
        socket.end(text),
  },
  'compressed with gzip': {
    write: ({ text }) => endWith(gzipSync(text), 'content-encoding: gzip\r\n'),
    stored: true,
  },
  'compressed with gzip, but truncated': {
    write: ({ text }) => endWith(gzipSync(text).subarray(0, -12), 'content-encoding: gzip\r\n'),
    arrived: bots,
  },
  'compressed with deflate, but broken off': {
    write:
      ({ text }) =>
      (socket) => {
        const body = deflateSync(text);
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-encoding: deflate\r\ncontent-length: ${body.length}\r\n\r\n`,
          () => socket.write(body.subarray(0, -8), () => socket.resetAndDestroy()),
        );
      },
    arrived: bots,
  },
  'compressed with brotli': {
    write: ({ text }) => endWith(brotliCompressSync(text), 'content-encoding: br\r\n'),
    stored: true,
  },
  'compressed with gzip, and larger than 64 MiB when decompressed': {
    write: ({ text }) => endWith(gzipBomb(text), 'content-encoding: gzip\r\n'),
  },
  'with the content type application/gzip, but not compressed': {
    write: ({ text }) => endWith(`${text}x`, 'content-type: application/gzip\r\n'),
  },
  'with a byte order mark': { write: ({ text }) => endWith(`\ufeff${text}`), stored: true },
  'with whitespace around it': { write: ({ text }) => endWith(`\n\t ${text} \r\n\n`), stored: true },
  'with a team name that is not UTF-8': {
    write: ({ text }) => endWith(Buffer.from(text.replace('Team', 'Te\xe4m'), 'latin1')),
    stored: true,
  },
  'in little-endian UTF-16': { write: ({ text }) => endWith(Buffer.from(`\ufeff${text}`, 'utf16le')) },
  'in big-endian UTF-16': {
    write: ({ text }) => endWith(Buffer.from(`\ufeff${text}`, 'utf16le').swap16()),
  },
  'with two bot tokens': {
    write: ({ text, tokens }) => endWith(text.replace('{', `{"access_token":"${tokens.twin}",`)),
    arrived: ({ tokens }) => [...Object.values(tokens)],
    stored: true,
  },
  'with a token in a field that Foyer does not know': {
    write: ({ text, tokens }) => endWith(withField(text, `"more":{"n":["${tokens.twin}"]}`)),
    arrived: ({ tokens }) => [...Object.values(tokens)],
    stored: true,
  },
  'followed by an HTML comment': { write: ({ text }) => endWith(`${text}<!-- cached -->`) },
  'sent twice': { write: ({ text }) => endWith(text + text) },
  'inside an HTML page': {
    write: ({ text }) => endWith(`<html><pre>${text.replaceAll('"', '&quot;')}</pre></html>`),
  },
  'as a JSON string inside a JSON object': {
    write: ({ text }) => endWith(JSON.stringify({ ok: true, body: text })),
  },
  'as a JSON string inside a JSON object that is itself a JSON string': {
    write: ({ text }) => endWith(JSON.stringify(JSON.stringify({ ok: true, body: text }))),
  },
  'in a form-encoded body': {
    write: ({ json }) => endWith(new URLSearchParams({ a: JSON.stringify(json) }).toString()),
  },
  'with tokens as field names': {
    write: ({ tokens }) => endWith(JSON.stringify({ ok: true, [tokens.bot]: { [tokens.user]: 1 } })),
    arrived: ({ tokens }) => [tokens.bot, tokens.user],
  },
  'with a token in Unicode escapes': {
    write: ({ text, tokens }) => endWith(text.replace(tokens.bot, escaped(tokens.bot))),
    stored: true,
  },
  'with a token in Unicode escapes, and truncated': {
    write: (answer) =>
      endWith(answer.text.slice(0, afterBots(answer)).replace(answer.tokens.bot, escaped(answer.tokens.bot))),
    arrived: bots,
  },
  'with a token only in a header': {
    write: ({ tokens }) => endWith('{"ok":true}', `x-token: ${tokens.bot}\r\n`),
    arrived: ({ tokens }) => [tokens.bot],
  },
  'with a header that contains UTF-8': {
    write: ({ text }) => endWith(text, 'x-team: Zoë ✓\r\n'),
    stored: true,
  },
  'without a body': { write: () => endWith(''), arrived: () => [] },
  'with status 302': { write: ({ text }) => endWith(text, 'location: /elsewhere\r\n', '302 Found') },
  'with status 500': { write: ({ text }) => endWith(text, '', '500 Internal Server Error') },
  'with status 429': { write: ({ text }) => endWith(text, 'retry-after: 5\r\n', '429 Too Many Requests') },
  'with status 999': { write: ({ text }) => endWith(text, '', '999 No') },
  'with status 101': {
    write: ({ text }) => endWith(text, 'upgrade: x\r\n', '101 Switching Protocols'),
    arrived: () => [],
  },
  'after early hints': {
    write:
      ({ text }) =>
      (socket) => {
        socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
        endWith(text)(socket);
      },
    stored: true,
  },
  'with `ok` as a string': { write: ({ text }) => endWith(text.replace('"ok":true', '"ok":"true"')) },
  'with `ok` as a number': { write: ({ text }) => endWith(text.replace('"ok":true', '"ok":1')) },
  'sent one byte at a time': {
    write:
      ({ text }) =>
      (socket) => {
        socket.setNoDelay(true);
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n`);
        const next = (at: number): void => {
          if (at < text.length) socket.write(text.charAt(at), () => next(at + 1));
        };
        next(0);
      },
    stored: true,
  },
};

/** Compresses an answer and 64 MiB of spaces. The body is small, but unpacks to far more than Foyer reads. */
function gzipBomb(text: string): Buffer {
  return gzipSync(text + ' '.repeat(64 * 2 ** 20));
}

async function prepare(t: TestContext, engine: EngineName) {
  const slack = await startRawSlack(t);
  const stage = await setStage({
    engine,
    environment: { SLACK_API_URL: slack.apiUrl },
    foyer: { installLimits: limits },
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

  /**
   * Runs an install in which `write` sends Slack's answer. Checks that each token that arrived is stored or revoked.
   */
  async function install(n: number, write: (socket: Socket) => void, arrived: string[]) {
    slack.onExchange(write);
    slack.testWith({ ok: true, url: `https://t${n}.slack.example/`, team_id: `T${n}`, bot_id: `B${n}` });
    const visitor = createVisitor();
    const start = await visitor.get(`${stage.url}/slack/install`);
    const state = new URL(start.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const from = stage.logged().length;
    const query = new URLSearchParams({ code: 'c', state });
    const answer = await visitor.get(`${stage.url}/slack/oauth_redirect?${query}`);
    const page = (await answer.text()).replaceAll(/nonce="[^"]*"/g, 'nonce=""');
    const lines = stage.logged().slice(from);
    assert.equal(lines.join('\n').match(/xox[a-z][.-]|bot\d+\b.*token/), null, 'a token is in the log');
    assert.equal(page.match(/xox[a-z]/), null, 'a token is on the page');
    const isStored = answer.status === 303;
    let stored: (string | undefined)[] = [];
    if (isStored) {
      const line = lines.find((each) => each.includes('"msg":"installed"')) ?? assert.fail('no line');
      const { installationId } = JSON.parse(line) as { installationId: string };
      const { installation } = (await store.readInstallation(installationId, `U${n}`)) ?? assert.fail('lost');
      stored = [installation.bot?.token, installation.bot?.refreshToken, installation.user.token];
    } else {
      assert.equal(answer.status, 502, lines.join('\n'));
      const id = [...page.matchAll(/<code[^>]*>([^<]*)<\/code>/g)].at(-1)?.[1] ?? '';
      const line = lines.find((each) => each.includes('"msg":"install failed"')) ?? assert.fail('no line');
      assert.ok(id !== '' && line.includes(id), `the page and the log name different requests: ${id}`);
    }
    const lost = arrived.filter((token) => !stored.includes(token) && !slack.revoked.has(token));
    assert.deepEqual(lost, [], 'neither stored nor revoked');
    assert.ok(!stored.some((token) => token && slack.revoked.has(token)), 'stored and revoked');
    return isStored;
  }

  /** The number of install requests whose row still holds tokens to revoke. */
  async function left(): Promise<number> {
    const [row] = await stage.database.rows<{ n: number }>(
      'select count(*) as n from install_requests where sealed_tokens is not null',
    );
    return Number(row?.n);
  }
  return { install, left };
}

/**
 * Ways to corrupt the text of an answer. `at` is a number from 0 to 1. Each change derives its position, its size or
 * its variant from `at`, or ignores it.
 */
const changes: Readonly<Record<string, (text: string, at: number, answer: Answer) => string>> = {
  cut: (text, at) => text.slice(0, Math.floor(at * text.length)),
  nest: (text, at) => nested(1 + Math.floor(at * 5000), text),
  'nest a field': (text, at) => withField(text, `"f":${nested(1 + Math.floor(at * 5000))}`),
  'repeat a name': (text, _at, { tokens }) =>
    text.replace('"access_token"', `"access_token":"${tokens.twin}","access_token"`),
  wrap: (text) => JSON.stringify({ ok: true, text }),
  'wrap in a page': (text) => `<p>${text}</p>`,
  escape: (text, at, { tokens }) => {
    const token = Object.values(tokens)[Math.floor(at * 4)] ?? '';
    return text.replace(token, escaped(token));
  },
  repeat: (text) => text + text,
  append: (text, at) => text + ['\n', ' ', '\0', '}', 'x', '[]'][Math.floor(at * 6)],
  'break a byte': (text, at) => {
    const place = Math.floor(at * text.length);
    return `${text.slice(0, place)}\u0001${text.slice(place + 1)}`;
  },
};

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`a malformed response from Slack to the code exchange, on ${engine}`, () => {
    it('Foyer stores or revokes every token that arrives in a malformed response to the code exchange', async (t) => {
      const { install, left } = await prepare(t, engine);
      let n = 0;
      for (const [name, { write, arrived, stored = false }] of Object.entries(cases)) {
        await t.test(`Foyer stores or revokes every token in a response ${name}`, async () => {
          n += 1;
          const answer = answerOf(n);
          const { bot, botRefresh, user } = answer.tokens;
          const given = arrived ? arrived(answer) : [bot, botRefresh, user];
          assert.equal(await install(n, write(answer), given), stored);
          assert.equal(await left(), 0, 'tokens that were stored or revoked are still kept');
        });
      }
    });

    it('Foyer stores or revokes every token if the text of Slack’s response is changed at random', async (t) => {
      const { install, left } = await prepare(t, engine);
      let n = 0;
      const change = fc.record({
        how: fc.constantFrom(...Object.keys(changes)),
        at: fc.double({ min: 0, max: 0.999, noNaN: true }),
      });
      const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (made) => {
        n += 1;
        const answer = answerOf(n);
        const text = made.reduce(
          (text, { how, at }) => changes[how]?.(text, at, answer) ?? text,
          answer.text,
        );
        const decoded = text.replace(/\\+u([0-9a-f]{4})/g, (_, code) =>
          String.fromCharCode(parseInt(code, 16)),
        );
        const whole = Object.values(answer.tokens).filter((token) => decoded.includes(token));
        await install(n, endWith(text), whole);
        assert.equal(await left(), 0, 'tokens that were stored or revoked are still kept');
      });
      await fc.assert(property, { numRuns });
    });
  });
}
