import { type Html, html } from '../html.ts';
import { joinedMarks, slackMark } from './marks.ts';
import { page } from './page.ts';
import { plainName } from './plain-name.ts';
import type { PageFrame } from './site.ts';

/** What the person is asked. */
export interface ConnectQuestion {
  /** Go to Slack with a link that was mailed, or take a workspace from the account that it is connected with. */
  kind: 'connect' | 'move';
  /** The account's name, or its id. */
  account: string;
  /** The workspace's name; only for a move, after Slack has named it. */
  teamName?: string | null;
  /** Where the form goes. */
  action: string;
  /** The hidden value that the form carries. */
  ticket: string;
}

/** Asks for a press before a workspace is connected with an account: a whole HTML document. */
export function connectPage(content: ConnectQuestion & PageFrame): string {
  const { site, nonce, action, ticket } = content;
  const heading = content.kind === 'move' ? 'Move this workspace?' : 'Connect your Slack workspace?';
  const main = html`<main class="single">
  ${joinedMarks(site.appName)}
  <h1>${heading}</h1>
  ${content.kind === 'move' ? moveText(content) : connectText(content)}
  <form method="post" action="${action}">
    <input type="hidden" name="ticket" value="${ticket}">
    <p class="actions">
      ${
        content.kind === 'move'
          ? html`<button class="button" name="decision" value="continue">Move it</button>`
          : html`<button class="button button-slack" name="decision" value="continue">${slackMark}<span>Continue to Slack</span></button>`
      }
      <button class="button-quiet" name="decision" value="cancel">Cancel</button>
    </p>
  </form>
</main>`;
  return page({ site, nonce, title: heading, head: html`<meta name="robots" content="noindex">`, main });
}

function accountName({ account }: ConnectQuestion): Html {
  return html`<strong class="account">${plainName(account, 'an account without a name')}</strong>`;
}

function connectText(content: ConnectQuestion & PageFrame): Html {
  return html`<p>The workspace that you choose at Slack will be connected with this account of ${content.site.appName}:</p>
  <p class="account-card">${accountName(content)}</p>
  <p>Continue only if you know this account and trust the person who sent you the link. Everyone who uses the account may then work with the workspace through ${content.site.appName}.</p>`;
}

function moveText(content: ConnectQuestion & PageFrame): Html {
  const place = plainName(content.teamName ?? null, 'This workspace');
  return html`<p>${place} is already connected with another account of ${content.site.appName}. You can move it to this one:</p>
  <p class="account-card">${accountName(content)}</p>
  <p>The other account loses the workspace. Slack asks you to confirm once more.</p>`;
}
