import type { IncomingMessage, ServerResponse } from 'node:http';
import { foyerVersion } from './config/version.ts';
import type { Database } from './database/database.ts';
import { DatabaseUnavailableError } from './database/database.ts';
import type { NoRoute, Route } from './http/request-handler.ts';
import type { SendPages } from './http/send-pages.ts';
import type { ShowProgress } from './install/show-progress.ts';
import type { ProcessReporter } from './operator/process-report.ts';

interface RoutesDeps {
  startInstall: { get: Route; post: Route };
  /** Whether connecting is on: only then does `/slack/install` accept a form. */
  connects: boolean;
  finishInstall: Route;
  slackEvents: Route;
  /** Sign in with Slack; undefined if it is off. */
  signIn?: { start: Route; finish: Route; signOut: Route };
  /**
   * Answers `/` for people who are signed in. If a person is not signed in, `get` resolves to false. Undefined if
   * sign-in is off.
   */
  record?: {
    get(req: IncomingMessage, res: ServerResponse): Promise<boolean>;
    post: Route;
  };
  progress: ShowProgress;
  /** Answers everything below `/operator`; undefined if the pages are off. */
  operator?: Route;
  metrics?: Route;
  pages: Pick<SendPages, 'sendLanding' | 'sendLogo'>;
  database: Pick<Database, 'ping' | 'failure'>;
  isInMaintenance: () => Promise<boolean>;
  /** Adds this process's report to `/readyz` if `doctor` asks; undefined for no report. */
  reporter?: Pick<ProcessReporter, 'answer'>;
}

/** The paths where Slack redirects the browser with a code. */
const callbacks = ['/slack/oauth_redirect', '/slack/signin/callback'];

/** Creates the function that finds the route for a method and a path. */
export function createRoutes(deps: RoutesDeps) {
  const { record } = deps;
  async function home(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!(await record?.get(req, res))) deps.pages.sendLanding(res);
  }

  const exact: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
    '/': { GET: home, ...(record && { POST: record.post }) },
    '/brand/logo': { GET: (_req, res) => deps.pages.sendLogo(res) },
    '/slack/install': { GET: deps.startInstall.get, ...(deps.connects && { POST: deps.startInstall.post }) },
    '/slack/oauth_redirect': { GET: deps.finishInstall },
    '/slack/events': { POST: deps.slackEvents },
    ...(deps.signIn && {
      '/slack/signin': { GET: deps.signIn.start },
      '/slack/signin/callback': { GET: deps.signIn.finish },
      '/slack/signout': { POST: deps.signIn.signOut },
    }),
    ...(deps.metrics && { '/metrics': { GET: deps.metrics } }),
    '/healthz': { GET: (_req, res) => healthz(deps.database, res) },
    '/readyz': { GET: (req, res) => readyz(deps, req, res) },
  };

  function routesOf(path: string): Readonly<Record<string, Route>> | undefined {
    if (Object.hasOwn(exact, path)) return exact[path];
    if (/^\/operator(?:\/|$)/.test(path)) {
      return deps.operator && { GET: deps.operator, POST: deps.operator };
    }
    const [, token, status] = /^\/installs\/([A-Za-z0-9_-]{1,100})(\/status)?$/.exec(path) ?? [];
    if (token === undefined) return undefined;
    if (status) return { GET: (_req, res) => deps.progress.status(token, res) };
    return {
      GET: (_req, res) => deps.progress.page(token, res),
      POST: (req, res) => deps.progress.answer(token, req, res),
    };
  }

  return function route(method: string, given: string): Route | NoRoute {
    // A trailing slash makes no difference.
    const path = given.length > 1 && given.endsWith('/') ? given.slice(0, -1) : given;
    const routes = routesOf(path);
    if (!routes) return { kind: 'not_found' };
    // Foyer answers HEAD like GET; Node omits the body. A callback does not accept HEAD: otherwise, a program that only
    // checks a link would use up the code.
    const takesHead = 'GET' in routes && !callbacks.includes(path);
    const asked = method === 'HEAD' && takesHead ? 'GET' : method;
    const found = Object.hasOwn(routes, asked) ? routes[asked] : undefined;
    if (found) return found;
    const methods = [...Object.keys(routes), ...(takesHead ? ['HEAD'] : [])];
    return { kind: 'method_not_allowed', headers: { Allow: methods.join(', ') } };
  };
}

/**
 * Returns whether a request is allowed only on PUBLIC_URL's host name: the operator pages, sign-in and sign-out, the
 * form of a progress page, and every request that connects a workspace to an account. Foyer answers other requests
 * under any host name.
 */
export function needsOwnHost(method: string, url: string): boolean {
  const [path = '', query = ''] = url.split('?', 2);
  // The first form connects a workspace, and the second one answers a step's question. Their addresses contain no
  // `connect` or `claim` that the check below could find.
  if (method === 'POST' && /^\/(?:slack\/install|installs\/[^/]+)\/?$/.test(path)) return true;
  if (/^\/(?:operator|slack\/(?:sign(?:in|out)|connect))(?:\/|$)/.test(path)) return true;
  if (query === '') return false;
  const asked = new URLSearchParams(query);
  return asked.has('connect') || asked.has('claim');
}

/**
 * Reports whether the process is usable: 503 if it cannot use the database again, so that a new process must replace
 * it.
 */
function healthz(database: Pick<Database, 'failure'>, res: ServerResponse): void {
  const hasFailed = database.failure() !== undefined;
  sendHealth(res, hasFailed ? 503 : 200, hasFailed ? 'database_failed' : 'ok', { version: foyerVersion });
}

/**
 * Reports whether the database answers and accepts writes: load balancers check this before they send requests to this
 * process. `doctor` sends the current time, sealed with Foyer's keys, to prove its identity; the answer then also
 * contains the process's report. If the time is wrong or sealed with other keys, the answer is 401.
 */
async function readyz(
  deps: Pick<RoutesDeps, 'database' | 'isInMaintenance' | 'reporter'>,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const answer = deps.reporter?.answer(req);
  if (answer && 'refusal' in answer) return sendHealth(res, 401, answer.refusal);
  try {
    await deps.database.ping();
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError)) throw error;
    return sendHealth(res, 503, 'database_unavailable', answer);
  }
  // The answer is 200 during maintenance too: this process must still receive events, so a proxy must not remove the
  // process.
  const maintenance = (await deps.isInMaintenance()) && { maintenance: true };
  sendHealth(res, 200, 'ok', { ...maintenance, ...answer });
}

function sendHealth(res: ServerResponse, status: number, text: string, more: object = {}): void {
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };
  res.writeHead(status, headers).end(JSON.stringify({ status: text, ...more }));
}
