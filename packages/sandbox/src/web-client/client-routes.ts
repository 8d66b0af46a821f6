import { createHash } from 'node:crypto';
import { type Exchange, htmlReply, jsonReply, type Reply, redirectReply } from '../http/exchange.ts';
import { type Html, html } from '../http/html.ts';
import type { Route } from '../http/routes.ts';
import { readSignedIn, signedInCookie, withOverrides } from '../oauth/signed-in.ts';
import type { Platform } from '../platform.ts';
import type { Sandbox } from '../sandbox.ts';
import {
  aboutTab,
  addPage,
  appPage,
  composer,
  drawMessages,
  drawModal,
  homeTab,
  messagesTab,
} from './app-pages.ts';
import { assetReply } from './client-assets.ts';
import { appEntry, frame, type Section, sections } from './frame.ts';
import { panelLogs, panelPage } from './panel-page.ts';
import { panelRoutes } from './panel-routes.ts';
import { createReadMarks } from './read-marks.ts';
import { settingsPage } from './settings-page.ts';
import { settingsRoutes } from './settings-routes.ts';
import { readVisit, type Visit } from './visit.ts';

/** The web client: its pages, the parts of the pages that change, and the actions of their buttons. */
export function clientRoutes(platform: Platform, sandbox: Sandbox, landingUrl: string | null): Route[] {
  const marks = createReadMarks(platform);

  /** The route of a page of a workspace. Redirects to `/` if there is no such workspace. */
  function page(
    path: string,
    show: (visit: Visit) => { section: Section; title: string; main: Html } | string,
  ): Route {
    return {
      on: `GET /client/:team${path}`,
      handle(exchange, { team = '' }) {
        const visit = readVisit(platform, exchange, team);
        if (!visit) return redirectReply('/');
        const shown = show(visit);
        if (typeof shown === 'string') return redirectReply(`/client/${team}${shown}`);
        const { section, title, main } = shown;
        const reply = htmlReply(frame(visit, { section, title, main, unread: unreadBy(visit) }));
        return { ...reply, headers: { ...reply.headers, 'set-cookie': signedInCookie(visit.signedIn) } };
      },
    };
  }

  function part(name: string, draw: (visit: Visit) => Html): Route {
    return {
      on: `GET /client/:team/parts/${name}`,
      handle(exchange, { team = '' }) {
        const visit = readVisit(platform, exchange, team);
        if (!visit) return jsonReply({ ok: false }, 404);
        const drawn = draw(visit);
        const reply = htmlReply(drawn.markup);
        return { ...reply, headers: { ...reply.headers, 'x-version': versionOf(drawn) } };
      },
    };
  }

  function unreadBy({ conversation, installation }: Visit): number {
    return conversation && installation ? marks.unread(conversation, installation) : 0;
  }

  function app(visit: Visit, tab: 'home' | 'messages') {
    const { workspace, person, installation } = visit;
    if (!installation && !(tab === 'messages' && visit.conversation?.messages.length)) return '/app/add';
    if (installation) void sandbox.openHome({ teamId: workspace.id, userId: person.id, tab });
    if (tab === 'messages') marks.markRead(visit);
    const drawn = tab === 'home' ? homeTab(visit) : messagesTab(visit);
    const body = html`<div class="scroll ${tab}" tabindex="-1"><div id="live" data-part="${tab}" data-version="${versionOf(drawn)}" ${tab === 'messages' ? 'aria-live=polite' : ''}>${drawn}</div></div>${tab === 'messages' ? composer(visit) : null}<div id="modal">${drawModal(visit)}</div>`;
    const main = appPage(visit, tab, body);
    return { section: tab, title: platform.app.settings.botName, main };
  }

  return [
    {
      on: 'GET /',
      handle: ({ cookies }) => redirectReply(`/client/${readSignedIn(platform.world, cookies).teamId}`),
    },
    { on: 'GET /client-assets/:name', handle: (_exchange, { name = '' }) => assetReply(name) },
    { on: 'GET /client/live', handle: (exchange) => streamActivity(platform, exchange) },
    { on: 'GET /client/switch', handle: (exchange) => switchTo(platform, exchange, '') },
    { on: 'GET /app_redirect', handle: (exchange) => appRedirect(platform, exchange) },
    page('', () => '/app'),
    page('/app', (visit) => {
      const { settings } = platform.app;
      if (!visit.installation) return '/app/add';
      if (unreadBy(visit) > 0 && settings.isMessagesTabEnabled) return '/app/messages';
      return settings.isHomeTabEnabled ? '/app/home' : '/app/messages';
    }),
    page('/app/home', (visit) => app(visit, 'home')),
    page('/app/messages', (visit) => app(visit, 'messages')),
    page('/app/about', (visit) => ({
      section: 'about',
      title: 'About',
      main: appPage(visit, 'about', html`<div class="scroll">${aboutTab(visit)}</div>`),
    })),
    page('/app/add', (visit) =>
      visit.installation
        ? '/app'
        : {
            section: 'add',
            title: platform.app.settings.name,
            main: html`<div class="scroll">${addPage(visit, landingUrl)}</div>`,
          },
    ),
    page('/general', (visit) => ({ section: 'general', title: '#general', main: generalPage(visit) })),
    page('/settings', (visit) => ({ section: 'settings', title: 'Manage apps', main: settingsPage(visit) })),
    page('/panel', (visit) => ({
      section: 'panel',
      title: 'Faults and deliveries',
      main: panelPage(visit, sandbox),
    })),
    part('home', homeTab),
    part('messages', (visit) => {
      marks.markRead(visit);
      return messagesTab(visit);
    }),
    part('panel', (visit) => panelLogs(visit, sandbox)),
    part('modal', drawModal),
    ...sections.map((section) =>
      part(`apps-${section}`, (visit) => appEntry(visit, section, unreadBy(visit))),
    ),
    ...settingsRoutes(platform, sandbox),
    ...panelRoutes(sandbox),
  ];
}

/** Sends the kind of each activity to an open page as a server-sent event. The page then fetches what has changed. */
function streamActivity({ activity }: Platform, { request, response }: Exchange): null {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': hello\n\n');
  const stop = activity.listen(({ kind }) => response.write(`data: ${JSON.stringify({ kind })}\n\n`));
  request.once('close', stop);
  return null;
}

/** A hash of a part's markup: the page redraws the part only if the hash has changed. */
function versionOf({ markup }: Html): string {
  return createHash('sha1').update(markup).digest('hex');
}

function generalPage(visit: Visit): Html {
  const { platform, workspace } = visit;
  const channel = [...platform.world.conversations.values()].find(
    (each) => each.kind === 'channel' && each.teamId === workspace.id,
  );
  return html`<header class="page-head"><h1># general</h1></header>
<div class="scroll messages"><div class="intro"><h2># general</h2><p class="soft">The one channel of this workspace. Incoming webhooks post here.</p></div>${drawMessages(visit, channel?.messages ?? [])}</div>`;
}

function switchTo(platform: Platform, { cookies, url }: Exchange, path: string): Reply {
  const signedIn = withOverrides(platform.world, readSignedIn(platform.world, cookies), url.searchParams);
  const location = `/client/${signedIn.teamId}${path}`;
  return { status: 302, headers: { location, 'set-cookie': signedInCookie(signedIn) } };
}

/** Slack's deep link in a browser. Without a workspace's id, it leads to a workspace in which the app is installed. */
function appRedirect(platform: Platform, exchange: Exchange): Reply {
  const { world } = platform;
  const team = exchange.url.searchParams.get('team') ?? '';
  const isMessages = exchange.url.searchParams.get('tab') === 'messages';
  if (!world.workspaces.has(team)) {
    const installation = [...world.installations.values()].findLast((each) => each.uninstalledAt === null);
    const teamId = installation?.teamId ?? installation?.grantedTeamIds[0];
    if (teamId) exchange.url.searchParams.set('team', teamId);
  }
  return switchTo(platform, exchange, isMessages ? '/app/messages' : '/app/home');
}
