import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { app, installerIdOf, teamIdOf } from '../load/signed-events.ts';
import { botScopes } from '../seed/bench-installation.ts';
import { present } from './contender.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';

/**
 * A fake Slack that checks nothing. Every call of a method listed below succeeds, after the delay that the bench sets
 * with `delay`. Why not the sandbox: without a delay, this fake is faster than every contender, and the sandbox is not.
 * The fake needs no list of teams, because every code, token, team id and installer id contains the number of its team.
 */

let delayMs = 0;
let underWay = 0;
let lastEndedAt = process.hrtime.bigint();
const calls: Record<string, number> = {};
/** When each person's view arrived, by the monotonic clock that all processes of the machine share. */
const publishedAt = new Map<string, bigint>();

type Fields = URLSearchParams;

const methods: Readonly<Record<string, (fields: Fields, number: number) => object>> = {
  'oauth.v2.access': (fields) => {
    const number = Number(fields.get('code'));
    return {
      access_token: `xoxb-1111111111-2222222222222-${teamIdOf(number)}benchbenchbench`,
      token_type: 'bot',
      scope: botScopes.join(','),
      bot_user_id: app.botUserId,
      app_id: app.id,
      team: { id: teamIdOf(number), name: `Team ${number} of Acme` },
      enterprise: null,
      is_enterprise_install: false,
      authed_user: { id: installerIdOf(number) },
    };
  },
  'auth.test': (_fields, number) => ({
    url: 'https://acme.slack.com/',
    team: `Team ${number} of Acme`,
    user: 'foyer',
    team_id: teamIdOf(number),
    user_id: app.botUserId,
    bot_id: 'B0BENCHBOT0',
    is_enterprise_install: false,
  }),
  'users.info': (fields, number) => ({
    user: {
      id: fields.get('user'),
      team_id: teamIdOf(number),
      name: 'grace',
      real_name: 'Grace Hopper',
      tz: 'America/New_York',
      locale: 'en-US',
      is_admin: true,
      is_owner: true,
      is_bot: false,
      deleted: false,
      updated: 1_700_000_000,
      profile: {
        first_name: 'Grace',
        display_name: 'grace',
        real_name: 'Grace Hopper',
        email: 'grace@example.com',
        image_72: 'https://example.com/72.png',
        image_192: 'https://example.com/192.png',
        image_512: 'https://example.com/512.png',
      },
    },
  }),
  'team.info': (_fields, number) => ({
    team: {
      id: teamIdOf(number),
      name: `Team ${number} of Acme`,
      domain: 'acme',
      icon: { image_default: true },
    },
  }),
  'conversations.open': (_fields, number) => ({ channel: { id: `D${String(number).padStart(10, '0')}` } }),
  'conversations.history': () => ({ messages: [], has_more: false }),
  'chat.postMessage': (fields) => ({
    channel: fields.get('channel'),
    ts: `${(Date.now() / 1000).toFixed(6)}`,
    message: { type: 'message', text: fields.get('text') },
  }),
  'views.publish': (fields) => {
    publishedAt.set(fields.get('user_id') ?? '', process.hrtime.bigint());
    return { view: { id: 'V0BENCH', type: 'home' } };
  },
  'auth.revoke': () => ({ revoked: true }),
};

/** The bench's tokens contain the id of their team. */
function numberOf(token: string): number {
  return Number(/-T(\d+)/.exec(token)?.[1] ?? 0);
}

async function fieldsOf(req: IncomingMessage): Promise<Fields> {
  let body = '';
  req.setEncoding('utf8');
  for await (const chunk of req) body += chunk;
  return new URLSearchParams(body);
}

const server = createServer(async (req, res) => {
  underWay += 1;
  const name = (req.url ?? '').split('?', 1)[0]?.replace('/api/', '') ?? '';
  const fields = await fieldsOf(req);
  calls[name] = (calls[name] ?? 0) + 1;
  const answer = methods[name]?.(fields, numberOf(req.headers.authorization ?? fields.get('token') ?? ''));
  if (delayMs > 0) await sleep(delayMs);
  const body = JSON.stringify(answer ? { ok: true, ...answer } : { ok: false, error: 'unknown_method' });
  res.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  res.end(body);
  underWay -= 1;
  lastEndedAt = process.hrtime.bigint();
});
server.keepAliveTimeout = 60_000;

present({
  port: await listenOnLoopback(server),
  answers: {
    delay(ms) {
      delayMs = Number(ms);
    },
    /** How often each method has been called since the start. */
    calls: () => calls,
    /** Resolves once no call has come for 60 ms: the contender is idle. */
    async quiet() {
      while (underWay > 0 || Number(process.hrtime.bigint() - lastEndedAt) / 1e6 < 60) await sleep(10);
    },
    /** Returns the time at which each of these people's views arrived, in nanoseconds. Forgets all times afterward. */
    published(userIds) {
      const times = (userIds as string[]).map((userId) => String(publishedAt.get(userId) ?? 0n));
      publishedAt.clear();
      return times;
    },
  },
  stop: () => server.closeAllConnections(),
});
