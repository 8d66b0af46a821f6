import { scopeInWords } from '../app/scopes.ts';
import { type Html, html } from '../http/html.ts';
import { liveTokens, teamIdsOf } from '../world/find.ts';
import type { Installation, Token } from '../world/records.ts';
import { formatSlackDate } from './slack-date.ts';
import type { Visit } from './visit.ts';

/**
 * The page on which admins remove the app, revoke a person's token, approve installs and, in a Grid org, give the app
 * access to workspaces.
 */
export function settingsPage(visit: Visit): Html {
  const { platform, workspace, installation, orgInstallation, person } = visit;
  const { settings, id } = platform.app;
  const ownInstallation = installation && !installation.isEnterpriseInstall ? installation : null;
  return html`<header class="page-head"><h1>Manage apps in ${workspace.name}</h1></header>
<div class="scroll"><div class="cards">
  <section class="card app-card"><img src="/avatars/${id}.svg" alt="" width="48" height="48"><div><h2>${settings.name}</h2><p class="soft">${settings.description}</p></div></section>
  ${ownInstallation ? installedCard(visit, ownInstallation) : null}
  ${orgInstallation ? orgCard(visit, orgInstallation) : null}
  ${ownInstallation || orgInstallation ? null : html`<section class="card"><p>${settings.name} is not installed in ${workspace.name}. <a href="/client/${workspace.id}/app">Add it</a></p></section>`}
  ${approvalCard(visit)}
  <p class="soft">You act as ${person.realName}. Press your picture to switch to another person.</p>
</div></div>`;
}

function mayManage({ role, person }: Visit, installation: Installation): boolean {
  return installation.isEnterpriseInstall ? person.isOrgAdmin : role === 'owner' || role === 'admin';
}

function facts(visit: Visit, installation: Installation): Html {
  const { platform, reader } = visit;
  const installer = platform.world.people.get(installation.installerUserId);
  const when = formatSlackDate(Math.floor(installation.installedAt / 1000), '{date_long} at {time}', reader);
  return html`<p>Installed by <strong>${installer?.realName ?? installation.installerUserId}</strong> on ${when}.</p>
  <details><summary>What it may do (${installation.botScopes.length})</summary><ul class="scopes">${installation.botScopes.map((scope) => html`<li>${scopeInWords(scope)} <code>${scope}</code></li>`)}</ul></details>`;
}

function installedCard(visit: Visit, installation: Installation): Html {
  return html`<section class="card"><h2>Installed in this workspace</h2>${facts(visit, installation)}${authorizations(visit, installation)}${removal(visit, installation, visit.workspace.id)}</section>`;
}

function authorizations(visit: Visit, installation: Installation): Html {
  const { platform, workspace } = visit;
  const tokens = liveTokens(platform.world, installation.id);
  const rows = tokens.map((token) => {
    const name =
      platform.world.people.get(token.userId)?.realName ?? `${platform.app.settings.botName} (bot)`;
    const isOwn = token.userId === visit.person.id;
    const button =
      mayManage(visit, installation) || isOwn
        ? html`<form method="post" action="/client/${workspace.id}/settings/revoke">${hidden(token)}<button class="danger-text">Revoke</button></form>`
        : null;
    return html`<li><span><strong>${name}</strong> <small class="soft">${token.kind} token: ${token.scopes.join(', ')}</small></span>${button}</li>`;
  });
  return html`<h3>Authorizations</h3><ul class="rows">${rows}</ul>`;
}

function hidden(token: Token): Html {
  return html`<input type="hidden" name="kind" value="${token.kind}"><input type="hidden" name="user" value="${token.userId}"><input type="hidden" name="installation" value="${token.installationId}">`;
}

function removal(visit: Visit, installation: Installation, placeId: string): Html {
  const { platform, workspace } = visit;
  const { name } = platform.app.settings;
  if (!mayManage(visit, installation)) {
    const who = installation.isEnterpriseInstall ? 'an org admin' : 'an admin or owner';
    return html`<p class="soft">Only ${who} can remove ${name}.</p>`;
  }
  return html`<h3>Remove</h3><p class="soft">All its tokens stop working, and its bot user is deactivated. Messages stay.</p>
  <form method="post" action="/client/${workspace.id}/settings/remove" data-confirm="Remove ${name}?"><input type="hidden" name="place" value="${placeId}"><button class="danger">Remove ${name}</button></form>`;
}

function orgCard(visit: Visit, installation: Installation): Html {
  const { platform, workspace } = visit;
  const { world } = platform;
  const enterprise = world.enterprises.get(installation.enterpriseId ?? '');
  const isAdmin = mayManage(visit, installation);
  const rows = teamIdsOf(world, installation).map((teamId) => {
    const isIn = installation.grantedTeamIds.includes(teamId);
    const [path, label] = isIn ? ['close', 'Remove access'] : ['open', 'Give access'];
    return html`<li><span><img src="/avatars/${teamId}.svg" alt="" width="24" height="24"> ${world.workspaces.get(teamId)?.name} <small class="soft">${isIn ? 'The app has access' : 'The app has no access'}</small></span>
    ${isAdmin ? html`<form method="post" action="/client/${workspace.id}/settings/${path}"><input type="hidden" name="team" value="${teamId}"><button>${label}</button></form>` : null}</li>`;
  });
  return html`<section class="card"><h2>Installed in the organization ${enterprise?.name}</h2>${facts(visit, installation)}
  <h3>Workspaces</h3><ul class="rows">${rows}</ul>${authorizations(visit, installation)}${removal(visit, installation, installation.enterpriseId ?? '')}</section>`;
}

function approvalCard(visit: Visit): Html | null {
  const { platform, workspace, role } = visit;
  const { world } = platform;
  if (role === 'member') return null;
  const waiting = world.approvalRequests.filter((each) => each.teamId === workspace.id && !each.isApproved);
  const names = waiting.map((each) => world.people.get(each.userId)?.realName).join(', ');
  const isOn = workspace.requiresApproval;
  return html`<section class="card"><h2>App approval</h2>
  <p>${isOn ? 'Members must ask before they install an app.' : 'Members may install apps without asking.'}</p>
  <div class="buttons"><form method="post" action="/client/${workspace.id}/settings/approval"><input type="hidden" name="required" value="${isOn ? 'no' : 'yes'}"><button>${isOn ? 'Let members install apps' : 'Require approval'}</button></form>
  ${waiting.length > 0 ? html`<form method="post" action="/client/${workspace.id}/settings/approve"><button class="primary">Approve for ${names}</button></form>` : null}</div></section>`;
}
