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
  return poll(look, withinMs, () => `the condition was not met within ${withinMs} ms`);
}

/** Calls `look` until it returns something. If that takes too long, throws an error with the message from `late`. */
async function poll<T>(
  look: () => Promise<T | undefined | false>,
  withinMs: number,
  late: () => string | Promise<string>,
): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs > withinMs) throw new Error(await late());
    await new Promise((next) => setTimeout(next, Math.min(20 + waitedMs / 10, 200)));
  }
}

/** Polls a progress page until `isOver` accepts its status; returns that status. The error says where the run is. */
async function pollRun(
  visitor: Visitor,
  progressUrl: string,
  isOver: (run: ShownRun) => boolean,
  { withinMs = 30_000, reasonOf }: { withinMs?: number | undefined; reasonOf?: ReasonOf | undefined },
): Promise<ShownRun> {
  let run: ShownRun;
  return poll(
    async () => {
      const response = await visitor.get(`${progressUrl}/status`);
      run = (await response.json()) as ShownRun;
      return isOver(run) && run;
    },
    withinMs,
    async () => `the install run has not ended within ${withinMs} ms: ${await whereaboutsOf(run, reasonOf)}`,
  );
}

/** Returns why the last attempt of a step failed, if more is known than the error code in the run's status. */
export type ReasonOf = (runId: string, stepName: string) => Promise<string | undefined>;

/** Says where an unfinished run is, such as `it is waiting at start-trial (retrying, attempt 5): fetch failed`. */
async function whereaboutsOf(
  { id, status, steps, question }: ShownRun,
  reasonOf?: ReasonOf,
): Promise<string> {
  const step = steps.find(({ status }) => ['running', 'retrying', 'pending'].includes(status));
  // The status does not list steps for operators.
  if (!step) return `it is ${status}, and every step that installers see has ended`;
  const asked = question === null ? '' : `, which asks ${question}`;
  const reason = (await reasonOf?.(id, step.name)) ?? step.error;
  return `it is ${status} at ${step.name} (${step.status}, attempt ${step.attempts})${asked}${reason === null ? '' : `: ${reason}`}`;
}

/** Polls a progress page until its run has ended; returns the last status. */
export async function finishedRun(
  visitor: Visitor,
  progressUrl: string,
  withinMs?: number,
): Promise<ShownRun> {
  return pollRun(visitor, progressUrl, ({ done }) => done, { withinMs });
}

/** Polls a progress page until its run has ended or waits for an answer; returns the last status. */
export async function restingRun(
  visitor: Visitor,
  progressUrl: string,
  reasonOf?: ReasonOf,
): Promise<ShownRun> {
  return pollRun(visitor, progressUrl, ({ done, question }) => done || question !== null, { reasonOf });
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
