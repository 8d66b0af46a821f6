import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The endpoint's answer: a JSON body, an HTTP status, no answer (`hang`), or a text, whole or cut off. */
export type TokenAnswer = object | number | 'hang' | { text: string; breaksOff: boolean };

/** A fake of Slack's `oauth.v2.access`, over loopback HTTP, that only refreshes tokens. */
export interface FakeTokenEndpoint {
  apiUrl: string;
  /** The refresh tokens that the endpoint received, in order. */
  readonly used: string[];
  /** Sets the answer to all later calls. If undefined, answers as Slack does: each refresh token works only once. */
  answerWith(answer: TokenAnswer | undefined): void;
  /** Sets the answer to all later calls with this access token. It overrides the answer set by `answerWith`. */
  answerTo(token: string, answer: object): void;
  /** Holds every answer back until `release` is called. */
  hold(): { release(): void };
  close(): Promise<void>;
}

/** Starts the endpoint. New tokens are called `<kind>-new-<n>` and are valid for twelve hours. */
export async function startFakeTokenEndpoint(): Promise<FakeTokenEndpoint> {
  const used: string[] = [];
  const answers = new Map<string, object>();
  let told: TokenAnswer | undefined;
  let held: Promise<void> = Promise.resolve();

  const answerFor = (form: URLSearchParams): TokenAnswer => {
    const refreshToken = form.get('refresh_token') ?? '';
    const spent = used.includes(refreshToken);
    used.push(refreshToken);
    if (told !== undefined) return told;
    const complete = form.get('client_id') === '1.1' && form.get('client_secret') === 'client-secret';
    if (!complete || form.get('grant_type') !== 'refresh_token') return { ok: false, error: 'bad_request' };
    if (spent) return { ok: false, error: 'invalid_refresh_token' };
    const kind = refreshToken.includes('user') ? 'xoxe.xoxp' : 'xoxe.xoxb';
    return {
      ok: true,
      access_token: `${kind}-new-${used.length}`,
      refresh_token: `xoxe-1-${kind === 'xoxe.xoxp' ? 'user' : 'bot'}-new-${used.length}`,
      expires_in: 43200,
    };
  };

  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const usual = answerFor(new URLSearchParams(body));
    const answer = answers.get(req.headers.authorization?.replace('Bearer ', '') ?? '') ?? usual;
    await held;
    if (answer === 'hang') return;
    if (typeof answer === 'number') return void res.writeHead(answer).end();
    if ('text' in answer) {
      res.writeHead(200, { 'Content-Type': 'application/json' });
      if (!answer.breaksOff) return void res.end(answer.text);
      return void res.write(answer.text, () => res.destroy());
    }
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    apiUrl: `http://127.0.0.1:${port}/api/`,
    used,
    answerWith(answer) {
      told = answer;
    },
    answerTo(token, answer) {
      answers.set(token, answer);
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return { release: resolve };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
