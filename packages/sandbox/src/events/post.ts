import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export type PostOutcome =
  | { kind: 'answered'; status: number; headers: Record<string, string>; body: string; ms: number }
  | { kind: 'timeout'; ms: number }
  | { kind: 'connection-failed'; message: string; ms: number };

type Post = { url: string; headers: Record<string, string>; body: string; timeoutMs: number };

/** How long an idle connection stays open for the next request. */
const idleMs = 300;

/** Creates a client that posts to an app as Slack does: with one time limit for the whole answer, and no redirects. */
export function createPoster() {
  // Why a short idle time: an app that is stopping waits up to six seconds for its open connections.
  const httpAgent = new HttpAgent({ keepAlive: true, timeout: idleMs });
  const httpsAgent = new HttpsAgent({ keepAlive: true, timeout: idleMs });

  function attempt(options: Post, startedAt: number, mayRetry: boolean): Promise<PostOutcome> {
    const elapsed = () => Math.round(performance.now() - startedAt);
    return new Promise((resolve) => {
      if (!URL.canParse(options.url)) {
        return resolve({ kind: 'connection-failed', message: `${options.url} is not a valid URL`, ms: 0 });
      }
      const url = new URL(options.url);
      const isTls = url.protocol === 'https:';
      const headers = { ...options.headers, 'content-length': String(Buffer.byteLength(options.body)) };
      const signal = AbortSignal.timeout(options.timeoutMs);
      const sent = (isTls ? httpsRequest : httpRequest)(
        url,
        { method: 'POST', headers, agent: isTls ? httpsAgent : httpAgent, signal },
        (answer) => {
          let body = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => {
            body += chunk;
          });
          answer.on('error', (error) => sent.emit('error', error));
          answer.on('end', () => {
            const status = answer.statusCode ?? 0;
            resolve({ kind: 'answered', status, headers: plainHeaders(answer.headers), body, ms: elapsed() });
          });
        },
      );
      sent.on('error', (error) => {
        if (signal.aborted) return resolve({ kind: 'timeout', ms: elapsed() });
        // The app may have closed the kept-alive connection before it read the request: retry once on a new connection.
        if (sent.reusedSocket && mayRetry) return resolve(attempt(options, startedAt, false));
        resolve({ kind: 'connection-failed', message: error.message, ms: elapsed() });
      });
      sent.end(options.body);
    });
  }

  return {
    post: (options: Post): Promise<PostOutcome> => attempt(options, performance.now(), true),
    /** Closes the kept-alive connections. */
    close(): void {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

function plainHeaders(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
