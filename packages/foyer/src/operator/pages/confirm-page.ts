import type { InstallationRowCounts } from '../../database/erase-installation.ts';
import { type InstallRecord, registeredTeamId } from '../../database/install-record.ts';
import { type Html, html } from '../../http/html.ts';
import type { OwnTableNames } from '../own-tables.ts';
import { installationsPath } from './installations-page.ts';
import { csrfField, type OperatorFrame, operatorPage } from './operator-page.ts';
import { freshSignInMs } from './operator-session.ts';
import { count, installationName } from './shown-values.ts';

/** The action to confirm, and how many rows it removes. */
interface ConfirmContent {
  action: 'mark-gone' | 'purge';
  record: InstallRecord;
  rows: InstallationRowCounts & { users: number };
  ownTables: OwnTableNames;
}

function tableNames(names: readonly string[]): Html {
  return html`${names.map((name, index) => html`${index > 0 && ', '}<code>${name}</code>`)}`;
}

function purgeText({ rows, ownTables }: ConfirmContent): Html {
  return html`<p>This erases everything stored about this installation, from the database’s files too:</p>
<ul class="bullets">
  <li>its tokens${rows.userTokens > 0 && html`, including people’s own (${count(rows.userTokens)})`}; Foyer first revokes them at Slack, if Slack answers</li>
  <li>${count(rows.users)} ${rows.users === 1 ? 'person' : 'people'}, except those who belong to another installation too</li>
  <li>${count(rows.runs)} ${rows.runs === 1 ? 'run' : 'runs'} and ${count(rows.history)} ${rows.history === 1 ? 'line' : 'lines'} of history</li>
  ${ownTables.erased.length > 0 && html`<li>the rows of your tables ${tableNames(ownTables.erased)} that refer to it</li>`}
</ul>
${ownTables.left.length > 0 && html`<p>Rows of your own tables ${tableNames(ownTables.left)} stay: Foyer does not know which of them are about this team. Erase them in the uninstall pipeline of your definition.</p>`}
<p>Only a backup can bring it back. One line about the purge stays in the log.</p>`;
}

const goneText = html`<p>Use this if the app was removed in Slack and Foyer was not notified. Foyer revokes the tokens at Slack, if Slack answers, erases them here, and cancels waiting runs.</p>
<p>The record and its history stay. If the app is still installed, it stops working until someone installs it again.</p>`;

/**
 * Shown for a purge if the session began with the password. Why the page asks for it again: a purge cannot be undone,
 * and someone else may use a browser that was left open.
 */
const passwordField = html`<label class="field"><span>Operator password</span><input type="password" name="password" autocomplete="current-password" required maxlength="1000"></label>`;

/** Asks a person whose sign-in with Slack is older than five minutes to sign in again. */
function signInAgain(frame: OperatorFrame, path: string): Html {
  return html`<p>Sign in with Slack again first: a purge needs a sign-in within the last five minutes.</p>
<p class="action-bar"><a class="button" href="${frame.signInPath(`${path}/purge`)}">Sign in with Slack</a> <a class="quiet" href="${path}">Cancel</a></p>`;
}

const words = {
  purge: { title: 'Purge', button: 'Purge it' },
  'mark-gone': { title: 'Mark as gone', button: 'Mark as gone' },
};

/** Asks for confirmation before an action that removes something. Returns a whole HTML document. */
export function confirmPage(frame: OperatorFrame, content: ConfirmContent): string {
  const { action, record } = content;
  const path = `${installationsPath}/${record.id}`;
  const { title, button } = words[action];
  const { session, now } = frame;
  const isStale = session !== undefined && now - session.issuedAt >= freshSignInMs;
  const mustSignIn = action === 'purge' && session !== undefined && session.person !== null && isStale;
  return operatorPage(frame, {
    title: `${title}: ${installationName(record)}`,
    section: 'installations',
    narrow: true,
    content: html`<h1>${title}: ${installationName(record)}?</h1>
<p class="small"><code>${registeredTeamId(record)}</code> · ${record.status}</p>
<div class="card panel prose">${action === 'purge' ? purgeText(content) : goneText}
${
  mustSignIn
    ? signInAgain(frame, path)
    : html`<form class="action-bar" method="post" action="${`${path}/${action}`}">${csrfField(session)}
<input type="hidden" name="installed" value="${record.installedAt}">
${action === 'purge' && session?.person === null && passwordField}
<button class="button danger" type="submit">${button}</button> <a class="quiet" href="${path}">Cancel</a></form>`
}</div>`,
  });
}
