import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import { ConnectError } from '../connections/connect-error.ts';
import { type Link, readLink } from '../connections/link.ts';
import type { LinkCookies } from '../connections/link-cookies.ts';
import type { Returns } from '../connections/returns.ts';
import type { BodyReader } from '../http/read-body.ts';
import { isFromHere, readForm } from '../http/read-form.ts';
import { leadTo } from '../http/request-handler.ts';
import type { SendPages } from '../http/send-pages.ts';
import { createInstallProvider, installOptions, memberOptions } from './install-provider.ts';
import type { StateContent, States } from './state.ts';

interface StartInstallDeps {
  config: Pick<Config, 'slack' | 'http' | 'connect'>;
  states: States;
  bodies: Pick<BodyReader, 'read'>;
  cookies: LinkCookies;
  returns: Returns;
  pages: Pick<SendPages, 'sendFailure' | 'sendConnectQuestion'>;
  now: () => number;
  log: Logger;
}

/**
 * Makes the handlers of `/slack/install`. Neither handler writes to the database.
 *
 * GET redirects to Slack's consent page with a new state (Slack's Marketplace expects a redirect at this address, not a
 * page). With `?connect=`, GET first verifies the link. With `?member=1`, GET requests only the user scopes that a
 * member may grant. POST receives a person's answer to a form. The form asks for consent either to use a link that was
 * made for another browser, or to move a workspace.
 *
 * Why not `InstallProvider.handleInstallPath`: if it fails, it leaves the response open. And its cookie has one fixed
 * name, so a second tab breaks the first.
 */
export function createStartInstall(deps: StartInstallDeps) {
  const { config, cookies, returns, pages, now, log } = deps;
  const provider = createInstallProvider(deps);

  async function toSlack(
    req: IncomingMessage,
    res: ServerResponse,
    asked: Pick<StateContent, 'teamId' | 'link' | 'moves' | 'member'>,
  ): Promise<void> {
    const { state, cookies: stateCookies } = deps.states.issue(asked, req.headers.cookie);
    const { teamId, member } = asked;
    const options = member ? memberOptions(config) : installOptions(config);
    const location = await provider.generateInstallUrl({ ...options, teamId }, true, state);
    // The status is 303 so that after a form's POST, the browser follows the redirect with a GET.
    leadTo(res, req.method === 'POST' ? 303 : 302, location, stateCookies);
  }

  /** Verifies a link. If the link is invalid, expired or already used, sends an error page and returns undefined. */
  async function acceptLink(res: ServerResponse, token: string): Promise<Link | undefined> {
    let link: Link;
    try {
      if (!config.connect) throw new ConnectError('link_invalid', 'Connecting is off: set CONNECT_SECRET.');
      link = readLink(config.connect, token, now());
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      // Why a warning and not an error: anyone can send a wrong link. The log limits how many warnings it writes.
      log.warn({ code: error.code, reason: error.message }, 'a link was refused');
      const kind = error.code === 'link_expired' ? 'link_expired' : 'link_invalid';
      pages.sendFailure(res, { kind, code: kind });
      return undefined;
    }
    const earlier = await returns.earlierUse(link);
    if (earlier.kind === 'unused') return link;
    if (earlier.location !== undefined) leadTo(res, 303, earlier.location);
    else pages.sendFailure(res, { kind: 'link_used', code: 'link_used' });
    return undefined;
  }

  async function connect(req: IncomingMessage, res: ServerResponse, token: string): Promise<void> {
    const link = await acceptLink(res, token);
    if (!link) return;
    const cookieHeader = req.headers.cookie;
    if (cookies.isBound(link.jti, cookieHeader)) return toSlack(req, res, asState(link));
    const { value: ticket, setCookie } = cookies.issueForm({ link: token }, cookieHeader);
    const account = link.label ?? link.org;
    pages.sendConnectQuestion(res, { kind: 'connect', account, ticket }, setCookie);
  }

  return {
    async get(req: IncomingMessage, res: ServerResponse): Promise<void> {
      const query = new URL(req.url ?? '/', 'http://localhost').searchParams;
      const link = query.get('connect');
      if (link !== null) return connect(req, res, link);
      const asked = query.get('team') ?? '';
      // If the value is not the id of a team or enterprise, Foyer ignores it: Slack then asks the person for the
      // workspace.
      const teamId = /^[TE][A-Z0-9]{1,30}$/.test(asked) ? asked : undefined;
      const member = (query.has('member') && config.slack.memberScopes.length > 0) || undefined;
      return toSlack(req, res, { teamId, member });
    },

    async post(req: IncomingMessage, res: ServerResponse): Promise<void> {
      const refuse = (): void =>
        pages.sendFailure(res, { kind: 'form_expired', code: 'form_expired' }, { Connection: 'close' });
      if (!isFromHere(req.headers, config.http.publicUrl)) return refuse();
      const form = await readForm(deps.bodies, req);
      if (typeof form === 'number') return refuse();
      const ticket = cookies.readForm(form.get('ticket'), req.headers.cookie);
      if (!ticket) return refuse();
      const link = await acceptLink(res, ticket.link);
      if (!link) return;
      if (form.get('decision') === 'continue') return toSlack(req, res, asState(link, ticket.moves));
      const { expiresAt: _, ...claims } = link;
      const end = { outcome: 'cancelled', error: 'access_denied' } as const;
      const location = await returns.toHost({ requestId: link.jti, link: claims }, end);
      if (location !== undefined) return leadTo(res, 303, location);
      pages.sendFailure(res, { kind: 'access_denied', code: 'access_denied', connect: ticket.link });
    },
  };
}

function asState({ expiresAt: _, ...link }: Link, moves?: string) {
  return { link, teamId: link.team, moves };
}
