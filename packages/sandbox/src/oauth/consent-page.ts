import { readFile } from 'node:fs/promises';
import type { RegisteredApp } from '../app/registered-app.ts';
import { scopeInWords } from '../app/scopes.ts';
import { type Html, html, trustedHtml } from '../http/html.ts';
import type { Enterprise, Person, Workspace } from '../world/records.ts';
import { type AuthorizeRequest, optionalScopes } from './authorize-request.ts';

const styles = await readFile(new URL('./consent.css', import.meta.url), 'utf8');

export type ConsentPage = {
  app: RegisteredApp;
  request: AuthorizeRequest;
  /** The query of the page's address, for the form and the workspace links. */
  query: URLSearchParams;
  workspace: Workspace;
  person: Person;
  /** The org of the workspace, if this person may install in the whole org; otherwise null. */
  organisation: Enterprise | null;
  /** The workspaces and people to choose from. Empty if the app asked for a particular workspace. */
  choices: { workspace: Workspace; person: Person }[];
  mustAsk: boolean;
};

/** The page that asks a person to install the app. */
export function consentPage(page: ConsentPage): string {
  const { app, request, workspace, mustAsk } = page;
  const { name } = app.settings;
  return decisionPage(page, {
    title: `${name} asks for access to ${workspace.name}`,
    heading: html`${name} is requesting permission to access the <strong>${workspace.name}</strong> Slack workspace`,
    notice: mustAsk
      ? html`<p class="notice" role="note">In ${workspace.name}, the admins must approve an app before you can install it. Your request goes to the admins.</p>`
      : null,
    action: '/oauth/v2/authorize',
    kept: ['client_id', 'scope', 'user_scope', 'redirect_uri', 'state', 'team'],
    choices: html`${placeChoice(page)}
    ${scopeSection(page, `What will ${name} be able to do?`, request.botScopes)}
    ${scopeSection(page, `What will ${name} be able to do on your behalf?`, request.userScopes)}`,
    allow: mustAsk ? 'Request to install' : 'Allow',
  });
}

/** A page on which a person allows or cancels something: an install, or a sign-in. */
export function decisionPage(
  page: Pick<ConsentPage, 'app' | 'query' | 'workspace' | 'person' | 'choices'>,
  parts: {
    title: string;
    heading: Html;
    notice: Html | null;
    /** The form's address. */
    action: string;
    /** Names of parameters in the page's query. The form sends these parameters again, in hidden fields. */
    kept: readonly string[];
    choices: Html;
    allow: string;
  },
): string {
  const { app, query, workspace, person } = page;
  const { title, heading, notice, action, kept, choices, allow } = parts;
  const fields = kept.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [html`<input type="hidden" name="${name}" value="${value}">`];
  });
  return consentFrame(
    title,
    html`${workspaceSwitcher(page)}
<main class="card">
  <div class="icons" aria-hidden="true">
    <img src="/avatars/${app.id}.svg" alt="" width="56" height="56">
    <span class="link"></span>
    <img src="/avatars/${workspace.id}.svg" alt="" width="56" height="56">
  </div>
  <h1>${heading}</h1>
  <p class="who"><img src="/avatars/${person.id}.svg" alt="" width="24" height="24"> Signed in as <strong>${person.realName}</strong>
    <span>${person.email}</span></p>
  ${notice}
  <form method="post" action="${action}">
    ${fields}<input type="hidden" name="user" value="${person.id}">
    ${choices}
    <div class="buttons">
      <button class="quiet" name="decision" value="cancel">Cancel</button>
      <button class="allow" name="decision" value="allow">${allow}</button>
    </div>
  </form>
</main>`,
  );
}

/** A page that says why there is nothing to decide, or what happens next. */
export function consentNotice(title: string, text: string): string {
  return consentFrame(title, html`<main class="card"><h1>${title}</h1><p class="lead">${text}</p></main>`);
}

function placeChoice({ organisation, workspace, app, request }: ConsentPage): Html {
  if (!organisation) return html`<input type="hidden" name="place" value="${workspace.id}">`;
  const isOrgAsked = request.teamId === organisation.id;
  return html`<fieldset class="place"><legend>Where should ${app.settings.name} be installed?</legend>
    <label><input type="radio" name="place" value="${workspace.id}" ${isOrgAsked ? '' : 'checked'}> Only in ${workspace.name}</label>
    <label><input type="radio" name="place" value="${organisation.id}" ${isOrgAsked ? 'checked' : ''}> In the whole organization, ${organisation.name}
      <small>You choose later which workspaces it may enter.</small></label>
  </fieldset>`;
}

function scopeSection({ app, request }: ConsentPage, title: string, scopes: string[]): Html | null {
  if (scopes.length === 0) return null;
  const optional = optionalScopes(app.settings, request);
  const rows = scopes.map((scope) => {
    const words = html`<span>${scopeInWords(scope)}</span> <code>${scope}</code>`;
    if (!optional.includes(scope)) return html`<li>${words}</li>`;
    return html`<li class="optional"><label><input type="checkbox" name="optional_scope" value="${scope}" checked>
      <span class="words">${words}<small>Optional: you can leave this out.</small></span></label></li>`;
  });
  return html`<section><h2>${title}</h2><ul>${rows}</ul></section>`;
}

/** The page's header. If the app asked for no particular workspace, the header lists the workspaces to choose from. */
function workspaceSwitcher({
  choices,
  workspace,
  query,
}: Pick<ConsentPage, 'choices' | 'workspace' | 'query'>): Html {
  const mark = html`<span class="mark">slack <small>sandbox</small></span>`;
  if (choices.length === 0) return html`<header>${mark}</header>`;
  const links = choices.map((choice) => {
    const address = new URLSearchParams(query);
    address.delete('user');
    address.set('pick', choice.workspace.id);
    const current = choice.workspace.id === workspace.id;
    return html`<li><a href="?${address.toString()}" ${current ? 'aria-current=true' : ''}>
      <img src="/avatars/${choice.workspace.id}.svg" alt="" width="32" height="32">
      <span><strong>${choice.workspace.name}</strong><small>${choice.person.realName}</small></span></a></li>`;
  });
  return html`<header>${mark}<details class="picker"><summary>${workspace.name}<span class="hint"> · choose another workspace</span></summary><ul>${links}</ul></details></header>`;
}

function consentFrame(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="icon" href="/avatars/app.svg"><style>${trustedHtml(styles)}</style></head><body>${body}</body></html>`
    .markup;
}
