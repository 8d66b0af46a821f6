import { parseSetCookie } from 'cookie';
import { Pool } from 'undici';

/** The measured part of one install in a browser. */
export interface Pass {
  /** The time from the callback until the person sees the complete page, redirects included. */
  callbackMs: number;
}

/** Browsers that install the app. Each install starts with no cookies; the connections are kept alive. */
export interface Browsers {
  /** Clicks Add to Slack, and returns from Slack with an OAuth code for the team whose number is `teamNumber`. */
  install(teamNumber: number): Promise<Pass>;
  close(): Promise<void>;
}

export function openBrowsers(url: string): Browsers {
  const pool = new Pool(url, { connections: 64, pipelining: 1 });

  async function get(path: string, cookie?: string) {
    const headers = cookie ? { cookie } : {};
    const { statusCode, headers: answered, body } = await pool.request({ method: 'GET', path, headers });
    const text = await body.text();
    return { status: statusCode, headers: answered, text };
  }

  return {
    async install(teamNumber) {
      const start = await get('/slack/install');
      if (start.status !== 302) throw new Error(`/slack/install answered ${start.status}: ${start.text}`);
      const state = new URL(String(start.headers.location)).searchParams.get('state') ?? '';
      const { name, value } = parseSetCookie([start.headers['set-cookie']].flat()[0] ?? '');
      const cookie = `${name}=${value}`;
      const query = new URLSearchParams({ code: String(teamNumber), state });
      const startedAt = performance.now();
      let page = await get(`/slack/oauth_redirect?${query}`, cookie);
      if (page.status === 303) page = await get(String(page.headers.location), cookie);
      const callbackMs = performance.now() - startedAt;
      if (page.status !== 200)
        throw new Error(`the callback ended with ${page.status}: ${page.text.slice(0, 500)}`);
      return { callbackMs };
    },
    close: () => pool.close(),
  };
}
