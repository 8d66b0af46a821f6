import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Job } from '../../chores/jobs.ts';
import type { Config } from '../../config/config.ts';
import { DatabaseUnavailableError } from '../../database/database.ts';
import { readInstallRecord } from '../../database/install-record.ts';
import { endSession } from '../../database/sessions.ts';
import { clientAddress } from '../../http/bound-connections.ts';
import type { Refusals } from '../../http/count-refusals.ts';
import { withBasePath } from '../../http/html.ts';
import { newNonce, pageHeaders } from '../../http/pages/page-headers.ts';
import type { Site } from '../../http/pages/site.ts';
import type { BodyReader } from '../../http/read-body.ts';
import { isFromHere, readForm } from '../../http/read-form.ts';
import type { Sealer } from '../../installations/sealer.ts';
import type { Sessions } from '../../signin/sessions.ts';
import type { StepFaces, Words } from '../../texts/create-texts.ts';
import { inLocalCommands, type LocalCommands } from '../local-commands.ts';
import { loginPage } from './login-page.ts';
import { createLoginThrottle } from './login-throttle.ts';
import { type Message, messagePage, messages } from './message-page.ts';
import { type Notice, noticeOf } from './notices.ts';
import { createOperatorActions, type OperatorActionsDeps, operatorActions } from './operator-actions.ts';
import type { OperatorFrame } from './operator-page.ts';
import {
  createOperatorSessions,
  freshSignInMs,
  isFormOf,
  type OperatorSession,
  operatorName,
} from './operator-session.ts';
import { createOperatorViews } from './operator-views.ts';
import { sessionsPath } from './sessions-page.ts';

/**
 * Serves the operator's pages. Checks a request in this order: who sends it, whether the form is ours, and only then
 * what it asks for. Only a POST carries out an action. The answer is then a 303 redirect to the page that shows the
 * outcome.
 */

export interface OperatorPagesDeps extends OperatorActionsDeps {
  /** The app's look, which the operator's pages share with the installer's. */
  site: Site;
  /** How the pages show the steps of the definition. */
  faces: StepFaces;
  /** The English words: the operator's pages have no other language. */
  words: Words;
  config: Config;
  jobs: readonly Pick<Job, 'name' | 'everyMs'>[];
  /** How an operator calls Foyer's commands, for the pages that mention one. */
  commands: LocalCommands;
  isInMaintenance: () => Promise<boolean>;
  /** The sessions of operators. Sign in with Slack begins sessions here too. */
  sessions: Sessions;
  refusals: Pick<Refusals, 'add'>;
  bodies: Pick<BodyReader, 'read'>;
  /** Seals the cookie of a browser in which someone has entered the password. */
  sealer: Sealer;
}

interface Visit {
  req: IncomingMessage;
  res: ServerResponse;
  path: string;
  query: URLSearchParams;
  /** Undefined if the session has not been read yet, or if no one is logged in. */
  session: OperatorSession | undefined;
  /** Whether installs are paused. Undefined if no one is logged in, because Foyer then does not check. */
  inMaintenance?: boolean;
}

const home = '/operator';
const loginPath = '/operator/login';

/** Creates the handler of `/operator` and all paths below it. The handler always ends the response. */
export function createOperatorPages(deps: OperatorPagesDeps) {
  const { config, database, refusals, log, now } = deps;
  const { publicUrl, basePath, secure, trustProxy } = config.http;
  const sessions = createOperatorSessions({
    sessions: deps.sessions,
    sealer: deps.sealer,
    password: config.operatorPassword,
    people: config.operatorSlackUsers,
    database,
    secure,
    now,
  });
  const throttle = createLoginThrottle({ now });
  const views = createOperatorViews({ config, database, jobs: deps.jobs, now });
  const act = createOperatorActions(deps);
  const ways = { password: sessions.hasPassword, slack: sessions.hasPeople };

  function send(visit: Visit, status: number, page: (frame: OperatorFrame) => string, headers = {}): void {
    const { res, query, session } = visit;
    if (res.headersSent) return;
    const nonce = newNonce();
    const html = page({
      site: deps.site,
      words: deps.words,
      faces: deps.faces,
      nonce,
      session,
      notice: noticeOf(query),
      inMaintenance: visit.inMaintenance,
      signInPath: (next) => `/slack/signin?${new URLSearchParams({ return_to: basePath + next })}`,
      now: now(),
    });
    const body = withBasePath(inLocalCommands(html, deps.commands), basePath);
    res.writeHead(status, {
      ...pageHeaders({ nonce, secure, noIndex: true, formAction: 'self' }),
      'Content-Length': Buffer.byteLength(body),
      ...headers,
    });
    res.end(body);
  }

  function sendMessage(visit: Visit, message: Message, headers = {}): void {
    send(visit, messages[message].status, (frame) => messagePage(frame, message), headers);
  }

  /** Redirects to `path`, one of the operator's pages. That page then shows `notice`. */
  function seeOther(
    visit: Visit,
    path: string,
    options: { notice?: Notice; cookie?: string | string[] } = {},
  ): void {
    // A request that took too long has already been answered.
    if (visit.res.headersSent) return;
    const done = options.notice && `${path.includes('?') ? '&' : '?'}done=${options.notice}`;
    if (options.cookie !== undefined) visit.res.appendHeader('Set-Cookie', options.cookie);
    const headers = { 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' };
    visit.res.writeHead(303, { Location: basePath + path + (done ?? ''), ...headers }).end();
  }

  /** Checks a password. After several wrong ones, checks nothing for a while: returns how long the sender must wait. */
  function tryPassword(req: IncomingMessage, password: string): 'right' | 'wrong' | { waitMs: number } {
    const address = clientAddress(req, trustProxy);
    const browser = sessions.knownBrowser(req.headers.cookie);
    const source = browser === undefined ? address : { browser };
    const waitMs = throttle.waitMs(source);
    if (waitMs > 0) {
      refusals.add('logins_slowed', address);
      return { waitMs };
    }
    if (sessions.isPassword(password)) {
      throttle.succeeded(source);
      return 'right';
    }
    throttle.failed(source);
    refusals.add('wrong_operator_password', address);
    return 'wrong';
  }

  async function logIn(visit: Visit, form: URLSearchParams): Promise<void> {
    const next = ownPath(form.get('next'));
    const tried = tryPassword(visit.req, form.get('password') ?? '');
    if (tried === 'right') {
      const { cookie: cookieHeader, 'user-agent': browser } = visit.req.headers;
      const address = clientAddress(visit.req, trustProxy);
      const cookie = await sessions.begin({ cookieHeader, browser, address });
      log.info({ address }, 'an operator logged in');
      seeOther(visit, next, { cookie: [cookie, sessions.rememberBrowser()] });
    } else if (tried === 'wrong') {
      send(visit, 403, (frame) => loginPage(frame, { next, ways, fault: { kind: 'wrong' } }));
    } else {
      const fault = { kind: 'slowed', waitMs: tried.waitMs } as const;
      const headers = { 'Retry-After': String(Math.ceil(tried.waitMs / 1000)) };
      send(visit, 429, (frame) => loginPage(frame, { next, ways, fault }), headers);
    }
  }

  async function post(visit: Visit): Promise<void> {
    const { req, path, session } = visit;
    if (!isFromHere(req.headers, publicUrl))
      return sendMessage(visit, 'not_from_here', { Connection: 'close' });
    const form = await readForm(deps.bodies, req);
    if (typeof form === 'number') return sendMessage(visit, formFaults[form], { Connection: 'close' });
    // The login form has no form token, since there is no session before the login. Its origin was checked above.
    if (path === loginPath && ways.password) return logIn(visit, form);
    if (!session) return seeOther(visit, loginAddress(pageOfForm(path)), { notice: 'session_ended' });
    if (!isFormOf(session, form)) return sendMessage(visit, 'not_from_here');
    if (path === '/operator/logout') {
      return seeOther(visit, loginPath, {
        notice: 'logged_out',
        cookie: await sessions.end(req.headers.cookie),
      });
    }
    if (path === `${sessionsPath}/end`) return endSessionOf(visit, session, form);
    const [, id = '', action = ''] = /^\/operator\/installations\/(\w{1,100})\/([\w-]+)$/.exec(path) ?? [];
    const known = operatorActions.find((each) => each === action);
    if (!known) return sendMessage(visit, 'method_not_allowed', { Allow: 'GET' });
    const record = await readInstallRecord(database.queries, id);
    if (record?.clientId !== config.slack.clientId) return sendMessage(visit, 'not_found');
    // A purge cannot be undone, so a session is not enough: someone else may use a browser that was left open.
    if (known === 'purge' && session.person) {
      const isFresh = now() - session.issuedAt < freshSignInMs;
      if (!isFresh) return seeOther(visit, `/operator/installations/${id}`, { notice: 'sign_in_again' });
    } else if (known === 'purge') {
      const tried = tryPassword(req, form.get('password') ?? '');
      const notice = tried === 'wrong' ? 'wrong_password' : 'password_slowed';
      if (tried !== 'right') return seeOther(visit, `/operator/installations/${id}`, { notice });
    }
    const notice = await act(known, record, { form, address: clientAddress(req, trustProxy), by: session });
    const isThere = (await readInstallRecord(database.queries, id)) !== undefined;
    seeOther(visit, isThere ? `/operator/installations/${id}` : '/operator/installations', { notice });
  }

  /** Operators have equal powers: each may end any operator's session. */
  async function endSessionOf(visit: Visit, session: OperatorSession, form: URLSearchParams): Promise<void> {
    const id = form.get('session') ?? '';
    if (id === session.id) {
      const cookie = await sessions.end(visit.req.headers.cookie);
      return seeOther(visit, loginPath, { notice: 'logged_out', cookie });
    }
    const key = { id, clientId: config.slack.clientId, kind: 'operator' } as const;
    const ended = await database.write((tx) => endSession(tx, key));
    log.info(
      { ended, by: operatorName(session) },
      ended ? 'an operator ended a session' : 'the session had already ended',
    );
    seeOther(visit, sessionsPath, { notice: ended ? 'session_ended_now' : 'session_gone' });
  }

  async function get(visit: Visit): Promise<void> {
    const { path, query, session } = visit;
    if (path === loginPath) {
      if (session) return seeOther(visit, home);
      return send(visit, 200, (frame) => loginPage(frame, { next: ownPath(query.get('next')), ways }));
    }
    if (!session) return seeOther(visit, loginAddress(visit.req.url ?? home));
    const view = await views.find(path, query);
    if (view) send(visit, 200, view);
    else sendMessage(visit, 'not_found');
  }

  return async function operatorPages(req: IncomingMessage, res: ServerResponse): Promise<void> {
    // Postgres refuses U+0000 in a query, and no name or id contains it.
    const url = new URL((req.url ?? home).replaceAll('%00', ''), 'http://localhost');
    // Not `/\/+$/`: a stranger's path of 15,000 slashes would keep the process busy for half a second.
    const path = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname;
    const visit: Visit = { req, res, path, query: url.searchParams, session: undefined };
    try {
      visit.session = await sessions.read(req.headers.cookie);
      if (visit.session) visit.inMaintenance = await deps.isInMaintenance();
      await (req.method === 'POST' ? post(visit) : get(visit));
    } catch (error) {
      const down = error instanceof DatabaseUnavailableError;
      log.error({ err: error, path }, down ? 'the database does not answer' : 'an operator page failed');
      sendMessage(visit, down ? 'database_unavailable' : 'internal');
      if (!res.writableEnded) res.destroy();
    }
  };
}

const formFaults = {
  400: 'malformed',
  408: 'too_slow',
  413: 'too_large',
  415: 'not_a_form',
  500: 'malformed',
  503: 'too_busy',
} as const;

function loginAddress(next: string): string {
  const path = ownPath(next);
  return path === home ? loginPath : `${loginPath}?${new URLSearchParams({ next: path })}`;
}

/** Returns the path of the page whose form posts to `path`. */
function pageOfForm(path: string): string {
  return path.replace(/\/(?:retry|welcome|mark-gone|purge|logout|end)$/, '');
}

/**
 * Returns the path if it is one of the operator's pages, else the overview: a login must not redirect to any other
 * place.
 */
function ownPath(asked: string | null): string {
  if (asked === null || asked.length > 1000 || !/^\/operator(?:[/?]|$)/.test(asked)) return home;
  const url = new URL(asked, 'http://localhost');
  if (!/^\/operator(?:\/|$)/.test(url.pathname) || url.pathname === loginPath) return home;
  url.searchParams.delete('done');
  return url.pathname + url.search;
}
