import { parseSetCookie } from 'cookie';
import type { Sandbox } from 'slack-sandbox';

/** A browser without a screen: it keeps cookies, follows nothing by itself, and reports what came. */
export interface Visitor {
  cookies: Map<string, string>;
  get(url: string, headers?: Record<string, string>): Promise<Response>;
  /** Sends a form, as the page at the same origin would. */
  post(url: string, form?: Record<string, string>): Promise<Response>;
}

/** Makes a visitor with an empty cookie jar. `address` is theirs for a Foyer that trusts a proxy (TRUST_PROXY=1). */
export function createVisitor(address?: string): Visitor {
  const cookies = new Map<string, string>();
  async function send(
    url: string,
    init: RequestInit & { headers?: Record<string, string> },
  ): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        connection: 'close',
        ...(cookie && { cookie }),
        ...(address && { 'x-forwarded-for': address }),
        ...init.headers,
      },
      signal: AbortSignal.timeout(30_000),
    });
    for (const line of response.headers.getSetCookie()) {
      const { name, value, maxAge } = parseSetCookie(line);
      if (maxAge === 0 || !value) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }
  return {
    cookies,
    get: (url, headers = {}) => send(url, { headers }),
    post: (url, form = {}) =>
      send(url, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { origin: new URL(url).origin },
      }),
  };
}

/** Which person installs where. */
export interface Choice {
  userId: string;
  teamId?: string;
  enterpriseId?: string;
  decision?: 'allow' | 'cancel';
  declinedScopes?: string[];
}

/** Presses Add to Slack and decides on Slack's page; returns the callback's address, not yet visited. */
export async function pressAddToSlack(
  visitor: Visitor,
  foyerUrl: string,
  sandbox: Sandbox,
  choice: Choice,
): Promise<string> {
  const start = await visitor.get(`${foyerUrl}/slack/install`);
  const authorizeUrl = start.headers.get('location') ?? '';
  if (start.status !== 302) throw new Error(`/slack/install answered ${start.status}`);
  return sandbox.consent({ authorizeUrl, ...choice });
}

/** Installs all the way; returns what the callback answered. */
export async function install(
  visitor: Visitor,
  foyerUrl: string,
  sandbox: Sandbox,
  choice: Choice,
): Promise<Response> {
  return visitor.get(await pressAddToSlack(visitor, foyerUrl, sandbox, choice));
}

/** Polls until `look` returns something; fails after `withinMs`: long, since it is no promise of ours but a busy machine's. */
export async function eventually<T>(
  look: () => Promise<T | undefined | false>,
  withinMs = 30_000,
): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > giveUpAt) throw new Error(`it did not happen within ${withinMs} ms`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

/** Follows a progress page until its run is over; returns the last status. */
export async function finishedRun(
  visitor: Visitor,
  progressUrl: string,
  withinMs?: number,
): Promise<ShownRun> {
  return eventually(async () => {
    const response = await visitor.get(`${progressUrl}/status`);
    const status = (await response.json()) as ShownRun;
    return status.done && status;
  }, withinMs);
}

/** What `/installs/:token/status` tells, as far as tests read it. */
export interface ShownRun {
  id: string;
  status: string;
  done: boolean;
  teamName: string | null;
  steps: { name: string; status: string; attempts: number; error: string | null }[];
}
