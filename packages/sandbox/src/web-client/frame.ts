import { type Html, html, trustedHtml } from '../http/html.ts';
import type { Visit } from './visit.ts';

export const sections = ['home', 'messages', 'about', 'add', 'general', 'settings', 'panel'] as const;
export type Section = (typeof sections)[number];

export type FramedPage = {
  section: Section;
  title: string;
  main: Html;
  /** How many messages from the app the person has not read. */
  unread: number;
};

/** Why inline: the page must know whether it is dark or light before the first paint. */
const themeScript = `const dark = matchMedia('(prefers-color-scheme: dark)');
const paint = () => { document.documentElement.dataset.theme = dark.matches ? 'dark' : 'light'; };
paint(); dark.addEventListener('change', paint);`;

/** The whole client around a page: workspaces, sidebar, and the page itself. */
export function frame(visit: Visit, { section, title, main, unread }: FramedPage): string {
  const { workspace, person } = visit;
  return html`<!doctype html>
<html lang="en" data-theme="light"><head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${workspace.name} · Slack sandbox</title>
<link rel="icon" href="/avatars/${workspace.id}.svg">
<link rel="stylesheet" href="/client-assets/blocks.css"><link rel="stylesheet" href="/client-assets/client.css">
<script>${trustedHtml(themeScript)}</script>
<script src="/client-assets/client.js" defer></script>
</head>
<body data-team="${workspace.id}" data-user="${person.id}" data-section="${section}">
<a class="skip" href="#main">Skip to the page</a>
${rail(visit)}
<div class="shell">
  ${sidebar(visit, section, unread)}
  <main id="main" tabindex="-1">${main}</main>
</div>
<div id="toast" role="status" aria-live="polite"></div>
</body></html>`.markup;
}

function rail({ platform, workspace, person, signedIn }: Visit): Html {
  const { world } = platform;
  const items = [...world.workspaces.values()].map((each) => {
    const enterprise = world.enterprises.get(each.enterpriseId ?? '');
    const label = enterprise ? `${each.name} (${enterprise.name} Grid)` : each.name;
    return html`<li><a href="/client/${each.id}" title="${label}" ${each.id === workspace.id ? 'aria-current=page' : ''}>
      <img src="/avatars/${each.id}.svg" alt="${label}" width="36" height="36"></a></li>`;
  });
  const members = [...world.people.values()].filter((each) => each.roles[workspace.id]);
  const choices = members.map((each) => {
    const address = `/client/switch?team=${workspace.id}&user=${each.id}`;
    const isMe = each.id === signedIn.userIdByTeam[workspace.id];
    const role = each.isOrgAdmin ? 'org owner' : each.roles[workspace.id];
    return html`<li><a href="${address}" ${isMe ? 'aria-current=true' : ''}>
      <img src="/avatars/${each.id}.svg" alt="" width="36" height="36">
      <span><strong>${each.realName}</strong><small>${role}, ${each.title}</small></span></a></li>`;
  });
  return html`<nav class="rail" aria-label="Workspaces"><ul>${items}</ul>
  <details class="who"><summary aria-label="You are ${person.realName}: switch person"><img src="/avatars/${person.id}.svg" alt="" width="36" height="36"><span class="presence"></span></summary>
    <div class="menu"><p>Switch to another person in ${workspace.name}</p><ul>${choices}</ul></div></details>
</nav>`;
}

function sidebar(visit: Visit, section: Section, unread: number): Html {
  const { platform, workspace, person, role } = visit;
  return html`<nav class="sidebar" aria-label="${workspace.name}">
  <details class="drawer" open>
    <summary><strong>${workspace.name}</strong><small>${person.realName} · ${person.isOrgAdmin ? 'org owner' : role}</small></summary>
    <div class="lists">
      <h2>Channels</h2>
      <ul><li><a href="/client/${workspace.id}/general" ${current(section, 'general')}><span class="hash" aria-hidden="true">#</span> general</a></li></ul>
      <h2>Apps</h2>
      <ul id="live-apps">${appEntry(visit, section, unread)}</ul>
      <h2>Workspace</h2>
      <ul><li><a href="/client/${workspace.id}/settings" ${current(section, 'settings')}><span class="hash" aria-hidden="true">⚙</span> Manage apps</a></li></ul>
      <h2>Sandbox</h2>
      <ul><li><a href="/client/${workspace.id}/panel" ${current(section, 'panel')}><span class="hash" aria-hidden="true">⌁</span> Faults and deliveries</a></li></ul>
      <p class="aside">A Slack made for trying ${platform.app.settings.name}. Nothing here leaves this machine.</p>
    </div>
  </details>
</nav>`;
}

/** The app's entry in the sidebar: a link to the app, with the number of unread messages, or `not installed`. */
export function appEntry(
  { platform, workspace, installation }: Visit,
  section: Section,
  unread: number,
): Html {
  const { app } = platform;
  const isHere = ['home', 'messages', 'about', 'add'].includes(section);
  return html`<li><a href="/client/${workspace.id}/app" ${isHere ? 'aria-current=page' : ''}>
    <img src="/avatars/${app.id}.svg" alt="" width="20" height="20"> ${app.settings.botName}
    ${installation ? null : html`<small class="tag">not installed</small>`}
    ${unread > 0 ? html`<span class="badge" aria-label="${unread} unread">${unread}</span>` : null}</a></li>`;
}

function current(section: Section, mine: Section): string {
  return section === mine ? 'aria-current=page' : '';
}
