import { scopeInWords } from '../app/scopes.ts';
import { isRecord } from '../blocks/fault-list.ts';
import { type Html, html } from '../http/html.ts';
import type { Message } from '../world/records.ts';
import { drawBlocks, drawText } from './draw-blocks.ts';
import { clockTime, formatSlackDate } from './slack-date.ts';
import type { Visit } from './visit.ts';

type Tab = 'home' | 'messages' | 'about';

/** The app's header with its tabs, above the body of one of them. */
export function appPage(visit: Visit, tab: Tab, body: Html): Html {
  const { platform, workspace } = visit;
  const { app } = platform;
  const { settings } = app;
  const tabs: [Tab, string, boolean][] = [
    ['home', 'Home', settings.isHomeTabEnabled],
    ['messages', 'Messages', settings.isMessagesTabEnabled],
    ['about', 'About', true],
  ];
  const links = tabs
    .filter(([, , isOn]) => isOn)
    .map(
      ([name, label]) =>
        html`<a href="/client/${workspace.id}/app/${name}" ${name === tab ? 'aria-current=page' : ''}>${label}</a>`,
    );
  return html`<header class="page-head"><h1><img src="/avatars/${app.id}.svg" alt="" width="28" height="28"> ${settings.botName} <small class="tag">app</small></h1>
  <nav class="tabs" aria-label="${settings.botName}">${links}</nav></header>${body}`;
}

/** The Home tab as the app last published it for this person. */
export function homeTab({ homeView, reader, platform }: Visit): Html {
  const { botName } = platform.app.settings;
  if (!homeView) {
    return html`<div class="empty"><h2>This is a work in progress</h2><p>${botName} has not published a Home view for you yet. If it subscribes to app_home_opened, Slack has just notified it.</p></div>`;
  }
  return html`<div class="home-view" data-surface="home">${drawBlocks(homeView.blocks, reader)}</div>`;
}

/** The messages of the DM with the app, oldest first. */
export function messagesTab(visit: Visit): Html {
  const { conversation, platform, installation } = visit;
  const { botName, description } = platform.app.settings;
  const messages = conversation?.messages ?? [];
  return html`<div class="intro"><img src="/avatars/${platform.app.id}.svg" alt="" width="72" height="72"><h2>${botName}</h2>
    <p>${description}</p><p class="soft">This is the very beginning of your messages with ${botName}.</p></div>
  ${drawMessages(visit, messages)}
  ${installation ? null : html`<p class="gone" role="note">${botName} is no longer installed in this workspace.</p>`}`;
}

/** Messages, with a heading for each day. */
export function drawMessages(visit: Visit, messages: readonly Message[]): Html {
  let lastDay = '';
  const rows = messages.map((message) => {
    const day = formatSlackDate(Number(message.ts), '{date_long}', visit.reader);
    const isNewDay = day !== lastDay;
    lastDay = day;
    return html`${isNewDay ? html`<li class="day"><span>${formatSlackDate(Number(message.ts), '{date_pretty}', visit.reader)}</span></li>` : null}${drawMessage(visit, message)}`;
  });
  return html`<ol class="messages">${rows}</ol>`;
}

function drawMessage({ platform, reader }: Visit, message: Message): Html {
  const { app, world } = platform;
  const person = world.people.get(message.userId);
  const name = person?.realName ?? app.settings.botName;
  const picture = person?.id ?? app.id;
  const body = message.blocks?.length ? drawBlocks(message.blocks, reader) : drawText(message.text, reader);
  const attachments = message.attachments ?? [];
  return html`<li class="message" data-surface="message" data-ts="${message.ts}">
    <img src="/avatars/${picture}.svg" alt="" width="36" height="36">
    <div class="said"><p class="by"><strong>${name}</strong>${person ? null : html` <small class="tag">app</small>`} <time datetime="${new Date(Number(message.ts) * 1000).toISOString()}">${clockTime(message.ts, reader)}</time></p>
    ${body}
    ${message.editedTs ? html`<small class="soft">(edited)</small>` : null}
    ${attachments.length > 0 ? html`<div class="undrawn" role="note"><strong>The sandbox cannot draw attachments.</strong> <details><summary>Their JSON</summary><pre>${JSON.stringify(attachments, null, 2)}</pre></details></div>` : null}
    ${message.metadata ? html`<details class="metadata"><summary>Metadata: ${message.metadata.event_type}</summary><pre>${JSON.stringify(message.metadata.event_payload, null, 2)}</pre></details>` : null}
    </div></li>`;
}

/** The form for a message to the app, or a note if its Messages tab is read-only; null if the app is not installed. */
export function composer({ platform, workspace, installation }: Visit): Html | null {
  const { settings } = platform.app;
  if (!installation) return null;
  if (settings.isMessagesTabReadOnly) {
    return html`<p class="composer closed">Sending messages to this app has been turned off.</p>`;
  }
  return html`<form class="composer" method="post" action="/client/${workspace.id}/messages">
    <label class="unseen" for="text">Message ${settings.botName}</label>
    <textarea id="text" name="text" rows="1" required placeholder="Message ${settings.botName}"></textarea>
    <button>Send</button></form>`;
}

/** What the app is and may do, and where to manage it. */
export function aboutTab(visit: Visit): Html {
  const { platform, workspace, installation } = visit;
  const { settings } = platform.app;
  const scopes = installation?.botScopes ?? settings.botScopes;
  return html`<div class="prose"><h2>${settings.name}</h2><p>${settings.longDescription || settings.description}</p>
    <h3>What it may do here</h3><ul class="scopes">${scopes.map((scope) => html`<li>${scopeInWords(scope)} <code>${scope}</code></li>`)}</ul>
    <p><a class="button" href="/client/${workspace.id}/settings">Manage this app</a></p></div>`;
}

/** The app's page in the directory, for a workspace in which the app is not installed. */
export function addPage(visit: Visit, landingUrl: string | null): Html {
  const { platform, workspace, orgInstallation } = visit;
  const { app } = platform;
  const { settings } = app;
  const isWaiting = orgInstallation !== null;
  return html`<div class="directory"><div class="directory-head">
    <img src="/avatars/${app.id}.svg" alt="" width="96" height="96">
    <div><h1>${settings.name}</h1><p>${settings.description}</p>
    ${
      isWaiting
        ? html`<p class="note">It is installed in the whole organization, but has no access to ${workspace.name} yet. An org admin can give it access under <a href="/client/${workspace.id}/settings">Manage apps</a>.</p>`
        : landingUrl
          ? html`<p><a class="button primary" href="${landingUrl}">Add to Slack</a></p><p class="soft">Opens the app's own page at ${landingUrl}</p>`
          : html`<p class="note">The app's manifest names no redirect URL, so there is no page to add the app from.</p>`
    }</div></div>
    <div class="prose"><h2>About</h2><p>${settings.longDescription || settings.description}</p>
    <h2>What it will ask for</h2><ul class="scopes">${settings.botScopes.map((scope) => html`<li><span>${scopeInWords(scope)}</span> <code>${scope}</code>${settings.optionalBotScopes.includes(scope) ? html` <small class="tag">optional</small>` : null}</li>`)}</ul></div></div>`;
}

/** The modal that the app opened for this person, if any, with a note that the sandbox does not submit modals. */
export function drawModal({ platform, person, workspace, reader }: Visit): Html {
  const view = platform.world.modals.get(person.id);
  if (!view) return html``;
  const text = (value: unknown) => (isRecord(value) ? String(value.text) : '');
  return html`<dialog open class="modal" aria-labelledby="modal-title"><h2 id="modal-title">${text(view.title)}</h2>
  <div data-surface="modal">${drawBlocks(view.blocks, reader)}</div>
  ${view.submit ? html`<p class="undrawn" role="note">The sandbox does not submit modals: “${text(view.submit)}” does nothing.</p>` : null}
  <form method="post" action="/client/${workspace.id}/close-modal" class="buttons"><button>${text(view.close) || 'Close'}</button></form></dialog>`;
}
