import { parseSetCookie } from 'cookie';
import type { Sandbox } from 'slack-sandbox';

/** A headless browser: it keeps cookies, follows no redirect, and returns each answer. */
export interface Visitor {
  cookies: Map<string, string>;
  get(url: string, headers?: Record<string, string>): Promise<Response>;
  /** Posts a form, as a page of the same origin would. */
  post(url: string, form?: Record<string, string>): Promise<Response>;
}

/** Creates a visitor without cookies. `address` is the visitor's IP address, for a Foyer with TRUST_PROXY=1. */
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

/** Who installs where, and what they choose on Slack's page. */
export interface Choice {
  userId: string;
  teamId?: string;
  enterpriseId?: string;
  decision?: 'allow' | 'cancel';
  declinedScopes?: string[];
}

/** Presses Add to Slack and decides on Slack's page; returns the callback's address, without visiting it. */
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

/** Installs the app, without waiting for its run; returns the answer of the callback. */
export async function install(
  visitor: Visitor,
  foyerUrl: string,
  sandbox: Sandbox,
  choice: Choice,
): Promise<Response> {
  return visitor.get(await pressAddToSlack(visitor, foyerUrl, sandbox, choice));
}

/**
 * Polls until `look` returns something; fails after `withinMs`, which is long because test machines are busy. It polls
 * less often the longer it has waited, so that many long waits do not slow down the work that they wait for.
 */
export async function eventually<T>(
  look: () => Promise<T | undefined | false>,
  withinMs = 30_000,
): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs > withinMs) throw new Error(`the condition was not met within ${withinMs} ms`);
    await new Promise((next) => setTimeout(next, Math.min(20 + waitedMs / 10, 200)));
  }
}

async function readRun(visitor: Visitor, progressUrl: string): Promise<ShownRun> {
  const response = await visitor.get(`${progressUrl}/status`);
  return (await response.json()) as ShownRun;
}

/** Polls a progress page until its run has ended; returns the last status. */
export async function finishedRun(
  visitor: Visitor,
  progressUrl: string,
  withinMs?: number,
): Promise<ShownRun> {
  return eventually(async () => {
    const status = await readRun(visitor, progressUrl);
    return status.done && status;
  }, withinMs);
}

/** Polls a progress page until its run has ended or waits for an answer; returns the last status. */
export async function restingRun(visitor: Visitor, progressUrl: string): Promise<ShownRun> {
  return eventually(async () => {
    const status = await readRun(visitor, progressUrl);
    return (status.done || status.question !== null) && status;
  });
}

/** The body of `/installs/:token/status`, as far as tests read it. */
export interface ShownRun {
  id: string;
  status: string;
  done: boolean;
  /** `step/question` while the run waits for an answer; otherwise null. */
  question: string | null;
  teamName: string | null;
  steps: { name: string; status: string; attempts: number; error: string | null }[];
}
